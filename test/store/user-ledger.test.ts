import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  NOTHING_SPENT,
  type Spend,
  usedNanos,
  usedTokens,
  WINDOWS,
  type Window,
  weekOf,
} from "../../src/core/budget.ts";
import { calibrated, UNCALIBRATED } from "../../src/core/calibration.ts";
import type { UserHold, UserLedger } from "../../src/core/store.ts";
import { openUserLedger } from "../../src/store/user-ledger.ts";
import { tempDir } from "../support/temp.ts";
import { fillJournal, runScript } from "./support.ts";

const FRIDAY = "2026-11-20";
const LEDGER_MODULE = JSON.stringify(new URL("../../src/store/user-ledger.ts", import.meta.url).href);

function open(ceilings: UserLedger["ceilings"] = {}, path = join(tempDir(), "state", "ledger.db")): UserLedger {
  const ledger = openUserLedger(path, ceilings);
  onTestFinished(() => ledger.close());
  return ledger;
}

function hold(callId: string, heldNanos: number, more: Partial<UserHold> = {}): UserHold {
  const of = { rid: "r-a", repository: "/repo", model: "p/m", day: FRIDAY, heldTokens: 10 };
  return { ...of, callId, heldNanos, ...more };
}

const HELD = { type: "held" };
const over = (window: Window, isQuota = false) => ({ type: "over", window, isQuota });

