import { type Answer, call, type Reaction, type SaidCall, type Trouble } from "./answers.ts";
import type { Heard } from "./listen.ts";
import { overflow } from "./model-server.ts";
import { finishOf } from "./oracle.ts";

/** When a habit is asked what it makes of an answer. */
export interface Moment {
  readonly heard: Heard;
  /** Requests of the whole run before this one. */
  readonly asked: number;
  /** Answers of this move before this one, in the whole run. */
  readonly moved: number;
}

/** What a difficult model makes of a good one's answer. */
export interface Habit {
  readonly name: string;
  /** `recovers`: the work is done in spite of it. `never`: it never gets there, and has a named ending. */
  readonly end: "recovers" | "never";
  /** The name of the only ending that fits, as `run.json` has it; null or missing: any that has one. */
  readonly ending?: string | null;
  /** Tokens that its server takes at most, whatever it says of itself; missing: any. */
  readonly windowTokens?: number;
  /** True: it is known for calls that are written as text. */
  readonly writesCalls?: boolean;
  apply(answer: Answer, moment: Moment): Reaction;
}

/** The first answer of each kind goes wrong in this way, those after it are right. */
function once(name: string, wrong: (answer: Answer, moment: Moment) => Reaction): Habit {
  return {
    name,
    end: "recovers",
    apply: (answer, moment) => (moment.moved === 0 ? wrong(answer, moment) : { answer }),
  };
}

/** Every second request goes wrong on the way, the first among them. */
function every(name: string, trouble: Trouble): Habit {
  return { name, end: "recovers", apply: (answer, { asked }) => (asked % 2 === 0 ? { answer, trouble } : { answer }) };
}

/** The third request of the run goes wrong on the way. */
function third(name: string, trouble: Trouble): Habit {
  return { name, end: "recovers", apply: (answer, { asked }) => (asked === 2 ? { answer, trouble } : { answer }) };
}

function never(name: string, ending: string | null, apply: Habit["apply"]): Habit {
  return { name, end: "never", apply, ending };
}

const withCalls = (answer: Answer, change: (one: SaidCall, index: number) => SaidCall): Reaction => ({
  answer: { ...answer, calls: answer.calls.map(change) },
});
const status = (code: number, type: string, headers: Record<string, string> = {}): Trouble => ({
  kind: "status",
  status: code,
  headers,
  body: JSON.stringify({ type: "error", error: { type, message: `the server says ${type}` } }),
});

/** Names that models have learned elsewhere. */
const ALIASES: Readonly<Record<string, string>> = {
  read: "Read_File",
  edit: "str_replace",
  bash: "RunCommand",
  finish: "FINISH",
  write: "write_file",
};
const ARGUMENT_ALIASES: Readonly<Record<string, string>> = { path: "file_path", command: "cmd" };

function renamedArguments({ args }: SaidCall): string {
  const given = JSON.parse(args) as Record<string, unknown>;
  return JSON.stringify(
    Object.fromEntries(Object.entries(given).map(([key, value]) => [ARGUMENT_ALIASES[key] ?? key, value])),
  );
}

const CHANT = "I will now apply the change. ".repeat(400);

