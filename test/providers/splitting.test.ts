import fc from "fast-check";
import { describe, it } from "vitest";
import { STORIES } from "../support/wire-stories.ts";
import { contentTypeOf, endOf, framed, lane, pieces, REAL_WIRES, request, SENDERS } from "../support/wires.ts";

describe.each(REAL_WIRES)("%s", (wire) => {
  it.each([
    ["LF", "\n"],
    ["CRLF", "\r\n"],
  ])("splitting a stream (%s) at any bytes gives the same answer", async (_, newline) => {
    const bytes = Buffer.from(framed(wire, STORIES[wire], newline));
    const read = (parts: readonly Uint8Array[]) =>
      endOf(SENDERS[wire](lane(wire), request(), pieces(parts, contentTypeOf(wire))));
    const whole = JSON.stringify(await read([bytes]));
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.integer({ min: 1, max: bytes.length - 1 }), { maxLength: 12 }),
        async (cuts) => {
          const at = [0, ...cuts.sort((a, b) => a - b), bytes.length];
          const parts = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
          return JSON.stringify(await read(parts)) === whole;
        },
      ),
      { numRuns: 150 },
    );
  });
});