describe("the ledger of a user", () => {
  test("holds what fits, and says which window has no room", () => {
    const ledger = open({ day: { maxCostNanos: 100 }, week: { maxCostNanos: 150 } });
    expect(ledger.hold(hold("a", 100))).toEqual(HELD);
    expect(ledger.hold(hold("b", 1))).toEqual(over("day"));
    expect(ledger.hold(hold("b", 50, { day: "2026-11-21" }))).toEqual(HELD);
    expect(ledger.hold(hold("c", 1, { day: "2026-11-22" }))).toEqual(over("week"));
    expect(ledger.hold(hold("c", 100, { day: "2026-11-23" }))).toEqual(HELD);
    expect(ledger.spend("week", FRIDAY)).toEqual({ ...NOTHING_SPENT, heldNanos: 150, heldTokens: 20 });
    expect(ledger.open("r-a")).toEqual(["a", "b", "c"]);
  });

  test("counts tokens on their own", () => {
    const ledger = open({ week: { maxTokens: 25 } });
    expect(ledger.hold(hold("a", 9e9))).toEqual(HELD);
    expect(ledger.hold(hold("b", 0))).toEqual(HELD);
    expect(ledger.hold(hold("c", 0, { heldTokens: 6 }))).toEqual(over("week"));
    expect(ledger.hold(hold("c", 0, { heldTokens: 5 }))).toEqual(HELD);
  });

  test("a day begins with nothing held, whatever a crash has left of the day before; its week does not", () => {
    const ledger = open({ day: { maxCostNanos: 100 }, week: { maxCostNanos: 150 } });
    ledger.hold(hold("crashed", 100, { day: "2026-11-19" }));
    expect(ledger.spend("day", FRIDAY)).toEqual(NOTHING_SPENT);
    expect(ledger.hold(hold("a", 60))).toEqual(over("week"));
    expect(ledger.hold(hold("a", 50))).toEqual(HELD);
  });

  test("a week is from Monday to Sunday, whatever lies before and behind it", () => {
    const ledger = open();
    const days = ["2026-11-15", "2026-11-16", "2026-11-22", "2026-11-23", "2027-01-01"];
    for (const [n, day] of days.entries()) ledger.hold(hold(day, 10 ** n, { day }));
    expect(ledger.spend("week", FRIDAY).heldNanos).toBe(110);
    expect(ledger.spend("week", "2026-11-22").heldNanos).toBe(110);
    expect(ledger.spend("week", "2026-11-15").heldNanos).toBe(1);
    expect(ledger.spend("week", "2026-12-31").heldNanos).toBe(10_000);
    expect(ledger.spend("day", "2026-11-23").heldNanos).toBe(1000);
  });

  test("books a settlement on the day of its hold, once", () => {
    const ledger = open({ day: { maxCostNanos: 100 } });
    ledger.hold(hold("a", 80));
    ledger.settle("a", 30, 4);
    ledger.settle("a", 99, 9);
    ledger.release("a");
    expect(ledger.spend("day", FRIDAY)).toEqual({ settledNanos: 30, heldNanos: 0, settledTokens: 4, heldTokens: 0 });
    expect(ledger.open("r-a")).toEqual([]);
    expect(ledger.hold(hold("b", 70))).toEqual(HELD);
    expect(ledger.hold(hold("c", 1))).toEqual(over("day"));
  });

  test("holding the same call twice is one hold, also once it is settled", () => {
    const ledger = open({ day: { maxCostNanos: 100 } });
    expect([ledger.hold(hold("a", 80)), ledger.hold(hold("a", 80))]).toEqual([HELD, HELD]);
    expect(ledger.spend("day", FRIDAY)).toEqual({ ...NOTHING_SPENT, heldNanos: 80, heldTokens: 10 });
    ledger.settle("a", 20, 1);
    expect(ledger.hold(hold("a", 80))).toEqual(HELD);
    expect(ledger.spend("day", FRIDAY)).toEqual({ ...NOTHING_SPENT, settledNanos: 20, settledTokens: 1 });
  });

  test("holds a provider to its quota, and no other", () => {
    const ledger = open({ day: { maxCostNanos: 1000 } });
    const quota = { day: { maxCostNanos: 100 }, week: { maxTokens: 25 } };
    expect(ledger.hold(hold("a", 80, { quota }))).toEqual(HELD);
    expect(ledger.hold(hold("b", 21, { quota }))).toEqual(over("day", true));
    expect(ledger.hold(hold("b", 21, { quota, model: "q/m/with/slashes" }))).toEqual(HELD);
    ledger.settle("a", 20, 10);
    expect(ledger.hold(hold("c", 80, { quota }))).toEqual(HELD);
    ledger.release("c");
    expect(ledger.hold(hold("d", 1, { quota, day: "2026-11-21", heldTokens: 16 }))).toEqual(over("week", true));
    expect(ledger.hold(hold("e", 1, { day: "2026-11-21", heldTokens: 16 }))).toEqual(HELD);
    expect(ledger.spend("day", FRIDAY, "p")).toEqual({ ...NOTHING_SPENT, settledNanos: 20, settledTokens: 10 });
    expect(ledger.spend("week", FRIDAY, "q")).toEqual({ ...NOTHING_SPENT, heldNanos: 21, heldTokens: 10 });
    expect(ledger.hold(hold("f", 1000, { quota: {} }))).toEqual(over("day"));
  });

  test("that is older counts what each provider has had before", () => {
    const path = join(tempDir(), "ledger.db");
    const before = openUserLedger(path, {});
    for (const [call, model] of [
      ["a", "p/m"],
      ["b", "p/n"],
      ["c", "q/m"],
    ] as const)
      before.hold(hold(call, 10, { model }));
    before.settle("a", 3, 4);
    before.close();
    const database = new Database(path);
    database.exec("DROP TABLE provider_day; ALTER TABLE call DROP COLUMN account; PRAGMA user_version = 1");
    database.close();
    const ledger = open({}, path);
    const [held, settled] = [
      { heldNanos: 10, heldTokens: 10 },
      { settledNanos: 3, settledTokens: 4 },
    ];
    expect(ledger.spend("day", FRIDAY, "p")).toEqual({ ...held, ...settled });
    expect(ledger.spend("day", FRIDAY, "q")).toEqual({ ...NOTHING_SPENT, ...held });
  });

  test("a hold that is taken back is as if it had never been", () => {
    const ledger = open({ day: { maxCostNanos: 100 } });
    ledger.hold(hold("a", 80));
    ledger.release("a");
    ledger.release("a");
    ledger.settle("a", 80, 8);
    expect(ledger.spend("day", FRIDAY)).toEqual(NOTHING_SPENT);
    expect(ledger.hold(hold("a", 100))).toEqual(HELD);
  });

  test("settling or releasing a call that nobody held books nothing", () => {
    const ledger = open();
    ledger.settle("x", 5, 5);
    ledger.release("x");
    expect(WINDOWS.map((window) => ledger.spend(window, FRIDAY))).toEqual([NOTHING_SPENT, NOTHING_SPENT]);
  });

  test("knows the open calls of each run", () => {
    const ledger = open();
    for (const rid of ["r-a", "r-b"]) for (const n of [1, 2]) ledger.hold(hold(`${rid}.${n}`, 1, { rid }));
    ledger.settle("r-a.1", 1, 1);
    expect(ledger.open("r-a")).toEqual(["r-a.2"]);
    expect(ledger.open("r-b")).toEqual(["r-b.1", "r-b.2"]);
    expect(ledger.open("r-none")).toEqual([]);
  });

  test("remembers what was learned of a model", () => {
    const path = join(tempDir(), "ledger.db");
    const ledger = open({}, path);
    expect(ledger.calibration("p/m")).toEqual(UNCALIBRATED);
    const learned = Array.from({ length: 40 }, (_, n) => n).reduce(
      (all, n) => calibrated(all, 1000, 300 + n),
      UNCALIBRATED,
    );
    ledger.keepCalibration("p/m", calibrated(UNCALIBRATED, 10, 5));
    ledger.keepCalibration("p/m", learned);
    expect(open({}, path).calibration("p/m")).toEqual(learned);
    expect(ledger.calibration("p/other")).toEqual(UNCALIBRATED);
  });

  test("is there for the next who opens it, with ceilings of their own", () => {
    const path = join(tempDir(), "ledger.db");
    open({}, path).hold(hold("a", 80));
    const next = open({ day: { maxCostNanos: 80 } }, path);
    expect(next.ceilings).toEqual({ day: { maxCostNanos: 80 } });
    expect(next.hold(hold("b", 1))).toEqual(over("day"));
  });
});

