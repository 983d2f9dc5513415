import type { Wire } from "./answers.ts";

/** One message of a request, in no wire's dialect. */
export type HeardMessage =
  | { readonly role: "user"; readonly text: string }
  | { readonly role: "assistant"; readonly text: string; readonly calls: readonly HeardCall[] }
  /** `isError`: null on wires that do not say. */
  | { readonly role: "tool"; readonly id: string; readonly text: string; readonly isError: boolean | null };

interface HeardCall {
  readonly id: string;
  readonly name: string;
  /** JSON text. */
  readonly args: string;
}

/** A request as a model hears it. */
export interface Heard {
  readonly model: string;
  readonly system: string;
  readonly tools: readonly string[];
  readonly messages: readonly HeardMessage[];
  /** Results of the last answer's calls, in their order. */
  readonly results: readonly Extract<HeardMessage, { role: "tool" }>[];
  readonly maxTokens: number;
  /** By the rule of thumb of four bytes to a token, of the whole body. */
  readonly tokens: number;
  /** Bytes of the body. */
  readonly bytes: number;
  /** What a strict provider would refuse. */
  readonly faults: readonly string[];
}

/** Reads a request, and holds it against what strict providers demand. */
export function listen(wire: Wire, body: string): Heard {
  const raw = JSON.parse(body) as Raw;
  const { system, tools, messages, maxTokens } = READERS[wire](raw);
  const lastAnswer = messages.findLastIndex(({ role }) => role === "assistant");
  return {
    model: raw.model,
    system,
    tools,
    messages,
    results: messages.slice(lastAnswer + 1).filter((message) => message.role === "tool"),
    maxTokens,
    tokens: Math.ceil(Buffer.byteLength(body) / 4),
    bytes: Buffer.byteLength(body),
    faults: [...faultsOf(wire, messages), ...rawFaults(wire, raw)],
  };
}

interface Raw {
  readonly model: string;
  readonly system?: readonly { readonly text: string }[] | string;
  readonly instructions?: string;
  readonly tools?: readonly { readonly name?: string; readonly function?: { readonly name: string } }[];
  readonly messages?: readonly RawMessage[];
  readonly input?: readonly RawItem[];
  readonly max_tokens?: number;
  readonly max_completion_tokens?: number;
  readonly max_output_tokens?: number;
  readonly options?: { readonly num_predict?: number };
}

interface RawMessage {
  readonly role: "system" | "user" | "assistant" | "tool";
  readonly content: string | null | readonly RawBlock[];
  readonly tool_call_id?: string;
  readonly tool_name?: string;
  readonly tool_calls?: readonly {
    readonly id?: string;
    readonly function: { readonly name: string; readonly arguments?: unknown };
  }[];
}

interface RawBlock {
  readonly type: string;
  readonly text?: string;
  readonly id?: string;
  readonly name?: string;
  readonly input?: unknown;
  readonly tool_use_id?: string;
  readonly content?: string | readonly RawBlock[];
  readonly is_error?: boolean;
}

interface RawItem {
  readonly type?: string;
  readonly role?: "user" | "assistant";
  readonly content?: string | readonly RawBlock[];
  readonly call_id?: string;
  readonly name?: string;
  readonly arguments?: string;
  readonly output?: string;
}

type Read = Pick<Heard, "system" | "tools" | "messages" | "maxTokens">;

const READERS: Readonly<Record<Wire, (raw: Raw) => Read>> = {
  "anthropic-messages": (raw) => ({
    system: textOf(raw.system ?? ""),
    tools: toolsOf(raw),
    messages: (raw.messages ?? []).flatMap(anthropicMessages),
    maxTokens: raw.max_tokens ?? 0,
  }),
  "openai-responses": (raw) => ({
    system: raw.instructions ?? "",
    tools: toolsOf(raw),
    messages: responsesMessages(raw.input ?? []),
    maxTokens: raw.max_output_tokens ?? 0,
  }),
  "openai-chat": (raw) => ({
    ...chatMessages(raw),
    maxTokens: raw.max_tokens ?? raw.max_completion_tokens ?? 0,
  }),
  "ollama-chat": (raw) => ({ ...chatMessages(raw), maxTokens: raw.options?.num_predict ?? 0 }),
};

function toolsOf({ tools = [] }: Raw): readonly string[] {
  return tools.map((tool) => tool.function?.name ?? tool.name ?? "");
}

function textOf(content: string | null | readonly { readonly text?: string }[] | undefined): string {
  return typeof content === "string" ? content : (content ?? []).map(({ text = "" }) => text).join("");
}

function anthropicMessages({ role, content }: RawMessage): readonly HeardMessage[] {
  const blocks = typeof content === "string" ? [{ type: "text", text: content }] : (content ?? []);
  if (role === "assistant") {
    const calls = blocks
      .filter(({ type }) => type === "tool_use")
      .map(({ id = "", name = "", input = {} }) => ({ id, name, args: JSON.stringify(input) }));
    return [{ role, text: textOf(blocks.filter(({ type }) => type === "text")), calls }];
  }
  return blocks.map((block) =>
    block.type === "tool_result"
      ? { role: "tool", id: block.tool_use_id ?? "", text: textOf(block.content), isError: block.is_error ?? false }
      : { role: "user", text: block.text ?? "" },
  );
}