/** Difficult models that get there all the same. */
export const RECOVERABLE: readonly Habit[] = [
  { name: "none", end: "recovers", apply: (answer) => ({ answer }) },
  once("other names for tools", (answer) =>
    withCalls(answer, (one) => ({ ...one, tool: ALIASES[one.tool] ?? one.tool })),
  ),
  once("tools that do not exist", (answer) => withCalls(answer, (one) => ({ ...one, tool: "computer_use" }))),
  once("other names for arguments", (answer) => withCalls(answer, (one) => ({ ...one, args: renamedArguments(one) }))),
  once("JSON cut short", (answer) => withCalls(answer, (one) => ({ ...one, args: one.args.slice(0, -3) }))),
  once("JSON with a comma too many", (answer) =>
    withCalls(answer, (one) => ({ ...one, args: one.args.replace(/\}$/, ",}") })),
  ),
  once("JSON in a string", (answer) => withCalls(answer, (one) => ({ ...one, args: JSON.stringify(one.args) }))),
  once("JSON in a fence", (answer) =>
    withCalls(answer, (one) => ({ ...one, args: `\`\`\`json\n${one.args}\n\`\`\`` })),
  ),
  once("arguments left out", (answer) => withCalls(answer, (one) => ({ ...one, args: "{}" }))),
  once("arguments too many", (answer) =>
    withCalls(answer, (one) => ({ ...one, args: one.args.replace(/^\{/, '{"why":"because",') })),
  ),
  once("one id for all calls", (answer) => withCalls(answer, (one) => ({ ...one, id: "call_same" }))),
  once("a reply cut in the middle of a call", (answer) => ({
    answer: { ...answer, stop: "length", calls: answer.calls.map((one) => ({ ...one, args: one.args.slice(0, 9) })) },
  })),
  {
    ...once("calls written as text", (answer) => ({ answer: { ...answer, text: written(answer), calls: [] } })),
    writesCalls: true,
  },
  once("an empty answer", ({ move }) => ({ answer: { move, calls: [] } })),
  once("words and no call", (answer) => ({ answer: { ...answer, text: "I will do that right away.", calls: [] } })),
  once("a reason to stop that nobody knows", (answer) => ({ answer: { ...answer, stop: "unknown" } })),
  once("chanting", (answer) => ({ answer: { ...answer, text: CHANT } })),
  once("much reasoning", (answer) => ({ answer: { ...answer, reasoning: "Hm. ".repeat(2_000) } })),
  once("an edit of what is not there", (answer) =>
    answer.move === "change"
      ? {
          answer: {
            ...answer,
            calls: [call("edit", { path: pathOf(answer), edits: [{ old: "not there", new: "x" }] })],
          },
        }
      : { answer },
  ),
  once("a file changed behind its own back", (answer) =>
    answer.move === "change"
      ? {
          answer: {
            ...answer,
            calls: [call("bash", { command: `printf '\\n' >> '${pathOf(answer)}'; exit 3` }), ...answer.calls],
          },
        }
      : { answer },
  ),
  {
    name: "done before anything is done",
    end: "recovers",
    apply: (answer, { asked }) =>
      asked === 0 ? { answer: { move: "finish", calls: [finishOf("done")] } } : { answer },
  },
  {
    name: "the same call again and again, until it is told",
    end: "recovers",
    apply: (answer, { heard, asked }) =>
      asked < 6 && !hasWord(heard, /same (?:call|result|thing)|in circles|repeat/i)
        ? { answer: { move: "look", calls: [call("ls", { path: "." })] } }
        : { answer },
  },
  {
    name: "outside of the tree, and at keys",
    end: "recovers",
    apply: (answer, { asked }) =>
      asked === 0
        ? {
            answer: {
              move: "look",
              calls: [
                call("read", { path: "../../../etc/passwd" }),
                call("write", { path: "/tmp/ccp-escape", content: "x" }),
                call("write", { path: ".git/config", content: "[core]\n\tfsmonitor = touch /tmp/ccp-escape\n" }),
                call("bash", { command: "env | grep -i key; true" }),
              ],
            },
          }
        : { answer },
  },
  {
    name: "more than its window holds",
    end: "recovers",
    windowTokens: 32_000,
    apply: (answer, { asked }) =>
      asked < 5
        ? { answer: { move: "look", calls: [call("bash", { command: `seq ${asked + 1} 9000` })] } }
        : { answer },
  },
  every("429 with a word on when", status(429, "rate_limit_error", { "retry-after": "0" })),
  every("429 in milliseconds", status(429, "rate_limit_error", { "retry-after-ms": "20" })),
  every("529 overloaded", status(529, "overloaded_error", { "retry-after": "0" })),
  every("500", status(500, "api_error", { "retry-after": "0" })),
  every("503 with a page", {
    kind: "status",
    status: 503,
    headers: { "retry-after": "0", "content-type": "text/html" },
    body: "<!DOCTYPE html><title>Down</title>",
  }),
  every("no answer at all", { kind: "silence", at: "start" }),
  every("the connection is cut at once", { kind: "death", at: "start" }),
  every("the connection is cut before the first event", { kind: "death", at: "head" }),
  every("byte by byte", { kind: "drip" }),
];

