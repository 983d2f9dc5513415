import fc from "fast-check";
import { expect, test } from "vitest";
import { garbageOf } from "../../src/core/garbage.ts";
import type { RunSummary } from "../../src/core/store.ts";

const STATUSES = [
  "running",
  "succeeded",
  "failed",
  "paused",
  "budget_reached",
  "provider_down",
  "blocked",
  "discarded",
];
const summary = fc.record({
  rid: fc.stringMatching(/^r-[a-z]{3}$/),
  status: fc.constantFrom(...STATUSES),
  owned: fc.boolean(),
  applied: fc.boolean(),
  lastAt: fc.nat(1000),
});
const remains = fc.array(
  fc.record({
    rid: fc.stringMatching(/^r-[a-z]{3}$/),
    sizeBytes: fc.nat(),
    changedAt: fc.option(fc.nat(1000)),
  }),
);

test("a run that can be resumed, one that is young and one that others go on from always stay", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(summary, { selector: ({ rid }) => rid }),
      remains,
      fc.nat(1000),
      (made, left, olderThanMs) => {
        const runs = made as unknown as readonly RunSummary[];
        const parents = new Set(runs.slice(0, 2).map(({ rid }) => rid));
        const gone = garbageOf({ runs, remains: left, parents, now: 1000, olderThanMs });
        for (const { rid, action } of gone) {
          const run = runs.find((one) => one.rid === rid);
          expect(action).toBe(run ? "forget" : "tidy");
          if (!run) {
            expect(left.some((one) => one.rid === rid && 1000 - (one.changedAt ?? 1000) > olderThanMs)).toBe(true);
            continue;
          }
          expect(["succeeded", "discarded"]).toContain(run.status);
          expect(1000 - run.lastAt).toBeGreaterThan(olderThanMs);
          expect(parents.has(rid)).toBe(false);
        }
      },
    ),
  );
});

test("what no record claims is tidied once it is old, with its size; a branch alone stays", () => {
  const gone = garbageOf({
    runs: [],
    remains: [
      { rid: "r-x", sizeBytes: 7, changedAt: 89 },
      { rid: "r-young", sizeBytes: 7, changedAt: 90 },
      { rid: "r-branch", sizeBytes: 0, changedAt: null },
    ],
    parents: new Set(),
    now: 100,
    olderThanMs: 10,
  });
  expect(gone).toEqual([{ rid: "r-x", action: "tidy", why: expect.stringContaining("no run"), sizeBytes: 7 }]);
});
