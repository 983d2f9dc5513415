import { statSync } from "node:fs";
import { join } from "node:path";
import { SqliteStore } from "../../src/store/sqlite-store.ts";
import { runCreated } from "../support/events.ts";
import { callFacts } from "./agent-work.ts";
import { inFolder } from "./folder.ts";
import { EMPTY_TREE } from "./idle-parts.ts";
import type { LongRunFigures } from "./long-run.ts";
import { aim, row } from "./rows.ts";

const CALLS = 2_000;
const RID = "r-bench1";
const AIM_BYTES = 2_048;

/** Bytes of the database per model call (reservation and settlement), the payload taken off. */
export interface BytesFigures {
  readonly calls: number;
  readonly callBytes: number;
}

/** A journal of 2,000 calls. What an empty one takes is in the figure. */
export function measureBytesPerCall(): Promise<BytesFigures> {
  return inFolder((folder) => {
    const store = new SqliteStore(folder);
    store.create(RID, [runCreated(RID)], Date.now());
    const turns = Array.from({ length: CALLS }, (_, index) => index + 1);
    const facts = turns.flatMap((turn) =>
      callFacts({ rid: RID, stepId: "build", conversation: 1, turn, tree: EMPTY_TREE }),
    );
    const payloads = facts.flatMap(({ payload }) => payload ?? []);
    for (const payload of payloads) store.putBlob(payload);
    // All at once: the database is as large as if each had been a transaction of its own, and sooner there.
    store.append(
      RID,
      1,
      facts.map(({ event }) => event),
      Date.now(),
    );
    store.close();
    const payloadBytes = payloads.reduce((sum, { length }) => sum + length, 0);
    return { calls: CALLS, callBytes: (statSync(join(folder, "ccp.db")).size - payloadBytes) / CALLS };
  });
}

/** The report's lines; in the long run each call has asked for a tool. */
export function bytesLines({ calls, callBytes }: BytesFigures, longRun: LongRunFigures): readonly string[] {
  const turnBytes = (longRun.databaseBytes - longRun.payloadBytes) / longRun.calls;
  const figure = (bytes: number) => `${bytes.toFixed(0)} bytes`;
  return [
    `the database per model call, payloads taken off, ${calls.toLocaleString("en")} calls`,
    row("a call", figure(callBytes), aim("2 KB at most", callBytes <= AIM_BYTES)),
    row("a call and the tool it asked for", figure(turnBytes), "from the long run"),
  ];
}