describe("the ledger of a user by law", () => {
  const ACTION = fc.record({
    kind: fc.constantFrom("hold", "hold", "hold", "settle", "release"),
    call: fc.nat(15),
    nanos: fc.nat(60),
    tokens: fc.nat(30),
    day: fc.constantFrom("2026-11-15", "2026-11-16", "2026-11-19", FRIDAY, "2026-11-22", "2026-11-23"),
  });
  const CEILING = fc.record({ maxCostNanos: fc.nat(150), maxTokens: fc.nat(90) }, { requiredKeys: [] });
  const CEILINGS = fc.record({ day: CEILING, week: CEILING }, { requiredKeys: [] });

  test("no window is ever over its ceiling, nothing is refused that fits, and the figures are the sum of the calls", () => {
    fc.assert(
      fc.property(fc.array(ACTION, { maxLength: 60 }), CEILINGS, (actions, ceilings) => {
        const ledger = openUserLedger(join(tempDir(), "ledger.db"), ceilings);
        const calls = new Map<string, Known>();
        for (const { kind, call, nanos, tokens, day } of actions) {
          const callId = `c${call}`;
          const known = calls.get(callId);
          if (kind === "hold") {
            const wanted = hold(callId, nanos, { day, heldTokens: tokens });
            const isHeld = ledger.hold(wanted).type === "held";
            expect(isHeld).toBe(known !== undefined || hasRoom(ceilings, calls, wanted));
            if (isHeld && !known) calls.set(callId, { day, state: "held", nanos, tokens });
          } else if (kind === "settle") {
            const [cost, used] = [Math.min(nanos, known?.nanos ?? 0), Math.min(tokens, known?.tokens ?? 0)];
            ledger.settle(callId, cost, used);
            if (known?.state === "held") calls.set(callId, { ...known, state: "settled", nanos: cost, tokens: used });
          } else {
            ledger.release(callId);
            if (known?.state === "held") calls.delete(callId);
          }
          for (const window of WINDOWS) {
            expect(ledger.spend(window, day)).toEqual(sumOf(calls, window, day));
            expect(isWithin(ceilings, window, sumOf(calls, window, day))).toBe(true);
          }
        }
        ledger.close();
      }),
      { numRuns: 60 },
    );
  });
});

/** A call as it should be in the ledger. */
interface Known {
  readonly day: string;
  readonly state: "held" | "settled";
  readonly nanos: number;
  readonly tokens: number;
}

function sumOf(calls: ReadonlyMap<string, Known>, window: Window, day: string): Spend {
  const isIn = (call: Known) => (window === "day" ? call.day === day : weekOf(call.day) === weekOf(day));
  const inIt = [...calls.values()].filter(isIn);
  const sum = (state: Known["state"], unit: "nanos" | "tokens") =>
    inIt.filter((call) => call.state === state).reduce((all, call) => all + call[unit], 0);
  return {
    settledNanos: sum("settled", "nanos"),
    heldNanos: sum("held", "nanos"),
    settledTokens: sum("settled", "tokens"),
    heldTokens: sum("held", "tokens"),
  };
}

