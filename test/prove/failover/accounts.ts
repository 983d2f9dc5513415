import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Price } from "../../../src/core/money.ts";
import { settleCall } from "../../../src/core/settlement.ts";
import { loadPriceBook } from "../../../src/providers/prices.ts";
import { replayTransport, spoolHead } from "../../../src/providers/transport.ts";
import { contentTypeOf, type End, endOf, framed, lane, type RealWire, request, SENDERS } from "../../support/wires.ts";
import { type Figures, OWN, RECORDED, type WrittenAnswer } from "./account-figures.ts";

/** What ccp makes of a stream, beside what a person has reckoned. */
export interface Account {
  readonly name: string;
  readonly found: Figures | null;
  readonly expected: Figures | null;
}

/** Streams written for this, each with a price and with figures that were reckoned by hand. */
export async function ownAccounts(): Promise<readonly Account[]> {
  const book = await loadPriceBook(new Date("2026-11-20T12:00:00Z"));
  return Promise.all(
    OWN.map(async ({ name, wire, payloads, price, expected }) => {
      const listed = typeof price === "string" ? book.priceOf(laneOf(wire), price) : price;
      return { name, found: await figuresOf({ wire, payloads }, listed), expected };
    }),
  );
}

/** Streams that others have recorded, where they are. Null: they are not there. */
export async function recordedAccounts(folder: string | undefined): Promise<readonly Account[] | null> {
  if (folder === undefined || !existsSync(folder)) return null;
  const files = readdirSync(folder).filter((name) => name.includes("--"));
  return Promise.all(
    files.map(async (file) => {
      const recording = JSON.parse(readFileSync(join(folder, file), "utf8")) as WrittenAnswer;
      const name = file.replace(".json", "");
      return { name, found: await figuresOf(recording, PLAIN), expected: RECORDED[name] ?? null };
    }),
  );
}

/** A nano-dollar a fresh token, and so on in steps that no sum of others makes. */
const PLAIN: Price = { input: 1e9, cacheRead: 1e8, cacheWrite: 1.25e9, output: 5e9, tiers: [] };

/** Null: nothing was reported, so there is nothing to be exact about. */
async function figuresOf(written: WrittenAnswer, price: Price | null): Promise<Figures | null> {
  const end = await read(written);
  if (end.usage === null || end.usage.source === "estimated") return null;
  const facts = {
    ref: { provider: "test", model: "m" },
    price,
    contextWindow: null,
    maxOutputTokens: 1,
    local: false,
    scripted: false,
  };
  const settled = settleCall(end, facts);
  const { freshInput, cacheRead, cacheWrite, cacheWriteHour = 0, output, reasoning } = end.usage;
  const nanos = settled.type === "settled" ? settled.costNanos : -1;
  return [freshInput, cacheRead, cacheWrite, cacheWriteHour, output, reasoning, nanos];
}

function read({ wire, status = 200, headers = {}, body = null, payloads }: WrittenAnswer): Promise<End> {
  const head = spoolHead({ status, headers: { "content-type": contentTypeOf(wire), ...headers }, asked: null });
  const bytes = Buffer.concat([head, Buffer.from(body ?? framed(wire, payloads))]);
  return endOf(SENDERS[wire](laneOf(wire), request({ maxTokens: 1_000_000 }), replayTransport(bytes)));
}

function laneOf(wire: RealWire) {
  return lane(wire, wire === "anthropic-messages" ? { baseUrl: "https://api.anthropic.com" } : {});
}
