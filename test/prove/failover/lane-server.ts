import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Answer, Wire } from "../agent/answers.ts";
import { type Heard, listen } from "../agent/listen.ts";
import { errorFrame, outputTokens, speak } from "../agent/speak.ts";
import { type Act, framesBefore, harmed, heartbeat } from "./act.ts";

/** What only this lane may ever see: each a word that is found wherever it leaks. */
export interface Secrets {
  readonly key: string;
  /** Signs reasoning, is its id, its encrypted form, and the name of a response. */
  readonly signature: string;
  /** A word of its reasoning. */
  readonly thought: string;
}

/** One request, and what became of it. */
export interface Taken {
  /** Milliseconds of the proof's clock. */
  readonly at: number;
  /** Method, path, headers and body, as they came. */
  readonly raw: string;
  readonly act: Act["kind"];
  readonly faults: readonly string[];
  /** What was sent with the wire's own end to it; null: no whole answer was. */
  readonly whole: Answer | null;
  /** What this server bills for: reported with a whole answer, its own reckoning of what it sent else. */
  readonly bill: { readonly input: number; readonly output: number };
}

/** A provider of one lane. */
export interface LaneServer {
  readonly url: string;
  readonly taken: readonly Taken[];
  close(): Promise<void>;
}

/** What a lane's server is told. */
export interface LaneServerOptions {
  readonly wire: Wire;
  readonly secrets: Secrets;
  /** The model behind it. */
  readonly answer: (heard: Heard) => Answer;
  /** What it does with its nth request, from 0. */
  readonly act: (nth: number) => Act;
}

/** Starts it. What a strict provider would refuse, a prefilled answer among it, is refused. */
export async function startLaneServer(options: LaneServerOptions): Promise<LaneServer> {
  const taken: Taken[] = [];
  const server = createServer((request, response) => {
    response.on("error", () => undefined);
    take(options, taken, request, response).catch(() => void response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    taken,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const JSON_TYPE = { "content-type": "application/json" };

async function take(
  options: LaneServerOptions,
  taken: Taken[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const at = performance.now();
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  const body = Buffer.concat(pieces).toString();
  // Whoever asks for a count of tokens is told that there is none.
  if (!/\/(messages|responses|chat\/completions|chat)$/.test(request.url ?? ""))
    return void response.writeHead(404, JSON_TYPE).end('{"error":{"message":"not here","type":"not_found_error"}}');
  const heard = listen(options.wire, body);
  const raw = [`${request.method} ${request.url}`, JSON.stringify(request.headers), body].join("\n");
  const act: Act = heard.faults.length > 0 ? invalid(heard.faults) : options.act(taken.length);
  const answer = { ...options.answer(heard), reasoning: `Hm, says ${options.secrets.thought}.` };
  const said = { answer, model: heard.model, number: taken.length + 1, inputTokens: heard.tokens };
  const { contentType, frames } = speak(options.wire, said);
  const marked = frames.map((frame) => withMarks(frame, options.secrets));
  const isWhole = act.kind === "whole";
  const whole = { input: heard.tokens, output: outputTokens(answer) };
  const bill = isWhole ? whole : billOf(act, options.wire, whole, marked);
  taken.push({ at, raw, act: act.kind, faults: heard.faults, whole: isWhole ? answer : null, bill });
  await perform(act, { wire: options.wire, contentType, frames: marked, response, request });
}

function invalid(faults: readonly string[]): Act {
  const error = { type: "invalid_request_error", message: faults.join("; ") };
  return { kind: "status", status: 400, body: JSON.stringify({ type: "error", error }) };
}

/** Opaque words of this lane in the places of those that `speak` has for all. */
function withMarks(frame: string, { signature }: Secrets): string {
  return frame
    .replaceAll('"c2lnbmVk"', `"${signature}"`)
    .replaceAll('"ZW5j"', `"${signature}"`)
    .replaceAll(/"(rs|resp|msg|chatcmpl)(_|-)(\d+)"/g, `"$1_${signature}_$3"`);
}

/** Nothing for what it refused; input, and output by four characters to a token, for what it had begun to do. */
function billOf(act: Act, wire: Wire, whole: Taken["bill"], frames: readonly string[]): Taken["bill"] {
  const isBegun = act.kind === "silence" || act.kind === "cut" || act.kind === "heartbeats" || act.kind === "reset";
  const place = "at" in act ? act.at : act.kind === "garbage" ? "middle" : "announced";
  const hasContent = place === "middle" || place === "end";
  if (!isBegun && !hasContent) return { input: 0, output: 0 };
  const sent = frames.slice(framesBefore("announced", wire, frames.length), framesBefore(place, wire, frames.length));
  const words = sent.flatMap(
    (frame) =>
      frame.match(
        /"(?:text|delta|thinking|partial_json|content|arguments|reasoning_content)":"((?:[^"\\]|\\.)*)"/,
      )?.[1] ?? [],
  );
  const output = hasContent ? Math.min(whole.output, Math.ceil(words.join("").length / 4)) : 0;
  return { input: whole.input, output };
}

interface Stage {
  readonly wire: Wire;
  readonly contentType: string;
  readonly frames: readonly string[];
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

async function perform(act: Act, stage: Stage): Promise<void> {
  const { wire, frames, response } = stage;
  switch (act.kind) {
    case "status":
      return void response.writeHead(act.status, { ...JSON_TYPE, ...act.headers }).end(act.body);
    case "body":
      return void response.writeHead(200, { "content-type": act.type }).end(act.body);
    case "reset":
      return void stage.request.socket.resetAndDestroy();
    case "whole": {
      begin(stage);
      if (act.pauseMs !== undefined) await new Promise((resolve) => setTimeout(resolve, act.pauseMs));
      await written(response, frames.slice(0, act.doneless && wire === "openai-chat" ? -1 : undefined));
      return act.open ? undefined : void response.end();
    }
    case "silence":
      return showUpTo(act.at, stage);
    case "cut":
      await showUpTo(act.at, stage);
      return act.how === "fin" ? void response.end() : void stage.request.socket.resetAndDestroy();
    case "error":
      await showUpTo(act.at, stage);
      return void response.end(errorFrame(wire));
    case "garbage": {
      begin(stage);
      const half = framesBefore("middle", wire, frames.length);
      await written(
        response,
        frames.map((frame, index) => (index === half ? harmed(frame, act.how, wire) : frame)),
      );
      return void response.end();
    }
    case "heartbeats": {
      await showUpTo("announced", stage);
      const beat = setInterval(() => response.write(heartbeat(wire)), 100);
      response.once("close", () => clearInterval(beat));
    }
  }
}

function begin({ response, contentType }: Stage): void {
  response.socket?.setNoDelay(true);
  response.writeHead(200, { "content-type": contentType });
  response.flushHeaders();
}

async function showUpTo(place: Extract<Act, { at: unknown }>["at"], stage: Stage): Promise<void> {
  if (place === "request") return;
  begin(stage);
  await written(stage.response, stage.frames.slice(0, framesBefore(place, stage.wire, stage.frames.length)));
}

async function written(response: ServerResponse, frames: readonly string[]): Promise<void> {
  if (frames.length > 0) await new Promise((resolve) => response.write(frames.join(""), resolve));
  await new Promise((resolve) => setImmediate(resolve));
}
