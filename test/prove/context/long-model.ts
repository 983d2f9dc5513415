import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { loadO200k } from "../../../src/providers/o200k.ts";

/** What a model does in one turn. */
export interface LongTurn {
  readonly say: string;
  readonly calls: readonly { readonly tool: string; readonly args: unknown }[];
}

/** What was asked of the model in all. */
export interface Asked {
  /** Requests that were answered, those for a summary among them. */
  readonly answered: number;
  readonly summaries: number;
  /** Requests that were refused, for they were longer than the window. */
  readonly refused: number;
  /** Input tokens of all that were answered, and of the longest request that came. */
  readonly tokens: number;
  readonly longest: number;
  /** The first turn whose request was longer than so many tokens; null: none was. */
  firstAbove(tokens: number): number | null;
}

interface ChatBody {
  readonly messages: readonly { readonly role: string; readonly content: unknown }[];
  readonly tools?: unknown;
}

const SUMMARY = "## Decisions\nThe pages are read in their order.\n## Next\nGo on with the next page.";

/**
 * A model server of our own on the chat wire: it plays its turns one after the other, whatever it is sent, counts what it
 * is sent with a real tokenizer, and refuses, as the real ones do, what does not fit its window.
 */
export async function longModel(
  turns: readonly LongTurn[],
  window: number,
): Promise<{ readonly url: string; readonly asked: Asked }> {
  const count = await memoised();
  const lengths: number[] = [];
  const sums = { answered: 0, summaries: 0, refused: 0, tokens: 0 };
  let turn = 0;
  const answer = (body: ChatBody, response: ServerResponse) => {
    const tokens = [...body.messages, body.tools ?? null].reduce<number>(
      (sum, piece) => sum + 4 + count(JSON.stringify(piece)),
      0,
    );
    const isAside = String(body.messages.at(-1)?.content).startsWith("This conversation is becoming too long");
    if (!isAside) lengths[turn] = Math.max(lengths[turn] ?? 0, tokens);
    if (tokens > window) {
      sums.refused += 1;
      const message = `This model's maximum context length is ${window} tokens. However, your messages resulted in ${tokens} tokens.`;
      response.writeHead(400, { "content-type": "application/json" });
      return void response.end(JSON.stringify({ error: { message, code: "context_length_exceeded" } }));
    }
    sums.answered += 1;
    sums.tokens += tokens;
    if (isAside) sums.summaries += 1;
    const played = isAside ? { say: SUMMARY, calls: [] } : (turns[turn] ?? { say: "", calls: [] });
    stream(response, played, { id: `t${turn}`, tokens });
    if (!isAside) turn += 1;
  };
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece);
    answer(JSON.parse(Buffer.concat(pieces).toString()), response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const asked: Asked = {
    get answered() {
      return sums.answered;
    },
    get summaries() {
      return sums.summaries;
    },
    get refused() {
      return sums.refused;
    },
    get tokens() {
      return sums.tokens;
    },
    get longest() {
      return Math.max(...lengths);
    },
    firstAbove(most) {
      const at = lengths.findIndex((length) => length > most);
      return at < 0 ? null : at + 1;
    },
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, asked };
}

/** What is sent once is sent again in each turn after it. */
async function memoised(): Promise<(text: string) => number> {
  const count = await loadO200k();
  const known = new Map<string, number>();
  return (text) => {
    const tokens = known.get(text) ?? count(text);
    known.set(text, tokens);
    return tokens;
  };
}

function stream(
  response: ServerResponse,
  { say, calls }: LongTurn,
  { id, tokens }: { readonly id: string; readonly tokens: number },
) {
  const chunk = (delta: object, finish: string | null = null) =>
    `data: ${JSON.stringify({ id, object: "chat.completion.chunk", model: "long", choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
  const toolCalls = calls.map(({ tool, args }, index) => ({
    index,
    id: `${id}_${index}`,
    type: "function",
    function: { name: tool, arguments: JSON.stringify(args) },
  }));
  const usage = { prompt_tokens: tokens, completion_tokens: 50, total_tokens: tokens + 50 };
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write(chunk({ role: "assistant", content: say }));
  if (toolCalls.length > 0) response.write(chunk({ tool_calls: toolCalls }));
  response.write(chunk({}, calls.length > 0 ? "tool_calls" : "stop"));
  response.write(
    `data: ${JSON.stringify({ id, object: "chat.completion.chunk", model: "long", choices: [], usage })}\n\n`,
  );
  response.end("data: [DONE]\n\n");
}