function responsesMessages(items: readonly RawItem[]): readonly HeardMessage[] {
  const messages: HeardMessage[] = [];
  for (const item of items) {
    const last = messages.at(-1);
    if (item.type === "function_call_output")
      messages.push({ role: "tool", id: item.call_id ?? "", text: item.output ?? "", isError: null });
    else if (item.type === "function_call" || item.role === "assistant" || item.type === "reasoning") {
      const known = last?.role === "assistant" ? last : { role: "assistant" as const, text: "", calls: [] };
      if (last?.role === "assistant") messages.pop();
      const calls =
        item.type === "function_call"
          ? [{ id: item.call_id ?? "", name: item.name ?? "", args: item.arguments ?? "" }]
          : [];
      messages.push({ ...known, text: known.text + textOf(item.content), calls: [...known.calls, ...calls] });
    } else messages.push({ role: "user", text: textOf(item.content) });
  }
  return messages;
}

function chatMessages(raw: Raw): Omit<Read, "maxTokens"> {
  const all = raw.messages ?? [];
  // Ollama knows no ids: the n-th result after an answer is that of its n-th call.
  let [answer, result] = [0, 0];
  const messages = all.flatMap((message): readonly HeardMessage[] => {
    switch (message.role) {
      case "system":
        return [];
      case "user":
        return [{ role: "user", text: textOf(message.content) }];
      case "assistant": {
        [answer, result] = [answer + 1, 0];
        const calls = (message.tool_calls ?? []).map(({ id, function: { name, arguments: args } }, index) => ({
          id: id ?? `${answer}.${index}`,
          name,
          args: typeof args === "string" ? args : JSON.stringify(args ?? {}),
        }));
        return [{ role: "assistant", text: textOf(message.content), calls }];
      }
      default: {
        const id = message.tool_call_id ?? `${answer}.${result}`;
        result += 1;
        return [{ role: "tool", id, text: textOf(message.content), isError: null }];
      }
    }
  });
  const system = all.filter(({ role }) => role === "system").map(({ content }) => textOf(content));
  return { system: system.join("\n"), tools: toolsOf(raw), messages };
}

/** Every call has its one result right behind it, no result is without a call, nothing is empty, no id comes twice. */
function faultsOf(wire: Wire, messages: readonly HeardMessage[]): readonly string[] {
  const faults: string[] = [];
  const seen = new Set<string>();
  for (const [index, message] of messages.entries()) {
    if (message.role === "assistant") faults.push(...answerFaults(wire, messages, index, seen));
    if (message.role === "user" && message.text.trim() === "") faults.push("an empty message of the user");
    if (message.role === "tool" && message.text === "") faults.push("an empty result");
    if (message.role === "tool" && !callsBefore(messages, index).includes(message.id))
      faults.push(`a result without its call: ${message.id}`);
  }
  if (messages[0]?.role !== "user") faults.push("the first message is not the user's");
  if (messages.at(-1)?.role === "assistant") faults.push("the last message is the model's own");
  return faults;
}

function answerFaults(
  wire: Wire,
  messages: readonly HeardMessage[],
  index: number,
  seen: Set<string>,
): readonly string[] {
  const message = messages[index];
  if (message?.role !== "assistant") return [];
  const next = messages.findIndex(({ role }, at) => at > index && role !== "tool");
  const results = messages
    .slice(index + 1, next < 0 ? undefined : next)
    .flatMap((result) => (result.role === "tool" ? [result.id] : []));
  const ids = message.calls.map(({ id }) => id);
  const faults = ids.filter((id) => results.filter((result) => result === id).length !== 1);
  const twice = ids.filter((id) => seen.has(id) || !seen.add(id));
  return [
    ...faults.map((id) => `a call has not exactly one result: ${id}`),
    ...(results.join() === ids.join() ? [] : ["results are not in the order of their calls"]),
    ...twice.map((id) => `an id was used twice: ${id}`),
    ...message.calls
      .filter(({ name }) => !/^[a-zA-Z0-9_-]{1,64}$/.test(name))
      .map(({ name }) => `a tool's name that no API takes: ${name}`),
    ...(message.calls.length === 0 && message.text.trim() === "" && wire !== "openai-responses"
      ? ["an empty answer"]
      : []),
  ];
}

function callsBefore(messages: readonly HeardMessage[], index: number): readonly string[] {
  const answer = messages.slice(0, index).findLast(({ role }) => role === "assistant");
  return answer?.role === "assistant" ? answer.calls.map(({ id }) => id) : [];
}

/** What only the wire itself can tell. */
function rawFaults(wire: Wire, raw: Raw): readonly string[] {
  const faults: string[] = [];
  if (wire === "anthropic-messages") {
    const roles = (raw.messages ?? []).map(({ role }) => role);
    if (roles.some((role, index) => role === roles[index - 1])) faults.push("two messages of one role in a row");
    if ((JSON.stringify(raw).match(/"cache_control"/g) ?? []).length > 4)
      faults.push("more than four cache breakpoints");
  }
  const texts = [
    ...(raw.messages ?? []).flatMap(({ tool_calls: calls = [] }) => calls.map((one) => one.function.arguments)),
    ...(raw.input ?? []).map((item) => item.arguments),
  ];
  for (const text of texts) {
    if (typeof text === "string" && !isObjectText(text)) faults.push("arguments that are no JSON object");
  }
  return faults;
}

function isObjectText(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === "object" && !Array.isArray(value);
  } catch {
    return false;
  }
}
