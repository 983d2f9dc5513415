import fc from "fast-check";
import { expect, test } from "vitest";
import { seeded } from "../support/killer.ts";
import { type Case, formatCase, parseCase, placesOf, planCases } from "./crash/plan-cases.ts";

/** What a run may come by: effects with a beginning and an end, and instants. */
const course = fc
  .array(fc.constantFrom("journal.before", "journal.after", "send.mid", "git.add.before", "git.add.during"), {
    minLength: 1,
    maxLength: 60,
  })
  .map((names) => names.map((name, index) => `${name}:${index + 1}`));

const kill = fc.oneof(
  fc.record({ kind: fc.constant("after" as const), ms: fc.nat() }),
  fc.record({
    kind: fc.constant("point" as const),
    point: fc.constantFrom("*:7", "send.last-byte:3", "git.add.after:1"),
  }),
);

test("a case that is written down is read as the same case", () => {
  fc.assert(
    fc.property(fc.array(kill, { minLength: 1 }), (kills: Case) => {
      expect(parseCase(formatCase(kills))).toEqual(kills);
    }),
  );
});

test("what is no case is refused", () => {
  for (const text of ["", "journal.after", "journal.after:x", "ms:1,,ms:2"])
    expect(() => parseCase(text)).toThrow("not a kill");
});

test("every point of a run is in one place, in their order", () => {
  fc.assert(
    fc.property(course, (hits) => {
      expect(placesOf(hits).flatMap(({ points }) => points)).toEqual(hits);
    }),
  );
});

test("the end of an effect and the beginning right after it are one place, an effect under way is another", () => {
  const places = placesOf(["a.before:1", "a.during:1", "a.after:1", "b.before:1", "b.after:1", "send.mid:1"]);
  expect(places.map(({ points }) => points)).toEqual([
    ["a.before:1"],
    ["a.during:1"],
    ["a.after:1", "b.before:1"],
    ["b.after:1"],
    ["send.mid:1"],
  ]);
});

test("a plan has each place once, and the same seed gives the same plan", () => {
  fc.assert(
    fc.property(course, fc.nat(), (hits, seed) => {
      const plan = () => planCases({ hits, durationMs: 1000 }, seeded(seed));
      const first = plan().flatMap(([kill]) => (kill?.kind === "point" ? [kill.point] : []));
      expect(first).toHaveLength(placesOf(hits).length);
      for (const { points } of placesOf(hits)) expect(points.filter((point) => first.includes(point))).toHaveLength(1);
      expect(plan()).toEqual(plan());
    }),
  );
});
