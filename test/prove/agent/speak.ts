import type { Answer, SaidCall, Wire } from "./answers.ts";

/** An answer in a wire's own frames, in their order: the first begins it, the last ends it. */
export interface Frames {
  readonly contentType: string;
  readonly frames: readonly string[];
}

/** What a frame is made from besides the answer. */
export interface Spoken {
  readonly answer: Answer;
  readonly model: string;
  /** Names this answer among all of its run: ids of calls are made from it. */
  readonly number: number;
  readonly inputTokens: number;
  /** The pieces that its text comes in; missing: a dozen. */
  readonly text?: readonly string[];
}

/** Says an answer as the wire does. Text and arguments come in several pieces. */
export function speak(wire: Wire, spoken: Spoken): Frames {
  const payloads = DIALECTS[wire](spoken);
  if (wire === "ollama-chat")
    return { contentType: "application/x-ndjson", frames: payloads.map((one) => `${JSON.stringify(one)}\n`) };
  const frames = payloads.map((one) => sse(wire, one));
  return {
    contentType: "text/event-stream",
    frames: wire === "openai-chat" ? [...frames, "data: [DONE]\n\n"] : frames,
  };
}

/** An answer of so many tokens, each in a frame of its own; no two words in a row are the same. */
export function speakTokens(wire: Wire, count: number): Frames {
  const text = Array.from({ length: count }, (_, index) => `w${index} `);
  return speak(wire, {
    answer: { move: "look", text: text.join(""), calls: [] },
    model: "m",
    number: 1,
    inputTokens: 1,
    text,
  });
}

/** The provider's own word for a server that is too busy, in the middle of a stream. */
export function errorFrame(wire: Wire): string {
  const error = { type: "overloaded_error", message: "Overloaded" };
  switch (wire) {
    case "anthropic-messages":
      return sse(wire, { type: "error", error });
    case "openai-responses":
      return sse(wire, { type: "error", code: "server_error", message: "The model is overloaded" });
    case "openai-chat":
      return sse(wire, { error: { ...error, code: 529 } });
    case "ollama-chat":
      return `${JSON.stringify({ error: "the model is overloaded" })}\n`;
  }
}

/** A frame that is no JSON. */
export function garbageFrame(wire: Wire): string {
  return wire === "ollama-chat" ? '{"message":{"content"\n' : 'data: {"type":"content_block_de\n\n';
}

const DIALECTS: Readonly<Record<Wire, (spoken: Spoken) => readonly object[]>> = {
  "anthropic-messages": anthropic,
  "openai-responses": responses,
  "openai-chat": chat,
  "ollama-chat": ollama,
};

function anthropic({ answer, model, number, inputTokens, text }: Spoken): readonly object[] {
  const blocks = [
    ...(answer.reasoning === undefined
      ? []
      : [
          {
            start: { type: "thinking", thinking: "", signature: "" },
            deltas: [
              ...pieces(answer.reasoning).map((thinking) => ({ type: "thinking_delta", thinking })),
              { type: "signature_delta", signature: "c2lnbmVk" },
            ],
          },
        ]),
    ...(answer.text === undefined
      ? []
      : [
          {
            start: { type: "text", text: "" },
            deltas: (text ?? pieces(answer.text)).map((one) => ({ type: "text_delta", text: one })),
          },
        ]),
    ...answer.calls.map((one, index) => ({
      start: { type: "tool_use", id: idOf(one, number, index), name: one.tool, input: {} },
      deltas: pieces(one.args).map((partial_json) => ({ type: "input_json_delta", partial_json })),
    })),
  ];
  const usage = { input_tokens: inputTokens, cache_read_input_tokens: 0, cache_creation_input_tokens: 0 };
  return [
    {
      type: "message_start",
      message: { id: `msg_${number}`, model, content: [], usage: { ...usage, output_tokens: 1 } },
    },
    ...blocks.flatMap(({ start, deltas }, index) => [
      { type: "content_block_start", index, content_block: start },
      ...deltas.map((delta) => ({ type: "content_block_delta", index, delta })),
      { type: "content_block_stop", index },
    ]),
    {
      type: "message_delta",
      delta: { stop_reason: stopWord("anthropic-messages", answer), stop_sequence: null },
      usage: { ...usage, output_tokens: outputTokens(answer) },
    },
    { type: "message_stop" },
  ];
}

function responses({ answer, model, number, inputTokens, text }: Spoken): readonly object[] {
  const items = [
    ...(answer.reasoning === undefined ? [] : [reasoningItem(answer.reasoning, number)]),
    ...(answer.text === undefined ? [] : [messageItem(answer.text, text)]),
    ...answer.calls.map((one, index) => callItem(one, idOf(one, number, index))),
  ];
  const stop = answer.stop === "length" ? "max_output_tokens" : answer.stop === "refusal" ? "content_filter" : null;
  const response = {
    id: `resp_${number}`,
    model,
    error: null,
    output: [],
    ...(stop === null ? {} : { incomplete_details: { reason: stop } }),
    usage: { input_tokens: inputTokens, output_tokens: outputTokens(answer) },
  };
  return [
    { type: "response.created", response: { model, error: null, output: [], usage: null } },
    ...items.flatMap((item, output_index) => item.map((event) => ({ ...event, output_index }))),
    { type: stop === null ? "response.completed" : "response.incomplete", response },
  ];
}