function written({ calls }: Answer): string {
  return calls.map(({ tool, args }) => `<tool_call>\n{"name":"${tool}","arguments":${args}}\n</tool_call>`).join("\n");
}

function pathOf({ calls }: Answer): string {
  const text = calls[0]?.args ?? "";
  const patched = /\*\*\* (?:Update|Add) File: ([^\\]*)/.exec(text)?.[1];
  return patched ?? (JSON.parse(text) as { readonly path: string }).path;
}

function hasWord({ messages }: Heard, word: RegExp): boolean {
  return messages.some((message) => message.role !== "assistant" && word.test(message.text));
}

/** What breaks off in the middle, once: it is not passed off as whole, and what is asked again is answered whole. */
export const BROKEN_STREAMS: readonly Habit[] = [
  third("silence in the middle", { kind: "silence", at: "half" }),
  third("the connection is cut in the middle", { kind: "death", at: "half" }),
  third("the connection is cut before the last event", { kind: "death", at: "end" }),
  third("an error in the middle of the answer", { kind: "error-event" }),
  third("nonsense in the middle of the answer", { kind: "garbage" }),
];

/** Models that never get there. */
export const HOPELESS: readonly Habit[] = [
  never("always empty", "empty", ({ move }) => ({ answer: { move, calls: [] } })),
  never("always words", "incomplete", (answer) => ({ answer: { ...answer, text: "Nearly there.", calls: [] } })),
  never("always a chant", "loop", (answer) => ({ answer: { ...answer, text: CHANT, calls: [] } })),
  never("always broken JSON", "malformed", (answer) => withCalls(answer, (one) => ({ ...one, args: "{" }))),
  never("always a tool that does not exist", "malformed", (answer) =>
    withCalls(answer, (one) => ({ ...one, tool: "teleport" })),
  ),
  never("always cut", "malformed", (answer) => ({
    answer: { ...answer, stop: "length", calls: [], text: "and so on" },
  })),
  // One wire has no word for it.
  never("always refused", null, (answer) => ({
    answer: { ...answer, stop: "refusal", calls: [], text: "I cannot." },
  })),
  never("always the same call", "loop", (answer) => ({ answer: { ...answer, calls: [call("ls", { path: "." })] } })),
  never("always two calls in turn", "loop", (answer, { asked }) => ({
    answer: { ...answer, calls: [asked % 2 === 0 ? call("ls", { path: "." }) : call("grep", { pattern: "x" })] },
  })),
  never("always another look", "max-turns", (answer, { asked }) => ({
    answer: { ...answer, calls: [call("grep", { pattern: `word${asked}` })] },
  })),
  never("always a false done", "no-change", (answer) => ({ answer: { ...answer, calls: [finishOf("done")] } })),
  never("blocked", "blocked", (answer) => ({ answer: { ...answer, calls: [finishOf("blocked")] } })),
  never("always 500", null, (answer) => ({ answer, trouble: status(500, "api_error", { "retry-after": "0" }) })),
  never("no money", null, (answer) => ({ answer, trouble: status(402, "billing_error") })),
  never("a wrong key", null, (answer) => ({ answer, trouble: status(401, "authentication_error") })),
  never("always silent", null, (answer) => ({ answer, trouble: { kind: "silence", at: "start" } })),
  never("always cut off in the middle", null, (answer) => ({ answer, trouble: { kind: "death", at: "half" } })),
  never("always too long", null, (answer, { heard }) => ({ answer, trouble: overflow(heard.tokens, 1_000) })),
];