function hasRoom(ceilings: UserLedger["ceilings"], calls: ReadonlyMap<string, Known>, wanted: UserHold): boolean {
  const { callId, day, heldNanos, heldTokens } = wanted;
  const after = new Map(calls).set(callId, { day, state: "held", nanos: heldNanos, tokens: heldTokens });
  return WINDOWS.every((window) => isWithin(ceilings, window, sumOf(after, window, day)));
}

function isWithin(ceilings: UserLedger["ceilings"], window: Window, spend: Spend): boolean {
  const { maxCostNanos = Number.POSITIVE_INFINITY, maxTokens = Number.POSITIVE_INFINITY } = ceilings[window] ?? {};
  return usedNanos(spend) <= maxCostNanos && usedTokens(spend) <= maxTokens;
}

describe("the ledger of a user under many processes", () => {
  test("is never over its ceiling, and loses no call", () => {
    const path = join(tempDir(), "ledger.db");
    const ceilings = { day: { maxCostNanos: 1000 } };
    const script = `
      import { openUserLedger } from ${LEDGER_MODULE};
      const [path, name] = process.argv.slice(1);
      const ledger = openUserLedger(path, ${JSON.stringify(ceilings)});
      let [worst, settled] = [0, 0];
      for (let n = 0; n < 120; n++) {
        const callId = name + "." + n;
        const wanted = { ...${JSON.stringify(hold("", 0))}, rid: name, callId, heldNanos: 100 + ((n * 37) % 200) };
        if (ledger.hold(wanted).type === "held") {
          const { settledNanos, heldNanos } = ledger.spend("day", wanted.day);
          worst = Math.max(worst, settledNanos + heldNanos);
          if (n % 3 === 0) ledger.release(callId);
          else { ledger.settle(callId, n % 7, 1); settled += n % 7; }
        }
      }
      console.log(JSON.stringify({ worst, settled, open: ledger.open(name) }));
    `;
    const flags = ["--no-warnings", "--input-type=module-typescript", "--eval", script, path];
    const shell = ["a", "b", "c"].map((name) => `"$0" "$@" ${name} &`).join(" ");
    const { stdout, stderr } = spawnSync("sh", ["-c", `${shell} wait`, process.execPath, ...flags], {
      encoding: "utf8",
    });
    expect(stderr).toBe("");
    const told = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(told).toHaveLength(3);
    expect(told.map(({ open }) => open)).toEqual([[], [], []]);
    expect(Math.max(...told.map(({ worst }) => worst))).toBeLessThanOrEqual(1000);
    const settledNanos = told.reduce((sum, { settled }) => sum + settled, 0);
    expect(settledNanos).toBeGreaterThan(0);
    expect(open(ceilings, path).spend("day", FRIDAY)).toMatchObject({ settledNanos, heldNanos: 0, heldTokens: 0 });
  });

  test("what a killed process held stays held until its run is driven again", () => {
    const path = join(tempDir(), "ledger.db");
    const script = `
      import { openUserLedger } from ${LEDGER_MODULE};
      openUserLedger(process.argv[1], {}).hold(${JSON.stringify(hold("r-a.build.1", 70))});
      process.kill(process.pid, "SIGKILL");
    `;
    expect(runScript(script, [path]).signal).toBe("SIGKILL");
    const ledger = open({ day: { maxCostNanos: 100 } }, path);
    expect(ledger.open("r-a")).toEqual(["r-a.build.1"]);
    expect(ledger.hold(hold("b", 31))).toEqual(over("day"));
    ledger.settle("r-a.build.1", 5, 1);
    expect(ledger.hold(hold("b", 95))).toEqual(HELD);
  });
});

describe("a ledger that cannot be used", () => {
  test("is refused and left alone: damaged, somebody else's, a journal, or of a newer ccp", () => {
    const path = join(tempDir(), "ledger.db");
    const refusal = (code: string) => expect.objectContaining({ code, message: expect.stringContaining(path) });
    writeFileSync(path, "notes".repeat(1000));
    expect(() => openUserLedger(path, {})).toThrow(refusal("corrupt_journal"));
    expect(readFileSync(path, "utf8")).toBe("notes".repeat(1000));
    rmSync(path);

    fillJournal(dirname(path));
    expect(() => openUserLedger(join(dirname(path), "ccp.db"), {})).toThrow(/is not a ccp ledger/);

    openUserLedger(path, {}).close();
    const database = new Database(path);
    database.pragma("user_version = 99");
    database.close();
    expect(() => openUserLedger(path, {})).toThrow(refusal("newer_journal"));
  });
});
