import fc from "fast-check";
import { expect, test } from "vitest";
import { NOTHING_SPENT } from "../../src/core/budget.ts";
import type { Event, StoredEvent } from "../../src/core/event.ts";
import { applyEvent, foldRun } from "../../src/core/fold-run.ts";
import { newRun, type Run } from "../../src/core/run.ts";
import { stepOf } from "../../src/core/step-table.ts";
import { lastPage } from "../../src/ui/last-page.ts";
import { LineFeed } from "../../src/ui/line-feed.ts";
import { PAST_EVENTS, type Past, runBefore } from "../../src/ui/past.ts";
import { createPlainScreen } from "../../src/ui/plain.ts";
import {
  answered,
  blob,
  CREATED,
  RID,
  reserved,
  SAMPLE_EVENTS,
  SAMPLE_STEPS,
  stored,
  tool,
  toolDone,
  usage,
  usd,
  WORKSPACE,
} from "./sample-run.ts";

const HOUR = 3_600_000;

/** The sample run with a pause of an hour before one of its events. */
function pausedAt(index: number): readonly StoredEvent[] {
  const facts = SAMPLE_EVENTS.map((event, place) => {
    const delayMs = event.at - (SAMPLE_EVENTS[place - 1]?.at ?? event.at);
    return [delayMs, event] as const;
  });
  const ended: Event = { type: "run.ended", status: "paused", exitCode: 130, reason: null, hint: null };
  const pause = [[10, ended] as const, [HOUR, { type: "run.resumed", epoch: 2 }] as const];
  return stored([...facts.slice(0, index), ...pause, ...facts.slice(index)]);
}

/** The past of which only so many of the last events are known. */
function lastOf(events: readonly StoredEvent[], count: number): Past {
  return { run: foldRun(RID, events), events: events.slice(-count) };
}

/** What of a run is counted. */
function counts(run: Run, ids: readonly string[]) {
  return {
    activeMs: run.activeMs,
    spend: (["run", "role:doer", "step:build", "step:review"] as const).map(
      (scope) => run.spend[scope] ?? NOTHING_SPENT,
    ),
    steps: ids.map((id) => {
      const {
        usage: used,
        calls,
        lostCalls,
      } = stepOf(run.steps, id) ?? { usage: usage(0, 0, 0), calls: 0, lostCalls: 0 };
      return { used, calls, lostCalls };
    }),
  };
}

const wayBack = SAMPLE_EVENTS.findIndex((event) => event.type === "steps.reset");
const place = fc.integer({ min: 1, max: SAMPLE_EVENTS.length - 1 });
const share = fc.integer({ min: 1, max: SAMPLE_EVENTS.length + 2 });

test("law: what a run had counted before its last events can be told from them and the run after them", () => {
  fc.assert(
    fc.property(place, share, (pause, count) => {
      const events = pausedAt(pause);
      const known = events.slice(-count);
      const ids = SAMPLE_STEPS.map(({ id }) => id);
      // Told from its first event on, for how long nothing had happened then nobody asks.
      const run = known.slice(0, 1).reduce(applyEvent, runBefore(lastOf(events, count)));
      expect(counts(run, ids)).toEqual(counts(foldRun(RID, events.slice(0, events.length - known.length + 1)), ids));
    }),
    { numRuns: 500 },
  );
});

test("law: the last page of a few events is that of all, but for what began before them", () => {
  fc.assert(
    fc.property(place, share, (pause, count) => {
      const events = pausedAt(pause);
      const known = events.slice(-count);
      const page = lastPage(lastOf(events, count), 100, SAMPLE_STEPS);
      const whole = lastPage(lastOf(events, events.length), 100, SAMPLE_STEPS).slice(-page.length);
      const begun = new Set(
        known.flatMap((event) => (event.type === "step.started" ? [`${event.stepId} ${event.conversation}`] : [])),
      );
      const used = new Set(known.flatMap((event) => (event.type === "tool.started" ? [event.tool] : [])));
      for (const [index, line] of page.entries()) {
        const [, stepId, , later] = /^[✓✗] (\w+) · (\w+)( \(2nd time\))?/.exec(line) ?? [];
        const isBegunBefore = stepId !== undefined && !begun.has(`${stepId} ${later === undefined ? 1 : 2}`);
        const toolName = /^ {2}\w+ {2}(read|edit)\b/.exec(line)?.[1];
        const isUsedBefore = toolName !== undefined && !used.has(toolName);
        if (!isBegunBefore && !isUsedBefore) expect(line).toBe(whole[index]);
      }
    }),
    // The pause comes between a rejection and the way back, and the page begins with it.
    { numRuns: 500, examples: [[wayBack, SAMPLE_EVENTS.length - wayBack + 2]] },
  );
});

