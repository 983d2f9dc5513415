import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  callSignature,
  isReminderDue,
  NO_TRAIL,
  type Trail,
  verdictOnCall,
  withDeed,
  withReminder,
} from "../../src/core/loop.ts";

/** `a1`: call `a`, result `1`; `a!`: `a` was refused. */
const trailOf = (...deeds: readonly string[]): Trail =>
  deeds.reduce((trail, deed) => withDeed(trail, deed[0] ?? "", deed[1] === "!" ? null : (deed[1] ?? "")), NO_TRAIL);
const times = (count: number, ...deeds: readonly string[]) => Array.from({ length: count }, () => deeds).flat();

describe("what counts as going in circles", () => {
  test.each([
    ["one call, three times", times(3, "a1"), true],
    ["one call, twice", times(2, "a1"), false],
    ["two in turn, three times", times(3, "a1", "b1"), true],
    ["five in turn, three times", times(3, "a1", "b1", "c1", "d1", "e1"), true],
    ["six in turn, however often", times(4, "a1", "b1", "c1", "d1", "e1", "f1"), false],
    ["a circle with something before it", ["x1", "y1", ...times(3, "a1", "b1")], true],
    ["a circle that something has broken", [...times(3, "a1"), "b1"], false],
    ["a poll whose answer changes", ["a1", "a2", "a3", "a4", "a5"], false],
    ["a poll whose answer has changed at last", ["a1", "a1", "a2"], false],
    ["the same file read between different edits", ["r1", "e1", "r2", "e2", "r3", "e3"], false],
  ])("%s", (_, deeds, isCircle) => {
    expect(isReminderDue(trailOf(...deeds))).toBe(isCircle);
  });

  test("a result names the call that it is of, whatever the order and spacing of its arguments", () => {
    const call = (rawArguments: string) => callSignature({ name: "read", rawArguments });
    expect(call('{"a":1,"b":2}')).toBe(call('{ "b": 2, "a": 1 }'));
    expect(call('{"a":1}')).not.toBe(call('{"a":2}'));
    expect(call('{"a":')).not.toBe(call("{}"));
  });
});

describe("the ladder", () => {
  const circle = trailOf(...times(3, "a1", "b1"));

  test("a reminder is given once in a circle", () => {
    const told = withReminder(circle);
    expect(isReminderDue(told)).toBe(false);
    expect(isReminderDue(withDeed(told, "a", null))).toBe(false);
    const later = [...times(3, "x1")].reduce((trail, deed) => withDeed(trail, deed[0] ?? "", "1"), told);
    expect(isReminderDue(later)).toBe(true);
  });

  test("only the call that goes on in the circle is refused, and the one after it is the last", () => {
    const told = withReminder(circle);
    expect([verdictOnCall(told, "a"), verdictOnCall(told, "b"), verdictOnCall(told, "x")]).toEqual([
      "refuse",
      "run",
      "run",
    ]);
    const refused = withDeed(told, "a", null);
    expect([verdictOnCall(refused, "a"), verdictOnCall(refused, "b")]).toEqual(["run", "end"]);
  });

  test("a model that was not told is not ended, however often its calls of one answer are refused", () => {
    const refused = withDeed(withDeed(trailOf(...times(3, "a1")), "a", null), "a", null);
    expect(verdictOnCall(refused, "a")).toBe("refuse");
    expect(isReminderDue(refused)).toBe(true);
    expect(verdictOnCall(withReminder(refused), "a")).toBe("end");
  });

  test("a circle of any length ends after three rounds, a reminder and a refusal, wherever it begins", () => {
    const round = fc.uniqueArray(fc.constantFrom("a", "b", "c", "d", "e"), { minLength: 1 });
    fc.assert(
      fc.property(fc.array(fc.constantFrom("v", "w", "x")), round, (before, calls) => {
        let trail = trailOf(...before.map((call, index) => `${call}${index % 10}`), "z0");
        let ran = 0;
        for (let at = 0; ; at++) {
          const call = calls[at % calls.length] ?? "";
          const verdict = verdictOnCall(trail, call);
          if (verdict === "end") break;
          if (verdict === "run") ran += 1;
          trail = withDeed(trail, call, verdict === "run" ? "1" : null);
          if (isReminderDue(trail)) trail = withReminder(trail);
        }
        expect(ran).toBe(3 * calls.length);
      }),
    );
  });

  test("calls whose results differ are never refused", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 60 }), (calls) => {
        let trail = NO_TRAIL;
        for (const [index, call] of calls.entries()) {
          expect(verdictOnCall(trail, call)).toBe("run");
          trail = withDeed(trail, call, String(index));
          expect(isReminderDue(trail)).toBe(false);
        }
      }),
    );
  });
});
