import { isJsonObject, type Json } from "../core/json.ts";
import { readModelJson } from "../core/model-json.ts";

/** A call that a model wrote into its text. */
export interface TextCall {
  readonly name: string;
  readonly rawArguments: string;
}

/** A text taken apart: what it says, then what it calls. */
export interface ReadText {
  readonly text: string;
  readonly calls: readonly TextCall[];
}

/**
 * Calls that a model wrote as text, for models that are known to do so: `<tool_call>{…}</tool_call>`,
 * `<function=read><parameter=path>…`, `[TOOL_CALLS][{…}]`, and JSON in a fence or bare. Only what ends an answer counts,
 * only whole calls of tools that there are (`tools`), and JSON only where it is all that was said: what is quoted in a fence
 * or within a line must not be called. Null: it calls nothing.
 */
export function readTextCalls(text: string, tools: readonly string[]): ReadText | null {
  const said = text.replace(/^\s*<think>[\s\S]*?<\/think>/, "");
  const begins = /(?:^|\n)[ \t]*(?:<tool_call>|<function=|\[TOOL_CALLS\])/.exec(said);
  const before = begins === null ? "" : said.slice(0, begins.index);
  // An open fence before it: it is part of what is quoted.
  if ((before.match(/^[ \t]*```/gm) ?? []).length % 2 === 1) return null;
  const calls = begins === null ? jsonCalls(said) : markedCalls(said.slice(begins.index).trim());
  const isKnown = calls !== null && calls.length > 0 && calls.every(({ name }) => tools.includes(name));
  return isKnown ? { text: before.trim(), calls } : null;
}

const FUNCTION_MARK = /^(?:<tool_call>\s*)?<function=([\w.-]+)>([\s\S]*?)<\/function>(?:\s*<\/tool_call>)?\s*/;
const JSON_MARK = /^<tool_call>([\s\S]*?)(?:<\/tool_call>|$)\s*/;
const LIST_MARK = /^\[TOOL_CALLS\]([\s\S]*)$/;

/** One mark after the other up to the end; null: there is something else among them. */
function markedCalls(marked: string): readonly TextCall[] | null {
  if (marked === "") return [];
  const mark = FUNCTION_MARK.exec(marked);
  const json = mark === null ? (JSON_MARK.exec(marked) ?? LIST_MARK.exec(marked)) : null;
  const [whole] = mark ?? json ?? [""];
  const first = mark ? [parameterCall(mark[1] ?? "", mark[2] ?? "")] : jsonCalls(json?.[1] ?? "");
  const rest = first === null || whole === "" ? null : markedCalls(marked.slice(whole.length));
  return first === null || rest === null ? null : [...first, ...rest];
}

/** Values stand on lines of their own: one line break before and after belongs to the mark. The tool's schema reads numbers. */
function parameterCall(name: string, body: string): TextCall {
  const values = [...body.matchAll(/<parameter=([\w.-]+)>\n?([\s\S]*?)\n?<\/parameter>/g)];
  return { name, rawArguments: JSON.stringify(Object.fromEntries(values.map(([, key, value]) => [key, value]))) };
}

function jsonCalls(text: string): readonly TextCall[] | null {
  const read = readModelJson(text.trim());
  if (read === null) return null;
  const found = (Array.isArray(read.value) ? read.value : [read.value]).map(callIn);
  return found.every((call) => call !== null) ? found : null;
}

/** `{name, arguments}`, also as `parameters`, and as OpenAI wraps it. */
function callIn(value: Json): TextCall | null {
  if (!isJsonObject(value)) return null;
  const call = isJsonObject(value.function ?? null) ? (value.function as typeof value) : value;
  const given = call.arguments ?? call.parameters;
  if (typeof call.name !== "string" || given === undefined) return null;
  return { name: call.name, rawArguments: typeof given === "string" ? given : JSON.stringify(given) };
}
