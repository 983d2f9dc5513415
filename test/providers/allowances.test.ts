import fc from "fast-check";
import { expect, test } from "vitest";
import { allowancesIn, laterBy } from "../../src/providers/allowances.ts";

const NOW = Date.parse("2026-11-20T18:00:00Z");

test("Anthropic's headers are read", () => {
  const headers = new Headers({
    "anthropic-ratelimit-requests-limit": "50",
    "anthropic-ratelimit-requests-remaining": "49",
    "anthropic-ratelimit-requests-reset": "2026-11-20T18:00:01Z",
    "anthropic-ratelimit-input-tokens-limit": "30000",
    "anthropic-ratelimit-input-tokens-remaining": "0",
    "anthropic-ratelimit-input-tokens-reset": "2026-11-20T18:00:42Z",
    "anthropic-ratelimit-output-tokens-remaining": "8000",
    "anthropic-ratelimit-output-tokens-reset": "2026-11-20T17:59:00Z",
  });
  expect(allowancesIn(headers, NOW)).toEqual([
    { unit: "requests", remaining: 49, limit: 50, resetMs: 1_000 },
    { unit: "input_tokens", remaining: 0, limit: 30_000, resetMs: 42_000 },
    { unit: "output_tokens", remaining: 8_000, limit: null, resetMs: 0 },
  ]);
});

test("OpenAI's headers are read", () => {
  const headers = new Headers({
    "x-ratelimit-limit-requests": "60",
    "x-ratelimit-remaining-requests": "0",
    "x-ratelimit-reset-requests": "1s",
    "x-ratelimit-limit-tokens": "150000",
    "x-ratelimit-remaining-tokens": "149984",
    "x-ratelimit-reset-tokens": "6m0s",
  });
  expect(allowancesIn(headers, NOW)).toEqual([
    { unit: "requests", remaining: 0, limit: 60, resetMs: 1_000 },
    { unit: "tokens", remaining: 149_984, limit: 150_000, resetMs: 360_000 },
  ]);
});

test.each([
  ["120ms", 120],
  ["7.66s", 7_660],
  ["2m59.56s", 179_560],
  ["1h2m3s", 3_723_000],
  ["59", 59_000],
  ["0.5", 500],
  [String(NOW / 1000 + 5), 5_000],
  [String(NOW + 5_000), 5_000],
  ["2026-11-20T19:00:00+00:30", 1_800_000],
  ["soon", null],
  ["", null],
  ["6m0", null],
  ["-5", null],
  ["Fri, 20 Nov 2026 18:00:10 GMT", null],
])("a reset of %j is in %s ms", (reset, resetMs) => {
  const headers = new Headers({ "x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": reset });
  expect(allowancesIn(headers, NOW).map((one) => one.resetMs)).toEqual(resetMs === null ? [] : [resetMs]);
});

test("whatever a server writes gives waits that are numbers", () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[ -~]{0,20}$/), fc.stringMatching(/^[ -~]{0,20}$/), (remaining, reset) => {
      const headers = new Headers({ "x-ratelimit-remaining-tokens": remaining, "x-ratelimit-reset-tokens": reset });
      for (const one of allowancesIn(headers, NOW)) {
        expect(one.remaining).toBeGreaterThanOrEqual(0);
        expect(one.resetMs).toBeGreaterThanOrEqual(0);
      }
    }),
  );
});

test("what was said is over after a while", () => {
  const said = [{ unit: "tokens", remaining: 0, limit: null, resetMs: 5_000 }] as const;
  expect(laterBy(said, 2_000)).toEqual([{ ...said[0], resetMs: 3_000 }]);
  expect(laterBy(said, 5_000)).toEqual([]);
});
