import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Lane } from "../../src/core/lane.ts";
import { NO_SPOOL } from "../../src/engine/replay-world.ts";
import { createModels } from "../../src/providers/models.ts";
import { WIRES, type Wire } from "../prove/agent/answers.ts";
import { speakTokens } from "../prove/agent/speak.ts";
import { median } from "./median.ts";
import { aim, row } from "./rows.ts";

const TOKENS = 20_000;
const ROUNDS = 5;
const MOST_US = 20;

/** Microseconds that ccp adds to each streamed token, by wire: beside reading the same bytes and doing nothing. Medians. */
export type TokenFigures = Readonly<Record<Wire, number>>;

/** Each answer is of 20,000 tokens, in an event each. */
export async function measureTokens(): Promise<TokenFigures> {
  const figures: [Wire, number][] = [];
  for (const wire of WIRES) figures.push([wire, await measureWire(wire)]);
  return Object.fromEntries(figures) as TokenFigures;
}

/** The report's lines. */
export function tokenLines(figures: TokenFigures): readonly string[] {
  return [
    `time added to each streamed token, ${TOKENS.toLocaleString("en")} tokens, median of ${ROUNDS}`,
    ...WIRES.map((wire) => {
      const us = figures[wire];
      return row(wire, `${us.toFixed(1)} µs`, aim(`${MOST_US} µs at most`, us <= MOST_US));
    }),
  ];
}

async function measureWire(wire: Wire): Promise<number> {
  const { contentType, frames } = speakTokens(wire, TOKENS);
  const bytes = Buffer.from(frames.join(""));
  const server = createServer((request, response) => {
    request.resume();
    request.on("end", () => response.writeHead(200, { "content-type": contentType }).end(bytes));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const ask = await asker(wire, url);
    const added: number[] = [];
    for (let round = -1; round < ROUNDS; round++) {
      const bare = await timed(async () => void (await (await fetch(url, { method: "POST", body: "{}" })).bytes()));
      const whole = await timed(ask);
      if (round >= 0) added.push(((whole - bare) * 1000) / TOKENS);
    }
    return median(added);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

async function asker(wire: Wire, url: string): Promise<() => Promise<void>> {
  const lane: Lane = {
    id: "bench",
    wire,
    baseUrl: url,
    auth: "none",
    credential: null,
    credentialName: null,
    free: true,
    local: true,
    contextTokens: wire === "ollama-chat" ? 1_000_000 : null,
    models: {},
  };
  const models = await createModels({ lanes: [lane], spool: NO_SPOOL, readTranscript: () => null });
  const request = {
    model: { provider: "bench", model: "m" },
    system: "",
    messages: [{ role: "user", text: "Hello" }],
    tools: [],
    maxTokens: 4 * TOKENS,
    asker: { role: "doer", stepId: "build", conversation: 1, turn: 1 },
  } as const;
  return async () => {
    let texts = 0;
    for await (const event of models.send(request, { callId: "c", signal: new AbortController().signal })) {
      if (event.type === "text") texts += 1;
      if (event.type === "failed") throw new Error(event.failure.message);
    }
    if (texts < TOKENS / 2) throw new Error(`only ${texts} texts arrived`);
  };
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}
