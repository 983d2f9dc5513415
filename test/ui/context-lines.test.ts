import { expect, test } from "vitest";
import type { EventOf } from "../../src/core/event.ts";
import type { TranscriptEntry } from "../../src/core/transcript.ts";
import { contextLine } from "../../src/ui/context-lines.ts";
import { renderTranscript } from "../../src/ui/transcript.ts";
import { START, usage, usd } from "./sample-run.ts";

const ref = { sha256: "0", sizeBytes: 1 };
const sizes = { stepId: "build", tokensBefore: 95_000, tokensAfter: 41_200 };
const summarised: EventOf<"context.summarised"> = {
  type: "context.summarised",
  text: ref,
  summary: ref,
  upTo: 9,
  shrank: true,
  ...sizes,
};

test("a line says by how much the context became smaller, and how", () => {
  expect(contextLine({ type: "context.pruned", masks: ref, results: 12, ...sizes })).toEqual({
    kind: "detail",
    text: "  build  context made smaller: 95.0k → 41.2k tokens, 12 old results left out",
  });
  expect(contextLine(summarised).text).toBe("  build  context made smaller: 95.0k → 41.2k tokens, summarised");
  expect(contextLine({ ...summarised, summary: null, shrank: false })).toEqual({
    kind: "warning",
    text: "! build  context made smaller: 95.0k → 41.2k tokens, without a summary of a model's",
  });
});

test("a transcript shows what stands for what, whose question was a summary's, and what was read past the cache", () => {
  const of = (entry: object): TranscriptEntry => ({ at: START, ...entry }) as TranscriptEntry;
  const call = {
    kind: "call",
    model: "zai/glm-5",
    usage: usage(4000, 1000, 90),
    costNanos: usd(0.11),
    durationMs: 8000,
    failure: null,
    text: "",
  };
  const text = renderTranscript([
    of({ ...call, purpose: "compact" }),
    of({ kind: "utterance", utterance: { type: "draft", parts: [{ kind: "text", text: "Half done." }], stop: "end" } }),
    of({ kind: "shortened", before: 95_000, after: 41_200 }),
    of({
      kind: "utterance",
      utterance: { type: "pruned", masks: [{ toolCallId: "1", text: "[Left out]\u001b[31m" }] },
    }),
    of({
      kind: "utterance",
      utterance: { type: "summarised", text: "What remains.", summary: null, upTo: 3, shrank: true },
    }),
    of({ kind: "utterance", utterance: { type: "refused", model: "zai/glm-5" } }),
    of({ ...call, missed: { tokens: 21_300, nanos: usd(0.05) } }),
  ]);
  expect(
    text.replaceAll(/\d\d:\d\d:\d\d {2}/g, ""),
  ).toBe(`zai/glm-5, asked for a summary: 5.0k in (1.0k cached), 90 out  $0.11  8s

model, for a summary
    Half done.

context made smaller: 95.0k → 41.2k tokens

ccp: old results are left out from here on
    [Left out]

ccp: this stands for all above, but the task and the latest turns
    What remains.

the conversation is too long for this model

zai/glm-5: 5.0k in (1.0k cached), 90 out, 21.3k past the cache for $0.05 more  $0.11  8s
`);
});
