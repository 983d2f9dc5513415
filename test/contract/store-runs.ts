import { describe, expect, test } from "vitest";
import type { Event, StoredEvent } from "../../src/core/event.ts";
import { foldRun } from "../../src/core/fold-run.ts";
import type { Store } from "../../src/core/store.ts";
import {
  artifactOf,
  callLost,
  callReserved,
  callSettled,
  EMPTY_BLOB,
  runCreated,
  runEnded,
} from "../support/events.ts";

const numbered = (events: readonly Event[], at = 7): readonly StoredEvent[] =>
  events.map((event, index) => ({ ...event, seq: index + 1, at: at + index }));

/** What every store promises of runs as a whole: their list, their owners, how they come and go. */
export function storeRunsContract(name: string, make: () => Store): void {
  describe(`${name} keeps runs`, () => {
    test("a rid is taken once, and its first owner keeps it", () => {
      const store = make();
      store.create("r-a", [runCreated("r-a")], 0);
      expect(() => store.create("r-a", [runCreated("r-a")], 1)).toThrow(
        expect.objectContaining({ code: "owned", exitCode: 7 }),
      );
      expect(store.isOwned("r-a")).toBe(true);
      expect(store.append("r-a", 1, [runEnded()], 2).type).toBe("appended");
    });

    test("a creation that is refused leaves no run and no lock behind", () => {
      const store = make();
      const over = [runCreated("r-a", { run: { maxCostNanos: 1 } }), callReserved("a", 2)];
      expect(() => store.create("r-a", over, 0)).toThrow();
      expect(store.isOwned("r-a")).toBe(false);
      expect(store.runs()).toEqual([]);
      expect(store.events("r-a")).toEqual([]);
      store.create("r-a", [runCreated("r-a")], 1);
    });

    test("a run has the owner that claimed it last, also once it is let go", () => {
      const store = make();
      expect(store.owner("r-a")).toBeNull();
      store.create("r-a", [runCreated("r-a")], 0);
      const owner = store.owner("r-a");
      expect(owner).toMatchObject({ pid: expect.any(Number), host: expect.any(String) });
      store.release("r-a");
      expect(store.owner("r-a")).toEqual(owner);
    });

    test("whoever holds a run may claim it again, and its older epoch is of no use then", () => {
      const store = make();
      store.create("r-a", [runCreated("r-a")], 0);
      expect(store.claim("r-a", 50)).toBe(2);
      expect(() => store.append("r-a", 1, [runEnded()], 1)).toThrow(expect.objectContaining({ code: "fenced" }));
      expect(store.isOwned("r-a")).toBe(true);
    });

    test("a word for whoever drives a run is left by anybody, and is there until a fact takes it up or puts another in its place", () => {
      const store = make();
      expect(() => store.leave("r-a", { role: "doer", models: ["a/b"] }, 1)).toThrow(
        expect.objectContaining({ code: "unknown_run" }),
      );
      store.create("r-a", [runCreated("r-a")], 0);
      const ids = (["doer", "reviewer", "doer"] as const).map((role, at) => {
        return store.leave("r-a", { role, models: [`a/${at}`, "b/c d"] }, at);
      });
      const left = () => store.requests("r-a").map(({ id, role, models }) => [ids.indexOf(id), role, models[0]]);
      expect(left()).toEqual([
        [0, "doer", "a/0"],
        [1, "reviewer", "a/1"],
        [2, "doer", "a/2"],
      ]);
      expect(store.requests("r-b")).toEqual([]);
      const change = { type: "route.changed", role: "doer", models: ["a/0"] } as const;
      store.append("r-a", 1, [{ ...change, stepId: "do", request: ids[0] ?? 0 }], 3);
      expect(left()).toEqual([
        [1, "reviewer", "a/1"],
        [2, "doer", "a/2"],
      ]);
      // A later word of a person's, while nobody drives the run.
      store.append("r-a", 1, [change], 4);
      expect(left()).toEqual([[1, "reviewer", "a/1"]]);
      store.drop("r-a", ids[1] ?? 0);
      expect(left()).toEqual([]);
      // No number comes twice: a fact names it.
      expect(ids).not.toContain(store.leave("r-a", { role: "doer", models: ["a/b"] }, 5));
      store.release("r-a");
      store.remove("r-a");
      expect(store.requests("r-a")).toEqual([]);
    });

    test("a list can be cut short and narrowed to how rids begin", () => {
      const store = make();
      const rids = ["r-aa1", "r-aa2", "r-ab1", "r-b", "r_aa", "r-a%"];
      for (const [at, rid] of rids.entries()) store.create(rid, [runCreated(rid)], at);
      const found = (query: Parameters<Store["runs"]>[0]) => store.runs(query).map(({ rid }) => rid);
      expect(found({})).toEqual([...rids].reverse());
      expect(found({ limit: 2 })).toEqual(["r-a%", "r_aa"]);
      expect(found({ prefix: "r-aa" })).toEqual(["r-aa2", "r-aa1"]);
      expect(found({ prefix: "r-a", limit: 3 })).toEqual(["r-a%", "r-ab1", "r-aa2"]);
      expect(found({ prefix: "r-a%" })).toEqual(["r-a%"]);
      expect(found({ prefix: "" })).toHaveLength(6);
      expect(found({ prefix: "x" })).toEqual([]);
      expect(found({ limit: 0 })).toEqual([]);
    });

    test("events of certain types are found in one run or in all, each with its run, in order", () => {
      const store = make();
      for (const rid of ["r-a", "r-b"]) store.create(rid, [runCreated(rid), artifactOf(EMPTY_BLOB)], 0);
      store.append("r-a", 1, [artifactOf(EMPTY_BLOB, "REVIEW.md"), runEnded()], 7);
      const found = (rid: string | null) =>
        store
          .eventsOf(["artifact.written", "run.ended"], rid)
          .map((event) => `${event.rid} ${event.seq} ${event.type} ${event.at}`);
      expect(found("r-b")).toEqual(["r-b 2 artifact.written 0"]);
      const ofA = ["r-a 2 artifact.written 0", "r-a 3 artifact.written 7", "r-a 4 run.ended 7"];
      expect(found(null)).toEqual([...ofA, ...found("r-b")]);
      expect(store.eventsOf(["run.applied"], null)).toEqual([]);
    });

    test("runs of the same instant are in the order of their rids", () => {
      const store = make();
      for (const rid of ["r-c", "r-a", "r-b"]) store.create(rid, [runCreated(rid)], 5);
      expect(store.runs().map(({ rid }) => rid)).toEqual(["r-a", "r-b", "r-c"]);
    });

    test("a line of the list goes with what happened last, also after the end", () => {
      const store = make();
      const a = callReserved("a", 9);
      store.create("r-a", [runCreated("r-a")], 1);
      store.append("r-a", 1, [a, callSettled(a, 4), runEnded("succeeded")], 2);
      expect(store.runs()[0]).toMatchObject({ status: "succeeded", applied: false, lastAt: 2, settledNanos: 4 });
      store.append("r-a", 1, [{ type: "run.applied", tree: "t1" }], 3);
      expect(store.runs()[0]).toMatchObject({ status: "succeeded", applied: true, lastAt: 3 });
      store.append("r-a", 1, [{ type: "run.resumed", epoch: 1 }], 4);
      store.append("r-a", 1, [{ type: "pipeline.changed", pipeline: EMPTY, pipelineName: "edited", inputs: {} }], 5);
      store.append("r-a", 1, [callReserved("b", 7)], 6);
      expect(store.runs()[0]).toMatchObject({ status: "running", pipelineName: "edited", lastAt: 6, heldNanos: 7 });
    });

    test("a fold is what is gone on from, until a later one is kept or the run is removed", () => {
      const store = make();
      expect(store.folded("r-a")).toBeNull();
      store.create("r-a", [runCreated("r-a", { run: { maxCostNanos: 9 } })], 0);
      const early = foldRun("r-a", store.events("r-a"));
      store.append("r-a", 1, [callReserved("a", 5), artifactOf(EMPTY)], 1);
      const late = foldRun("r-a", store.events("r-a"));
      store.keepFolded(late);
      expect(store.folded("r-a")).toEqual(late);
      store.keepFolded(early);
      expect(store.folded("r-a")).toEqual(late);
      store.release("r-a");
      store.remove("r-a");
      expect(store.folded("r-a")).toBeNull();
    });

    test("the fold of a run that is not on record, or not that far, is not kept", () => {
      const store = make();
      store.create("r-a", [runCreated("r-a")], 0);
      const run = foldRun("r-a", store.events("r-a"));
      store.keepFolded({ ...run, seq: 2 });
      store.keepFolded({ ...run, rid: "r-b" });
      expect(store.folded("r-a")).toBeNull();
      expect(store.folded("r-b")).toBeNull();
    });

    test("a log from elsewhere is taken in as it was, owned by nobody, and goes on", () => {
      const store = make();
      // What has happened has happened, whether it fitted its ceilings or not.
      const [a, b] = [callReserved("a", 120), callReserved("b", 90)];
      const log = numbered([
        runCreated("r-x", { run: { maxCostNanos: 100 } }),
        ...[a, callSettled(a, 55)],
        { type: "run.resumed", epoch: 4 },
        { type: "budget.raised", scope: "run", budget: { maxCostNanos: 200 } },
        ...[b, callLost(b), runEnded()],
      ]);
      store.adopt("r-x", log);
      expect(store.events("r-x")).toEqual(log);
      expect(store.isOwned("r-x")).toBe(false);
      expect(store.owner("r-x")).toBeNull();
      expect(store.runs()).toMatchObject([
        { rid: "r-x", status: "failed", createdAt: 7, lastAt: 14, settledNanos: 145, heldNanos: 0 },
      ]);
      expect(store.claim("r-x")).toBe(5);
      expect(store.append("r-x", 5, [callReserved("c", 56)], 20)).toMatchObject({ type: "over-budget", scope: "run" });
      expect(store.append("r-x", 5, [callReserved("c", 55)], 20)).toMatchObject({ events: [{ seq: 9 }] });
    });

    test("a rid that is taken is not taken in again, and nothing of it changes", () => {
      const store = make();
      store.create("r-x", [runCreated("r-x")], 0);
      expect(() => store.adopt("r-x", numbered([runCreated("r-x")]))).toThrow(
        expect.objectContaining({ code: "run_exists", exitCode: 2 }),
      );
      expect(store.isOwned("r-x")).toBe(true);
      expect(store.append("r-x", 1, [runEnded()], 1).type).toBe("appended");
    });

    test.each<[string, readonly StoredEvent[]]>([
      ["nothing", []],
      ["another run's", numbered([runCreated("r-y")])],
      ["one without its beginning", numbered([runEnded()])],
      ["one with a gap", [...numbered([runCreated("r-x")]), { ...runEnded(), seq: 3, at: 1 }]],
      [
        "one with an end of a call that was never made",
        numbered([runCreated("r-x"), callSettled(callReserved("a", 1), 1)]),
      ],
    ])("a log that is no run's is refused whole: %s", (_, log) => {
      const store = make();
      expect(() => store.adopt("r-x", log)).toThrow(expect.objectContaining({ code: "damaged_export", exitCode: 2 }));
      expect(store.runs()).toEqual([]);
      expect(store.isOwned("r-x")).toBe(false);
    });

    test("a run is removed with all that is known of it, and only while nobody holds it", () => {
      const store = make();
      for (const rid of ["r-a", "r-b"]) store.create(rid, [runCreated(rid), callReserved(`${rid}.c`, 5)], 0);
      expect(() => store.remove("r-a")).toThrow(expect.objectContaining({ code: "owned", exitCode: 7 }));
      store.release("r-a");
      store.remove("r-a");
      store.remove("r-none");
      expect(store.runs().map(({ rid }) => rid)).toEqual(["r-b"]);
      expect(store.events("r-a")).toEqual([]);
      expect(store.calls(null).map(({ rid }) => rid)).toEqual(["r-b"]);
      expect(store.ledger("r-a", "run").heldNanos).toBe(0);
      expect(() => store.claim("r-a")).toThrow(expect.objectContaining({ code: "unknown_run" }));
      expect(() => store.append("r-a", 1, [runEnded()], 1)).toThrow(expect.objectContaining({ code: "fenced" }));
      store.create("r-a", [runCreated("r-a")], 1);
      expect(store.ledger("r-a", "run").heldNanos).toBe(0);
      expect(store.damage()).toEqual([]);
    });

    test("payloads are swept out once no log names them, and not before", () => {
      const store = make();
      const [shared, own, stays] = [1, 2, 3].map((byte) => new Uint8Array(500).fill(byte));
      const put = (bytes = new Uint8Array()) => artifactOf(store.putBlob(bytes));
      store.create("r-a", [runCreated("r-a"), put(shared), put(own)], 0);
      store.create("r-b", [runCreated("r-b"), put(shared), put(stays)], 0);
      expect(store.sweep(false)).toEqual({ blobs: 0, sizeBytes: 0 });
      store.release("r-a");
      store.remove("r-a");
      const told = store.sweep(true);
      expect(told.blobs).toBe(1);
      expect(told.sizeBytes).toBeGreaterThan(0);
      expect(store.sweep(false)).toEqual(told);
      expect(store.sweep(false).blobs).toBe(0);
      const named = store.events("r-b").flatMap((event) => (event.type === "artifact.written" ? event.blob : []));
      expect(named.map((ref) => store.blob(ref).length)).toEqual([500, 500]);
    });
  });
}

const EMPTY = { sha256: "00".repeat(32), sizeBytes: 0 };
