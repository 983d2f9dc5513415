import { join } from "node:path";
import { expect, test } from "vitest";
import { systemChance } from "../../src/cli/system-chance.ts";
import { FREE } from "../../src/core/money.ts";
import { type CallBook, reconcile, reserve, settleReserved } from "../../src/engine/calls.ts";
import { NO_HEALTH } from "../../src/engine/replay-world.ts";
import { RunLog } from "../../src/engine/run-log.ts";
import { openSpool } from "../../src/store/spool.ts";
import { SqliteStore } from "../../src/store/sqlite-store.ts";
import { openUserLedger } from "../../src/store/user-ledger.ts";
import { callReserved, runCreated } from "../support/events.ts";
import { tempDir } from "../support/temp.ts";

const RID = "r-same11";
const MODEL = {
  ref: { provider: "p", model: "m" },
  price: FREE,
  contextWindow: null,
  maxOutputTokens: 10,
  local: false,
  scripted: false,
} as const;
const call = (tokens: number) => callReserved(`${RID}.build.1`, 0, tokens);

/** The same run in a repository of its own, as an import makes it, on the user's one ledger. */
function bookIn(repository: string, home: string): CallBook {
  const directory = tempDir("ccp-journal");
  const store = new SqliteStore(directory);
  store.create(RID, [{ ...runCreated(RID), repository }], 0);
  const log = new RunLog(RID, 1, { store, chance: systemChance, publish: () => undefined });
  const userLedger = openUserLedger(join(home, "ledger.db"), { day: { maxTokens: 100 } });
  return { log, userLedger, spool: openSpool(directory), chance: systemChance, secrets: [], health: NO_HEALTH };
}

test("a run that is gone on with in two repositories holds its calls twice: one rid is no key of the user's", () => {
  const home = tempDir("ccp-home");
  const [here, there] = [bookIn("/here", home), bookIn("/there", home)];
  expect(reserve(here, call(60), MODEL)).toBe(null);
  expect(reserve(there, call(60), MODEL)).toEqual({ type: "window", window: "day" });
  expect(reserve(there, call(40), MODEL)).toBe(null);
  expect(here.userLedger.spend("day", systemChance.day(Date.now())).heldTokens).toBe(100);
});

test("neither lets go of what the other holds", () => {
  const home = tempDir("ccp-home");
  const [here, there] = [bookIn("/here", home), bookIn("/there", home)];
  reserve(here, call(60), MODEL);
  reconcile(there);
  const day = systemChance.day(Date.now());
  expect(here.userLedger.spend("day", day).heldTokens).toBe(60);
  const failure = { class: "rate", message: "", httpStatus: 429, retryAfterMs: null, mayBeBilled: false } as const;
  settleReserved(here, call(60).callId, { type: "failed", failure, usage: null, providerCostNanos: null }, MODEL, "");
  expect(here.userLedger.spend("day", day)).toMatchObject({ heldTokens: 0, settledTokens: 0 });
});
