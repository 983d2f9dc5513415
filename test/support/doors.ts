import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";

/** One request as it came over the wire, and what was answered. */
export interface Exchange {
  /** The door that it came through. */
  readonly door: string;
  readonly path: string;
  /** With the keys in them: aimock's own journal blanks them. */
  readonly headers: IncomingHttpHeaders;
  readonly body: RequestBody;
  readonly status: number;
  /** True once the last byte of the answer was written. */
  isAnswered: boolean;
}

/** What the four wires have in common. */
export interface RequestBody {
  readonly model: string;
  readonly messages?: readonly Item[];
  readonly input?: readonly Item[];
  readonly options?: Readonly<Record<string, number>>;
}

interface Item {
  readonly role?: string;
  readonly type?: string;
}

/** `asked`: before anything is answered. `answering`: a part of the answer is out. `answered`: all of it is. */
export type Moment = "asked" | "answering" | "answered";

/** What a door answers itself, instead of asking behind it. */
export interface Refusal {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
  /** The connection is cut after the body. */
  readonly cut?: boolean;
}

export interface DoorOptions {
  readonly watch?: (exchange: Exchange, moment: Moment) => void;
  /** Null: the request goes through. */
  readonly refuse?: (door: string, earlier: readonly Exchange[]) => Refusal | null;
  /** What becomes of an answer's text on its way out. */
  readonly rewrite?: (door: string, answer: string) => string;
}

/** An address of its own for each lane, in front of one server behind: each sees all that goes through it. */
export interface Doors {
  /** `http://127.0.0.1:PORT`. */
  url(door: string): string;
  readonly exchanges: readonly Exchange[];
  close(): Promise<void>;
}

export async function openDoors(behind: string, names: readonly string[], options: DoorOptions = {}): Promise<Doors> {
  const exchanges: Exchange[] = [];
  const servers: Server[] = [];
  const urls = new Map<string, string>();
  for (const door of names) {
    const server = createServer((request, response) => {
      response.on("error", () => undefined);
      pass({ door, behind, exchanges, options }, request, response).catch(() => response.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    servers.push(server);
    urls.set(door, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  }
  return {
    url: (door) => urls.get(door) ?? "",
    exchanges,
    async close() {
      for (const server of servers) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };
}

/** Which model call a request is: the model and the turn of its conversation, from 1. */
export function callOf({ body }: Exchange): string {
  return `${body.model} ${turnOf(body)}`;
}

interface Passage {
  readonly door: string;
  readonly behind: string;
  readonly exchanges: Exchange[];
  readonly options: DoorOptions;
}

async function pass(passage: Passage, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { door, exchanges, options } = passage;
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  const text = Buffer.concat(pieces).toString();
  const refusal = options.refuse?.(door, exchanges) ?? null;
  const exchange = { door, path: request.url ?? "", headers: request.headers, body: JSON.parse(text) as RequestBody };
  const kept: Exchange & { status: number } = { ...exchange, status: refusal?.status ?? 0, isAnswered: false };
  exchanges.push(kept);
  options.watch?.(kept, "asked");
  if (refusal) return refuse(refusal, response);
  const answer = await fetch(`${passage.behind}${kept.path}`, { method: "POST", headers: JSON_ONLY, body: text });
  kept.status = answer.status;
  response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" });
  const whole = await answer.text();
  const out = options.rewrite?.(door, whole) ?? whole;
  const half = Math.floor(out.length / 2);
  await written(response, out.slice(0, half));
  options.watch?.(kept, "answering");
  await written(response, out.slice(half));
  await new Promise<void>((resolve) => response.end(resolve));
  kept.isAnswered = true;
  options.watch?.(kept, "answered");
}

const JSON_ONLY = { "content-type": "application/json" };

async function refuse({ status, headers, body, cut }: Refusal, response: ServerResponse): Promise<void> {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  await written(response, body);
  if (cut) response.destroy();
  else response.end();
}

/** Rejects when the other side has gone. */
function written(response: ServerResponse, text: string): Promise<void> {
  return new Promise((resolve, reject) => response.write(text, (error) => (error ? reject(error) : resolve())));
}

/** The Responses wire has an item for each tool call: those of one answer stand beside each other. */
function turnOf({ messages, input }: RequestBody): number {
  const items = messages ?? input ?? [];
  const isAnswer = (item: Item | undefined) =>
    item?.role === "assistant" || item?.type === "function_call" || item?.type === "reasoning";
  return items.filter((item, index) => isAnswer(item) && !isAnswer(items[index - 1])).length + 1;
}