const call = { id: "c", stepId: "build", role: "doer", model: "zai/glm-5" };
const started = (conversation: number): Event => ({
  type: "step.started",
  stepId: "build",
  conversation,
  tree: "t",
  prompt: null,
  fingerprint: null,
});
const finished = (conversation: number): Event => ({
  type: "step.finished",
  stepId: "build",
  conversation,
  outcome: { status: "succeeded", output: { sha256: "", sizeBytes: 0 }, finish: null },
  tree: "t",
});

/** A run whose step takes more events than a screen looks at; then it is resumed. */
function longRun(...tries: readonly number[]) {
  const work = Array.from({ length: PAST_EVENTS }, (_, index) => [
    tool("build", `t${index}`, "read", "a"),
    toolDone("build", `t${index}`, "read", "1 line"),
  ]).flat();
  const facts = tries.flatMap((conversation) => [
    started(conversation),
    { ...reserved({ ...call, id: `c${conversation}` }), conversation } as Event,
    answered({ ...call, id: `c${conversation}` }, usd(0.5), usage(1000, 0, 500), 10),
  ]);
  const events = stored([CREATED, WORKSPACE, ...facts, ...work].map((fact) => [1000, fact]));
  const past = lastOf(events, PAST_EVENTS);
  const later = [{ type: "run.resumed", epoch: 2 } as const, started(tries.length), finished(tries.length)];
  const at = past.run.lastAt + HOUR;
  return {
    past,
    later: later.map((fact, index) => ({ ...fact, seq: events.length + 1 + index, at: at + index * 1000 })),
  };
}

/** The lines of what comes after a past. */
function linesAfter({ past, later }: ReturnType<typeof longRun>): readonly string[] {
  const feed = new LineFeed(SAMPLE_STEPS, past);
  let run = past.run;
  return later.flatMap((event) => {
    run = applyEvent(run, event);
    return feed.event(event, run).map((line) => line.text);
  });
}

test("the only try of a step that began long ago ends with all its tokens and money, and without a time that nobody knows", () => {
  expect(linesAfter(longRun(1))).toEqual([
    "r-9q1x7k resumed: 0 steps done, $0.50 not spent again  budget $2.00, 30m",
    "▸ build · doer goes on  zai/glm-5, openai/gpt-6",
    "✓ build · doer  1.5k tokens  $0.50",
  ]);
});

test("a later try that began long ago says that the figures are those of all tries", () => {
  expect(linesAfter(longRun(1, 2)).at(-1)).toBe("✓ build · doer (2nd time)  3.0k tokens  $1.00  in all its tries");
});

test("a try that begins after a long past has figures of its own", () => {
  const { past, later } = longRun(1);
  const [resumed, , ended] = later;
  if (!resumed || !ended) throw new Error("nothing came later");
  const next = [resumed, { ...resumed, ...started(2) }, { ...ended, ...finished(2) }];
  expect(linesAfter({ past, later: next as typeof later }).at(-1)).toBe("✓ build · doer (2nd time)  2s");
});

const end = { exitCode: 1, endedBy: null, durationMs: 2000, output: blob(), stdout: blob() };
const check: Event = {
  type: "command.finished",
  commandId: "x",
  purpose: "until",
  stepId: "build",
  command: "npm test",
  end,
  tree: "t",
  treeAfter: "t",
};

test("how often a check has failed is counted from the beginning of the try under way, known or not", () => {
  const events = stored([CREATED, WORKSPACE, started(1), check, check, check].map((fact) => [1000, fact]));
  expect(lastPage(lastOf(events, 1))).toEqual(["  build  npm test: exit 1 (failed 3 times)  2s"]);
});

test("of a try that was over before the last began, no more failures are told than are known", () => {
  const facts = [CREATED, WORKSPACE, started(1), check, check, started(2), check];
  const events = stored(facts.map((fact) => [1000, fact]));
  expect(lastPage(lastOf(events, 3))[0]).toBe("  build  npm test: exit 1  2s");
});

test("a screen begins alike whether it is given the last events of a run or all of them", () => {
  const { past, later } = longRun(1);
  const shown = [past, { ...past, events: past.events.slice(-10) }].map((given) => {
    const chunks: string[] = [];
    const screen = createPlainScreen({
      stream: { write: (text) => chunks.push(text) },
      steps: SAMPLE_STEPS,
      past: given,
    });
    let run = past.run;
    for (const event of later) {
      run = applyEvent(run, event);
      screen.event(event, run);
    }
    screen.close();
    return chunks.join("");
  });
  expect(shown[0]).toContain("✓ build · doer  1.5k tokens  $0.50\n");
  expect(shown[1]).toBe(shown[0]);
});

test("a run without events has an empty past", () => {
  const run = newRun(RID);
  expect(runBefore({ run, events: [] })).toBe(run);
  expect(lastPage({ run, events: [] })).toEqual([]);
});