function reasoningItem(text: string, number: number): readonly object[] {
  const item = { type: "reasoning", id: `rs_${number}`, summary: [] };
  return [
    { type: "response.output_item.added", item },
    ...pieces(text).map((delta) => ({ type: "response.reasoning_summary_text.delta", summary_index: 0, delta })),
    { type: "response.output_item.done", item: { ...item, encrypted_content: "ZW5j" } },
  ];
}

function messageItem(text: string, said = pieces(text)): readonly object[] {
  return [
    { type: "response.output_item.added", item: { type: "message", content: [] } },
    ...said.map((delta) => ({ type: "response.output_text.delta", delta })),
    { type: "response.output_item.done", item: { type: "message", content: [{ type: "output_text", text }] } },
  ];
}

function callItem({ tool, args }: SaidCall, id: string): readonly object[] {
  const item = { type: "function_call", id: `fc_${id}`, call_id: id, name: tool };
  return [
    { type: "response.output_item.added", item: { ...item, arguments: "" } },
    ...pieces(args).map((delta) => ({ type: "response.function_call_arguments.delta", delta })),
    { type: "response.output_item.done", item: { ...item, arguments: args } },
  ];
}

function chat({ answer, model, number, inputTokens, text }: Spoken): readonly object[] {
  const chunk = (delta: object, finish: string | null = null) => ({
    id: `chatcmpl-${number}`,
    model,
    choices: [{ index: 0, delta, finish_reason: finish }],
  });
  return [
    chunk({ role: "assistant", content: "" }),
    ...pieces(answer.reasoning ?? "").map((reasoning_content) => chunk({ reasoning_content })),
    ...(text ?? pieces(answer.text ?? "")).map((content) => chunk({ content })),
    ...answer.calls.flatMap((one, index) => [
      chunk({
        tool_calls: [
          { index, id: idOf(one, number, index), type: "function", function: { name: one.tool, arguments: "" } },
        ],
      }),
      ...pieces(one.args).map((args) => chunk({ tool_calls: [{ index, function: { arguments: args } }] })),
    ]),
    chunk({}, stopWord("openai-chat", answer)),
    { model, choices: [], usage: { prompt_tokens: inputTokens, completion_tokens: outputTokens(answer) } },
  ];
}

function ollama({ answer, model, inputTokens, text }: Spoken): readonly object[] {
  const line = (message: object) => ({ model, message: { role: "assistant", content: "", ...message }, done: false });
  return [
    line({}),
    ...pieces(answer.reasoning ?? "").map((thinking) => line({ thinking })),
    ...(text ?? pieces(answer.text ?? "")).map((content) => line({ content })),
    ...answer.calls.map((one) => line({ tool_calls: [{ function: { name: one.tool, arguments: parsed(one.args) } }] })),
    {
      model,
      message: { role: "assistant", content: "" },
      done: true,
      done_reason: stopWord("ollama-chat", answer),
      prompt_eval_count: inputTokens,
      eval_count: outputTokens(answer),
    },
  ];
}

const STOP_WORDS: Readonly<Record<Wire, Readonly<Record<"end" | "calls" | "length" | "refusal" | "unknown", string>>>> =
  {
    "anthropic-messages": {
      end: "end_turn",
      calls: "tool_use",
      length: "max_tokens",
      refusal: "refusal",
      unknown: "a_reason_of_next_year",
    },
    "openai-responses": { end: "", calls: "", length: "", refusal: "", unknown: "" },
    "openai-chat": {
      end: "stop",
      calls: "tool_calls",
      length: "length",
      refusal: "content_filter",
      unknown: "a_reason_of_next_year",
    },
    "ollama-chat": {
      end: "stop",
      calls: "stop",
      length: "length",
      refusal: "stop",
      unknown: "a_reason_of_next_year",
    },
  };

function stopWord(wire: Wire, answer: Answer): string {
  return STOP_WORDS[wire][answer.stop ?? (answer.calls.length > 0 ? "calls" : "end")];
}

function idOf(one: SaidCall, number: number, index: number): string {
  return one.id ?? `call_${number}_${index}`;
}

/** Ollama gives arguments as an object; a server that could not read them passes the text on. */
function parsed(args: string): unknown {
  try {
    return JSON.parse(args);
  } catch {
    return args;
  }
}

/** In the middle of a character too, where it has two halves: JSON text takes that. */
function pieces(text: string): readonly string[] {
  const size = Math.max(7, Math.ceil(text.length / 12));
  return Array.from({ length: Math.ceil(text.length / size) }, (_, index) =>
    text.slice(index * size, (index + 1) * size),
  );
}

/** What the wire reports of an answer: its characters by the rule of thumb of four to a token. */
export function outputTokens({ text = "", reasoning = "", calls }: Answer): number {
  const said = [text, reasoning, ...calls.map(({ tool, args }) => tool + args)].join("");
  return Math.ceil(said.length / 4) + 1;
}

function sse(wire: Wire, payload: object): string {
  const name = wire === "openai-chat" ? "" : `event: ${(payload as { readonly type?: string }).type}\n`;
  return `${name}data: ${JSON.stringify(payload)}\n\n`;
}
