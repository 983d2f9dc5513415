import { expect, test } from "vitest";
import type { Event } from "../../src/core/event.ts";
import { LineFeed } from "../../src/ui/line-feed.ts";
import {
  answered,
  blob,
  CREATED,
  lost,
  overloaded,
  reserved,
  SAMPLE_WAIT,
  stored,
  told,
  usage,
  usd,
} from "./sample-run.ts";

const call = { id: "c1", stepId: "build", role: "doer", model: "zai/glm-5" };
const again = { ...call, id: "c2" };
const spent = usage(4000, 0, 900);
type Settled = Event & { type: "call.settled" };
type Failed = Settled & { result: { type: "failed" } };

/** A feed that has heard these facts, and the lines that it made of them. */
function fed(...facts: readonly Event[]) {
  const feed = new LineFeed([]);
  const events = stored([CREATED, ...facts].map((fact) => [1000, fact]));
  const lines = told(events).flatMap(([event, run]) => feed.event(event, run));
  return { feed, lines: lines.slice(1) };
}

test("a lost call says what is kept of its text, and where that is shown", () => {
  expect(fed(lost(call, { partial: blob(1240) })).lines).toEqual([
    {
      kind: "warning",
      text: "! build  zai/glm-5: a call was sent and its outcome is unknown, charged in full: $0.10 (ccp was killed); 1.2 kB of its text is kept: ccp view r-9q1x7k --step build",
    },
  ]);
});

test("a call that asks a lost one again is never silent", () => {
  const { lines } = fed(reserved(call), lost(call), reserved({ ...again, model: "openai/gpt-6" }, { retryOf: "c1" }));
  expect(lines.at(-1)).toEqual({
    kind: "warning",
    text: "↻ build  openai/gpt-6: asks again what was lost as call c1; is asked now, in the place of zai/glm-5",
  });
});

test("another model in the middle of a conversation is never silent, the same one and one of a new try are", () => {
  const failed = overloaded(call);
  const other = { ...again, model: "openai/gpt-6" };
  const { lines } = fed(reserved(call), failed, reserved(again), overloaded(again), reserved(other));
  expect(lines.filter(({ text }) => text.includes("is asked now"))).toEqual([
    { kind: "warning", text: "↻ build  openai/gpt-6: is asked now, in the place of zai/glm-5" },
  ]);
});

test("an answer that broke off says so, settled or lost", () => {
  const failed = overloaded(call) as Failed;
  const broken = { ...failed.result.failure, class: "network", httpStatus: null, brokeOff: true } as const;
  const settled = { ...failed, costNanos: usd(0.02), result: { ...failed.result, failure: broken } };
  expect(fed(settled).feed.flush()[0]?.text).toContain(
    "! build  zai network, its answer broke off, charged $0.02: Overloaded",
  );
  const gone = { ...lost(call), failure: broken } as Event;
  expect(fed(reserved(call), gone).lines.at(-1)?.text).toContain(
    "an answer broke off and its price is unknown, charged in full: $0.10",
  );
});

test("one that asks again, of a file, with a shorter answer says all of it", () => {
  const { lines } = fed(
    reserved({ ...call, model: "scripted/demo" }, { retryOf: "c0", shrunk: true, maxTokens: 1024 }),
  );
  expect(lines).toEqual([
    {
      kind: "warning",
      text: "↻ build  scripted (demo): asks again what was lost as call c0; its answers are read from a file, no model is asked; answer limited to 1,024 tokens: that is what the budget holds",
    },
  ]);
});

const cut: Event = {
  ...(answered(call, usd(0.1), spent, 8000) as Settled),
  result: { type: "answered", parts: blob(), stop: "length", servedBy: null, cut: true },
};

test("an answer that ccp has cut says at how many tokens", () => {
  expect(fed(reserved(call, { maxTokens: 4096 }), cut).lines).toEqual([
    {
      kind: "warning",
      text: "! build  zai/glm-5: 4.0k in, 900 out  $0.10  8s  cut: the provider sent more than the 4,096 tokens it was asked for",
    },
  ]);
});

test("one whose reservation is not known here is told as cut all the same", () => {
  expect(fed(cut).lines[0]?.text).toContain("8s  cut: the provider sent more tokens than it was asked for");
});

test.each([
  [0.105, 0.1, "the provider charged $0.105, the price list says $0.100"],
  [0.09, 0.1, "the provider charged $0.0900, the price list says $0.1000"],
  [0.0000012, 0.000001, "the provider charged $0.00000120, the price list says $0.00000100"],
  [0.1021, 0.1, "the provider charged $0.102, the price list says $0.100"],
  [12.5, 12, "the provider charged $12.50, the price list says $12.00"],
  [0.1, 0, "the provider charged $0.100, the price list says $0.00"],
])("a charge of %d where the list says %d is told as drift, with digits that show it", (cost, listed, text) => {
  const event = { ...(answered(call, usd(cost), spent, 8000) as Settled), listedNanos: usd(listed) };
  const [line] = fed(reserved(call), event).lines;
  // Not a detail: that would be cut to the terminal's width.
  expect(line?.kind).toBe("note");
  expect(line?.text.endsWith(`8s  ${text}`)).toBe(true);
});

test.each([
  [usd(0.102), usd(0.1)],
  [usd(0.1), usd(0.1)],
  [usd(0.1), null],
])("no drift is told of a charge of %d beside %d", (cost, listedNanos) => {
  const event = { ...(answered(call, cost, spent, 8000) as Settled), listedNanos };
  expect(fed(reserved(call), event).lines).toEqual([
    { kind: "detail", text: "  build  zai/glm-5: 4.0k in, 900 out  $0.10  8s" },
  ]);
});

test("a failed call says what is kept of its text, whether it is tried again or not", () => {
  const failed = overloaded(call) as Failed;
  const event = { ...failed, result: { ...failed.result, partial: blob(1240) } };
  const kept = "nothing lost: Overloaded; 1.2 kB of its text is kept: ccp view r-9q1x7k --step build";
  expect(fed(event).feed.flush()[0]?.text).toBe(`! build  zai overloaded (529), ${kept}`);
  const [retry] = fed(event).feed.delta(SAMPLE_WAIT);
  expect(retry?.text).toBe(`↻ build  zai overloaded (529), retry in 24s, ${kept}`);
});

test("facts from before there were partial answers, price lists and retries on record are told as far as they go", () => {
  const old = (event: Event, ...keys: readonly string[]) =>
    Object.fromEntries(Object.entries(event).filter(([key]) => !keys.includes(key))) as Event;
  const { lines } = fed(
    old(reserved(call), "facts", "retryOf"),
    old(answered(call, usd(0.1), spent, 8000), "listedNanos"),
    old(lost(again), "failure", "partial"),
  );
  expect(lines.map((line) => line.text)).toEqual([
    "  build  zai/glm-5: 4.0k in, 900 out  $0.10  8s",
    "! build  zai/glm-5: a call was sent and its outcome is unknown, charged in full: $0.10 (ccp was killed)",
  ]);
});
