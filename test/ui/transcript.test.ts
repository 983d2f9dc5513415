import fc from "fast-check";
import { expect, test } from "vitest";
import type { TranscriptEntry } from "../../src/core/transcript.ts";
import { renderTranscript } from "../../src/ui/transcript.ts";
import { hostileText, UNPRINTABLE } from "./hostile.ts";
import { START, usage, usd } from "./sample-run.ts";

const failure = {
  class: "overloaded",
  message: "Overloaded",
  httpStatus: 529,
  retryAfterMs: null,
  mayBeBilled: false,
} as const;
const call = {
  kind: "call",
  model: "zai/glm-5",
  usage: usage(4000, 1000, 90),
  costNanos: usd(0.11),
  durationMs: 8000,
  text: "",
} as const;

/** Entries one second apart. */
function entries(
  ...given: readonly (TranscriptEntry extends infer E ? (E extends unknown ? Omit<E, "at"> : never) : never)[]
) {
  return given.map((entry, index) => ({ ...entry, at: START + index * 1000 }) as TranscriptEntry);
}

test("a step's transcript reads as a conversation with its costs", () => {
  const text = renderTranscript(
    entries(
      { kind: "note", text: "try 1" },
      { kind: "prompt", system: "You change code.\n\nCarefully.", text: "Return 404" },
      { ...call, failure },
      { ...call, failure: null },
      {
        kind: "utterance",
        utterance: {
          type: "answered",
          stop: "tool_calls",
          parts: [
            { kind: "reasoning", text: "It must be the handler.", opaque: null, source: "" },
            { kind: "text", text: "\nI look.\n" },
            { kind: "tool_call", id: "1", name: "edit", rawArguments: '{"path":"a.js","new":"x\\ny","times":2}' },
          ],
        },
      },
      {
        kind: "utterance",
        utterance: { type: "tool", toolCallId: "1", name: "edit", text: "+1 −0", status: "ok", finish: null },
      },
      {
        kind: "command",
        command: "npm test",
        end: { exitCode: 1, endedBy: null, durationMs: 900 },
        output: "1 failed\n\n",
      },
      { kind: "utterance", utterance: { type: "said", why: "check-failed", text: "It still fails." } },
      { kind: "lost", model: "zai/glm-5", heldNanos: usd(0.1), reason: "ccp was killed", text: "" },
    ),
  );
  expect(text.split("\n")).toEqual([
    "10:00:00  try 1",
    "",
    "10:00:01  prompt",
    "    You change code.",
    "",
    "    Carefully.",
    "",
    "    Return 404",
    "",
    "10:00:02  zai/glm-5: overloaded (529): Overloaded  $0.11",
    "",
    "10:00:03  zai/glm-5: 5.0k in (1.0k cached), 90 out  $0.11  8s",
    "",
    "10:00:04  model",
    "    | It must be the handler.",
    "    I look.",
    "    → edit",
    "        path: a.js",
    "        new:",
    "          x",
    "          y",
    "        times: 2",
    "",
    "10:00:05  result of edit",
    "    +1 −0",
    "",
    "10:00:06  $ npm test: exit 1  0.9s",
    "    1 failed",
    "",
    "10:00:07  ccp: the check failed",
    "    It still fails.",
    "",
    "10:00:08  zai/glm-5: a call was sent and its outcome is unknown, charged in full: $0.10 (ccp was killed)",
    "",
  ]);
});

test.each(["{broken", '["a"]', "null", ""])(
  "arguments that are no object are shown as they came: %j",
  (rawArguments) => {
    const parts = [{ kind: "tool_call", id: "1", name: "edit", rawArguments }] as const;
    const text = renderTranscript(
      entries({ kind: "utterance", utterance: { type: "answered", stop: "length", parts } }),
    );
    expect(text).toBe(`10:00:00  model (cut at its limit)\n    → edit\n${`        ${rawArguments}`.trimEnd()}\n`);
  },
);

test("long output can be cut, and says so", () => {
  const output = "1\n2\n3\n4\n5";
  const command = {
    kind: "command",
    command: "seq 5",
    end: { exitCode: 0, endedBy: null, durationMs: 5 },
    output,
  } as const;
  expect(renderTranscript(entries(command), { maxOutputLines: 3 })).toBe(
    "10:00:00  $ seq 5: passed  0.0s\n    1\n    2\n    3\n    … 2 lines more\n",
  );
});

test("what arrived of an answer that failed or was lost is shown, and taken for no answer", () => {
  const lost = { kind: "lost", model: "zai/glm-5", heldNanos: usd(0.1), reason: "ccp was killed" } as const;
  const text = renderTranscript(
    entries({ ...call, failure, text: "\nI look at\n  the hand" }, { ...lost, text: "10:00:02  model\n" }),
  );
  expect(text.split("\n")).toEqual([
    "10:00:00  zai/glm-5: overloaded (529): Overloaded  $0.11",
    "    a part of an answer that did not arrive whole, and is not used:",
    "    ┆ I look at",
    "    ┆   the hand",
    "",
    "10:00:01  zai/glm-5: a call was sent and its outcome is unknown, charged in full: $0.10 (ccp was killed)",
    "    a part of an answer that did not arrive whole, and is not used:",
    "    ┆ 10:00:02  model",
    "",
  ]);
});

test("an unfinished answer can be cut like any output", () => {
  const text = renderTranscript(entries({ ...call, failure, text: "1\n2\n3" }), { maxOutputLines: 1 });
  expect(text).toContain("    ┆ 1\n    ┆ … 2 lines more\n");
});

test("law: whatever was said, nothing of it can drive a terminal or a CI runner", () => {
  fc.assert(
    fc.property(hostileText, hostileText, (text, more) => {
      const shown = renderTranscript(
        entries(
          { kind: "note", text },
          { kind: "prompt", system: text, text: more },
          { ...call, model: text, failure: { ...failure, message: more }, text },
          { kind: "lost", model: text, heldNanos: 1, reason: more, text: `${more}\n${text}` },
          { kind: "command", command: text, end: { exitCode: 0, endedBy: null, durationMs: 1 }, output: more },
          { kind: "utterance", utterance: { type: "said", why: "task", text } },
          {
            kind: "utterance",
            utterance: {
              type: "answered",
              stop: "end",
              parts: [
                { kind: "text", text },
                { kind: "reasoning", text: more, opaque: null, source: "" },
                { kind: "tool_call", id: "1", name: text, rawArguments: JSON.stringify({ [text]: more }) },
                { kind: "tool_call", id: "2", name: more, rawArguments: text },
              ],
            },
          },
          {
            kind: "utterance",
            utterance: { type: "tool", toolCallId: "1", name: more, text, status: "error", finish: null },
          },
        ),
      );
      for (const line of shown.split("\n")) {
        expect(line).not.toMatch(UNPRINTABLE);
        expect(line).not.toMatch(/^\s*::|##\[|##vso\[/i);
      }
    }),
    { numRuns: 300 },
  );
});
