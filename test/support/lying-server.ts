import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { loadO200k } from "../../src/providers/o200k.ts";
import { PARAGRAPH } from "./prose.ts";

/** What a call has really used, by the server's own count. */
export interface Truth {
  readonly input: number;
  readonly output: number;
}

/** What the server answers to a question, and what it says of it. */
export interface Lie {
  /** What is said; null: it goes on until nobody listens any more. */
  readonly text: string | null;
  readonly calls?: readonly { readonly tool: string; readonly args: unknown }[];
  /** What it reports, and bills where it is more than the truth. Null: nothing at all. */
  readonly report: (truth: Truth, maxTokens: number) => Truth | null;
}

/** A question as it came. */
export interface Question {
  readonly model: string;
  readonly maxTokens: number;
  readonly truth: Truth;
  /** What this question is worth at least: the truth as far as it was asked for, or the report where that is more. */
  readonly bill: Truth;
  /** Characters of the answer that were written to the connection. */
  readonly characters: number;
}

/** A server of Anthropic's wire that says of its own usage what a test wants, and keeps the truth beside it. */
export interface LyingServer {
  readonly url: string;
  readonly questions: readonly Question[];
  /** Resolves when it has noticed that nobody listens any more. */
  quiet(): Promise<void>;
}

/**
 * `lies`: by the ordinal of the question in its conversation; the last again and again. `onCount`: when it is asked to
 * count the tokens of a question, before it answers that.
 */
export async function lyingServer(lies: readonly Lie[], onCount = () => {}): Promise<LyingServer> {
  const count = await loadO200k();
  const questions: Question[] = [];
  const answers: Promise<void>[] = [];
  const server = createServer((request, response) => {
    response.on("error", () => undefined);
    answers.push(answer(request, response).catch(() => void response.destroy()));
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece);
    const body = JSON.parse(Buffer.concat(pieces).toString()) as Asked;
    if (request.url?.startsWith("/v1/messages/count_tokens")) {
      onCount();
      response.writeHead(200, { "content-type": "application/json" }).end('{"input_tokens":1}');
      return;
    }
    const { model, max_tokens: maxTokens, messages } = body;
    const turn = messages.filter(({ role }) => role === "assistant").length;
    const lie = lies[Math.min(turn, lies.length - 1)] as Lie;
    const input = count(JSON.stringify([body.system, messages, body.tools]));
    response.writeHead(200, { "content-type": "text/event-stream" });
    const number = questions.push({ model, maxTokens, truth: ZERO, bill: ZERO, characters: 0 }) - 1;
    const said = lie.text === null ? await sayOn(response, lie) : say(response, lie, input, maxTokens);
    const output = lie.text === null ? (said.length / WORDS.length) * count(WORDS) : count(said);
    const report = lie.text === null ? null : lie.report({ input, output }, maxTokens);
    const bill = {
      input: Math.max(input, report?.input ?? 0),
      output: Math.max(Math.min(output, maxTokens), report?.output ?? 0),
    };
    questions[number] = { model, maxTokens, truth: { input, output }, bill, characters: said.length };
  }

  /** The whole answer; returns what a tokenizer would be given. */
  function say(response: ServerResponse, lie: Lie, input: number, maxTokens: number): string {
    const { text = "", calls = [] } = lie;
    const said = [text, ...calls.map(({ tool, args }) => `${tool}${JSON.stringify(args)}`)].join("");
    const report = lie.report({ input, output: count(said) }, maxTokens);
    for (const event of eventsOf(text ?? "", calls, report)) response.write(sse(event));
    response.end();
    return said;
  }

  const quiet = async () => void (await Promise.all(answers));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, questions, quiet };
}

const ZERO: Truth = { input: 0, output: 0 };

interface Asked {
  readonly model: string;
  readonly max_tokens: number;
  readonly system: unknown;
  readonly tools: unknown;
  readonly messages: readonly { readonly role: string }[];
}

/** Speaks until the other side has gone. */
async function sayOn(response: ServerResponse, lie: Lie): Promise<string> {
  const [start, begin] = eventsOf("", [], lie.report(ZERO, 0));
  response.write(sse(start ?? {}) + sse(begin ?? {}));
  const delta = sse({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: WORDS } });
  const closed = new Promise<void>((resolve) => response.once("close", resolve));
  let said = "";
  while (!response.destroyed && said.length < MOST_CHARACTERS) {
    // Of a connection that is gone not every write is told.
    await Promise.race([closed, new Promise<void>((resolve) => response.write(delta, () => resolve()))]);
    // One turn of the loop, in which the other side can hang up.
    await new Promise(setImmediate);
    said += WORDS;
  }
  return said;
}

const WORDS = PARAGRAPH;
/** Far more than any test waits for. */
const MOST_CHARACTERS = 50_000_000;

function eventsOf(text: string, calls: NonNullable<Lie["calls"]>, report: Truth | null): readonly object[] {
  const blocks = calls.flatMap(({ tool, args }, index) => [
    {
      type: "content_block_start",
      index: index + 1,
      content_block: { type: "tool_use", id: `toolu_${index}_${tool}`, name: tool, input: {} },
    },
    {
      type: "content_block_delta",
      index: index + 1,
      delta: { type: "input_json_delta", partial_json: JSON.stringify(args) },
    },
    { type: "content_block_stop", index: index + 1 },
  ]);
  const usage = report === null ? {} : { usage: { input_tokens: report.input, output_tokens: report.output } };
  return [
    {
      type: "message_start",
      message: { model: "m", content: [], ...(report && { usage: { input_tokens: report.input, output_tokens: 1 } }) },
    },
    { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
    { type: "content_block_delta", index: 0, delta: { type: "text_delta", text } },
    { type: "content_block_stop", index: 0 },
    ...blocks,
    { type: "message_delta", delta: { stop_reason: calls.length > 0 ? "tool_use" : "end_turn" }, ...usage },
    { type: "message_stop" },
  ];
}

function sse(event: object): string {
  return `event: ${(event as { type?: string }).type}\ndata: ${JSON.stringify(event)}\n\n`;
}
