import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Store } from "../../src/core/store.ts";
import { artifactOf, callLost, callReserved, callSettled, runCreated } from "../support/events.ts";
import { storeLaws } from "./store-laws.ts";
import { storeRunsContract } from "./store-runs.ts";

const NOTHING = { settledNanos: 0, heldNanos: 0, settledTokens: 0, heldTokens: 0 };

/** What every store promises. `make` gives an empty one; it is closed by the caller. */
export function storeContract(name: string, make: () => Store): void {
  describe(`${name} is a Store`, () => {
    test("events come back as they were, numbered from 1 without gaps", () => {
      const store = make();
      const first = store.create("r-a", [runCreated("r-a")], 10);
      const then = store.append("r-a", 1, [{ type: "run.resumed", epoch: 1 }, { type: "run.discarded" }], 20);
      expect(first.map(({ seq, at }) => [seq, at])).toEqual([[1, 10]]);
      expect(then).toMatchObject({
        type: "appended",
        events: [
          { seq: 2, at: 20 },
          { seq: 3, at: 20 },
        ],
      });
      expect(store.events("r-a").map(({ seq }) => seq)).toEqual([1, 2, 3]);
      expect(store.events("r-a", 2)).toEqual([{ type: "run.discarded", seq: 3, at: 20 }]);
      expect(store.events("r-a")[0]).toEqual({ ...runCreated("r-a"), seq: 1, at: 10 });
      expect(store.events("r-unknown")).toEqual([]);
    });

    test("a reservation that does not fit a scope writes nothing at all", () => {
      const store = make();
      store.create("r-a", [runCreated("r-a", { run: { maxCostNanos: 100 }, "role:doer": { maxCostNanos: 60 } })], 0);
      expect(store.append("r-a", 1, [callReserved("a", 40)], 1).type).toBe("appended");
      const before = store.events("r-a");
      expect(store.append("r-a", 1, [{ type: "run.discarded" }, callReserved("b", 21)], 2)).toEqual({
        type: "over-budget",
        scope: "role:doer",
      });
      expect(store.events("r-a")).toEqual(before);
      expect(store.ledger("r-a", "run")).toEqual({ ...NOTHING, heldNanos: 40, heldTokens: 100 });
      expect(store.append("r-a", 1, [callReserved("b", 20)], 3).type).toBe("appended");
    });

    test("tokens are a ceiling of their own", () => {
      const store = make();
      store.create("r-a", [runCreated("r-a", { run: { maxTokens: 150 } })], 0);
      store.append("r-a", 1, [callReserved("a", 0, 100)], 1);
      expect(store.append("r-a", 1, [callReserved("b", 0, 51)], 1)).toEqual({ type: "over-budget", scope: "run" });
    });

    test("a settlement frees what was held and books what it cost; a loss books all of it", () => {
      const store = make();
      store.create("r-a", [runCreated("r-a", { run: { maxCostNanos: 1000 } })], 0);
      const [a, b] = [callReserved("a", 400), callReserved("b", 300)];
      store.append("r-a", 1, [a, b], 1);
      store.append("r-a", 1, [callSettled(a, 50, 10), callLost(b)], 2);
      for (const scope of ["run", "role:doer", "step:build"] as const) {
        expect(store.ledger("r-a", scope)).toEqual({
          settledNanos: 350,
          heldNanos: 0,
          settledTokens: 110,
          heldTokens: 0,
        });
      }
    });

    test("what was really spent is booked even beyond the ceiling, and nothing more fits then", () => {
      const store = make();
      store.create("r-a", [runCreated("r-a", { run: { maxCostNanos: 100 } })], 0);
      const a = callReserved("a", 100);
      store.append("r-a", 1, [a], 1);
      expect(store.append("r-a", 1, [callSettled(a, 130)], 2).type).toBe("appended");
      expect(store.ledger("r-a", "run").settledNanos).toBe(130);
      expect(store.append("r-a", 1, [callReserved("b", 1)], 3).type).toBe("over-budget");
    });

    test("a raised ceiling is in force at once", () => {
      const store = make();
      store.create("r-a", [runCreated("r-a", { run: { maxCostNanos: 10 } })], 0);
      expect(store.append("r-a", 1, [callReserved("a", 11)], 1).type).toBe("over-budget");
      store.append("r-a", 1, [{ type: "budget.raised", scope: "run", budget: { maxCostNanos: 20 } }], 2);
      expect(store.append("r-a", 1, [callReserved("a", 11)], 3).type).toBe("appended");
    });

    test("a call has one outcome", () => {
      const store = make();
      store.create("r-a", [runCreated("r-a")], 0);
      const a = callReserved("a", 1);
      store.append("r-a", 1, [a, callSettled(a, 1)], 1);
      expect(() => store.append("r-a", 1, [callSettled(a, 1)], 2)).toThrow("outcome already");
      expect(() => store.append("r-a", 1, [callLost(a)], 2)).toThrow("outcome already");
      expect(() => store.append("r-a", 1, [a], 2)).toThrow();
      expect(store.events("r-a")).toHaveLength(3);
    });

    test("an older owner can write nothing any more", () => {
      const store = make();
      store.create("r-a", [runCreated("r-a")], 0);
      store.release("r-a");
      expect(store.claim("r-a")).toBe(2);
      expect(() => store.append("r-a", 1, [{ type: "run.discarded" }], 1)).toThrow(
        expect.objectContaining({ code: "fenced", exitCode: 7 }),
      );
      expect(store.append("r-a", 2, [{ type: "run.discarded" }], 1).type).toBe("appended");
    });

    test("an unknown run cannot be claimed, and the attempt leaves no lock behind", () => {
      const store = make();
      expect(() => store.claim("r-none")).toThrow(expect.objectContaining({ code: "unknown_run" }));
      expect(store.isOwned("r-none")).toBe(false);
    });

    test("a run is owned while it is claimed", () => {
      const store = make();
      store.create("r-a", [runCreated("r-a")], 0);
      expect(store.isOwned("r-a")).toBe(true);
      store.release("r-a");
      expect(store.isOwned("r-a")).toBe(false);
    });

    test("payloads are kept once and come back to the byte", () => {
      const store = make();
      const bytes = new Uint8Array([0, 255, 10, 13, 0]);
      const ref = store.putBlob(bytes);
      expect(store.putBlob(bytes)).toEqual(ref);
      store.create("r-a", [runCreated("r-a")], 0);
      expect(new Uint8Array(store.blob(ref))).toEqual(bytes);
      expect(() => store.blob({ sha256: "00".repeat(32), sizeBytes: 1 })).toThrow(
        expect.objectContaining({ code: "blob_missing" }),
      );
    });

    test("a payload of a refused transaction is there for the next one", () => {
      const store = make();
      store.create("r-a", [runCreated("r-a", { run: { maxCostNanos: 1 } })], 0);
      const ref = store.putBlob(new Uint8Array([1, 2, 3]));
      expect(store.append("r-a", 1, [callReserved("a", 2)], 1).type).toBe("over-budget");
      store.append("r-a", 1, [{ type: "run.discarded" }], 2);
      expect(new Uint8Array(store.blob(ref))).toEqual(new Uint8Array([1, 2, 3]));
    });

    test("runs are listed newest first, with their status and cost", () => {
      const store = make();
      store.create("r-old", [runCreated("r-old")], 1);
      store.create("r-new", [runCreated("r-new")], 2);
      const a = callReserved("a", 9);
      store.append("r-new", 1, [a], 3);
      store.append("r-old", 1, [{ type: "run.ended", status: "failed", exitCode: 1, reason: null, hint: null }], 4);
      expect(store.runs()).toMatchObject([
        { rid: "r-new", status: "running", owned: true, heldNanos: 9, createdAt: 2, lastAt: 3 },
        { rid: "r-old", status: "failed", owned: false, title: "task of r-old", pipelineName: "test" },
      ]);
    });

    test("a payload that no event named at first is there for the event that names it later", () => {
      const store = make();
      store.create("r-a", [runCreated("r-a")], 0);
      const ref = store.putBlob(new Uint8Array(300));
      store.append("r-a", 1, [{ type: "run.applied", tree: "t1" }], 1);
      store.append("r-a", 1, [artifactOf(ref)], 2);
      expect(new Uint8Array(store.blob(ref))).toEqual(new Uint8Array(300));
    });

    test("text, noise and nothing at all come back to the byte, large and small", () => {
      const store = make();
      const payload = fc.oneof(
        fc.uint8Array({ maxLength: 5_000 }),
        fc.string({ maxLength: 3_000, unit: "binary" }).map((text) => new TextEncoder().encode(text)),
        fc
          .tuple(fc.constantFrom("a", "{}\n", "é "), fc.nat(4_000))
          .map(([text, times]) => Buffer.from(text.repeat(times))),
      );
      store.create("r-a", [runCreated("r-a")], 0);
      fc.assert(
        fc.property(payload, (bytes) => {
          const ref = store.putBlob(bytes);
          store.append("r-a", 1, [artifactOf(ref)], 1);
          expect(ref.sizeBytes).toBe(bytes.length);
          expect(Buffer.from(store.blob(ref)).equals(bytes)).toBe(true);
        }),
        { numRuns: 40 },
      );
    });

    test("nothing is wrong with it", () => {
      const store = make();
      store.create("r-a", [runCreated("r-a"), callReserved("a", 5)], 0);
      expect(store.damage()).toEqual([]);
    });
  });
  storeRunsContract(name, make);
  storeLaws(name, make);
}
