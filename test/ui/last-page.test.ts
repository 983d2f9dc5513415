import { expect, test } from "vitest";
import type { StoredEvent } from "../../src/core/event.ts";
import { foldRun } from "../../src/core/fold-run.ts";
import { lastPage } from "../../src/ui/last-page.ts";
import type { Past } from "../../src/ui/past.ts";
import { RID, SAMPLE_EVENTS, SAMPLE_STEPS } from "./sample-run.ts";

/** A past of which everything is known. */
function whole(events: readonly StoredEvent[]): Past {
  return { run: foldRun(RID, events), events };
}

test("the last page is the end of what plain lines would have told, oldest first", () => {
  expect(lastPage(whole(SAMPLE_EVENTS.slice(0, 14)), 4, SAMPLE_STEPS)).toEqual([
    "  plan  read src/items.js: 120 lines",
    "✓ plan · planner  11s  13.0k tokens  $0.04",
    "  wrote results/r-9q1x7k/PLAN.md, 2.1 kB",
    "▸ build · doer  zai/glm-5, openai/gpt-6",
  ]);
});

test("a failed call is on it as it stands on record, and without the pipeline ids stand for titles", () => {
  expect(lastPage(whole(SAMPLE_EVENTS.slice(0, 18)), 2)).toEqual([
    "! build  zai overloaded (529), nothing lost: Overloaded",
    "  build  zai/glm-5: 4.0k in, 900 out  $0.11  8s",
  ]);
  expect(lastPage(whole(SAMPLE_EVENTS.slice(0, 16)), 1)).toEqual([
    "! build  zai overloaded (529), nothing lost: Overloaded",
  ]);
});

test("a short run is shown whole, and a run without events is an empty page", () => {
  expect(lastPage(whole(SAMPLE_EVENTS))).toHaveLength(20);
  expect(lastPage(whole(SAMPLE_EVENTS.slice(0, 3)))).toHaveLength(3);
  expect(lastPage(whole([]))).toEqual([]);
});
