import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Calibration, calibrated, calibratedBound, UNCALIBRATED } from "../../src/core/calibration.ts";

/** A request: its quick bound, and what the provider counts. */
interface Counted {
  readonly bound: number;
  readonly counted: number;
}

/** Quick bound and bill of the answers of the recorded streams, as a request has them in its history. */
const RECORDED: readonly Counted[] = [
  { bound: 184, counted: 53 },
  { bound: 135, counted: 47 },
  { bound: 30, counted: 2 },
  { bound: 80, counted: 30 },
  { bound: 112, counted: 48 },
  { bound: 117, counted: 50 },
  { bound: 195, counted: 83 },
  { bound: 1_045, counted: 564 },
  { bound: 523, counted: 253 },
  { bound: 98, counted: 16 },
  { bound: 39, counted: 9 },
];

/** What o200k counts of a hundred thousand tokens of quick bound, by the kind of text (`lexicalBound`, measured). */
const KINDS: Readonly<Record<string, number>> = {
  Russian: 12_600,
  Chinese: 21_600,
  "C headers": 31_000,
  German: 37_900,
  "Python and Perl": 50_000,
  TypeScript: 52_100,
  hex: 52_500,
  English: 56_500,
  licences: 60_900,
  base64: 61_800,
  Latin: 75_300,
  "a bitmap as JSON": 76_900,
};

/** The calls of a sequence whose calibrated bound was below what was then counted. */
function tooLow(calls: readonly Counted[]): readonly Counted[] {
  let learned = UNCALIBRATED;
  return calls.filter(({ bound, counted }) => {
    const isLow = calibratedBound(bound, learned) < counted;
    learned = calibrated(learned, bound, counted);
    return isLow;
  });
}

function learnedFrom(calls: readonly Counted[], from: Calibration = UNCALIBRATED): Calibration {
  return calls.reduce((learned, { bound, counted }) => calibrated(learned, bound, counted), from);
}

const times = (count: number, call: Counted) => Array.from({ length: count }, () => call);

describe("a calibrated bound", () => {
  it("is the quick bound while nothing is learned", () => {
    fc.assert(
      fc.property(fc.nat(10_000_000), (bound) => {
        expect(calibratedBound(bound, UNCALIBRATED)).toBeGreaterThanOrEqual(bound);
        expect(calibratedBound(bound, UNCALIBRATED)).toBeLessThanOrEqual(bound + 1);
      }),
    );
  });

  it("is lowered on the evidence of many calls, and by no more than a little over what they came to", () => {
    const call = { bound: 1_000, counted: 450 };
    expect(calibratedBound(1_000, learnedFrom(times(20, call)))).toBeGreaterThanOrEqual(1_000);
    const lowered = calibratedBound(1_000, learnedFrom(times(200, call)));
    expect(lowered).toBeLessThan(1_000);
    expect(lowered).toBeGreaterThan(450 * 1.1);
  });

  it("is raised at once where the quick bound was too low, and stays so for all of a block", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...RECORDED), { maxLength: 100 }),
        fc.double({ min: 1, max: 5, noNaN: true }),
        fc.integer({ min: 1, max: 20 }),
        (before, share, calls) => {
          const finer = { bound: 1_000, counted: Math.ceil(share * 1_000) };
          expect(tooLow([...before, finer, ...times(calls, finer)])).toHaveLength(share > 1 ? 1 : 0);
        },
      ),
    );
  });

  it("never falls below what a model of even shares has come to", () => {
    const shares = fc
      .tuple(fc.double({ min: 0.05, max: 0.9, noNaN: true }), fc.double({ min: 1, max: 1.1, noNaN: true }))
      .chain(([low, spread]) => fc.array(fc.double({ min: low, max: low * spread, noNaN: true }), { maxLength: 200 }));
    fc.assert(
      fc.property(shares, (all) => {
        expect(tooLow(all.map((share) => ({ bound: 10_000, counted: Math.floor(share * 10_000) })))).toEqual([]);
      }),
    );
  });

  it("is never below the bills of the recorded streams, in whatever order they come and however often", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...RECORDED), { minLength: 40, maxLength: 200 }), (calls) => {
        expect(tooLow(calls)).toEqual([]);
      }),
    );
    for (const first of RECORDED) {
      expect(tooLow([...times(100, first), ...RECORDED])).toEqual([]);
    }
  });

  it("is never below the truth when one kind of text follows on another", () => {
    const calls = Object.values(KINDS).map((counted) => ({ bound: 100_000, counted }));
    for (const first of calls) expect(tooLow([...times(100, first), ...calls])).toEqual([]);
  });

  it("learns nothing from a call without figures", () => {
    const learned = learnedFrom(times(40, { bound: 1_000, counted: 700 }));
    expect(calibrated(learned, 0, 500)).toEqual(learned);
    expect(calibrated(learned, 1_000, 0)).toEqual(learned);
  });
});
