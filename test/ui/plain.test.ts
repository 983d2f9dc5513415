import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Event } from "../../src/core/event.ts";
import { foldRun } from "../../src/core/fold-run.ts";
import { createNdjsonScreen, eventLine, resultLine } from "../../src/ui/ndjson.ts";
import { createPlainScreen } from "../../src/ui/plain.ts";
import { hostileText, UNPRINTABLE } from "./hostile.ts";
import {
  blob,
  CREATED,
  lost,
  overloaded,
  RID,
  reserved,
  reused,
  SAMPLE_EVENTS,
  SAMPLE_STEPS,
  stored,
  told,
  tool,
  toolDone,
} from "./sample-run.ts";

const program = fileURLToPath(new URL("./show-run.ts", import.meta.url));

/** A stream that keeps what it is given. */
function kept() {
  const chunks: string[] = [];
  return { write: (text: string) => chunks.push(text), text: () => chunks.join("") };
}

/** A run in which everything that comes from elsewhere is the same hostile text. */
function hostileRun(text: string): readonly Event[] {
  const call = { id: "c", stepId: "build", role: "doer", model: `zai/${text}` };
  const created = CREATED as Event & { type: "run.created" };
  const failed = overloaded(call) as Event & { type: "call.settled" };
  const failure = { class: "server", message: text, httpStatus: 500, retryAfterMs: null, mayBeBilled: true } as const;
  return [
    { ...created, title: text, pipelineName: text, base: { ...created.base, branch: text } },
    { type: "workspace.created", path: `/tmp/${text}`, branch: text, notices: [text, text] },
    { type: "workspace.prepared", tree: "t", copied: [text] },
    tool("build", "t", text, text),
    toolDone("build", "t", text, text),
    reserved(call),
    { ...failed, result: { type: "failed", failure, partial: blob() } },
    {
      type: "command.finished",
      commandId: "x",
      purpose: "baseline",
      stepId: null,
      command: text,
      end: { exitCode: 1, endedBy: null, durationMs: 1, output: blob(), stdout: blob() },
      tree: "t",
      treeAfter: "t",
    },
    { type: "command.interrupted", commandId: "y", purpose: "until", stepId: text, command: text },
    { type: "tool.interrupted", stepId: text, toolCallId: "t", tool: text, subject: text, outside: true },
    { ...(reserved(call) as Event & { type: "call.reserved" }), callId: text, retryOf: text, shrunk: true },
    lost({ ...call, id: text, stepId: text }, { reason: text, partial: blob() }),
    reused(text, { from: text }),
    { type: "run.imported", repository: text, resultsDir: text },
    { type: "pipeline.changed", pipeline: { sha256: text, sizeBytes: 1 }, pipelineName: text, inputs: {} },
    { type: "run.rewound", to: text, steps: [text, text], tree: text },
    { type: "workspace.restored", tree: text, kept: text },
    { type: "budget.warned", scope: `step:${text}`, percent: 75 },
    { type: "step.interrupted", stepId: "build", conversation: 1, reason: text },
    { type: "run.ended", status: "failed", exitCode: 1, reason: text, hint: text },
  ];
}

test("law: whatever is in the facts, plain lines hold no control character and obey no CI runner", () => {
  fc.assert(
    fc.property(hostileText, (text) => {
      const stream = kept();
      const screen = createPlainScreen({ stream, steps: SAMPLE_STEPS });
      const events = stored(hostileRun(text).map((event) => [1, event] as const));
      for (const [event, run] of told(events)) screen.event(event, run);
      screen.delta({ type: "delta.waiting", stepId: "build", reason: text, waitMs: 1 });
      screen.close();
      const lines = stream.text().split("\n");
      expect(lines.pop()).toBe("");
      // Twenty facts, two of them (the tool's start, the first reservation) without a line, and the wait.
      expect(lines).toHaveLength(19);
      for (const line of lines) {
        expect(line).not.toMatch(UNPRINTABLE);
        expect(line).not.toMatch(/^\s*::|##\[|##vso\[/i);
      }
    }),
    { numRuns: 300 },
  );
});

test("law: machine output is one line of JSON a fact, without a control character, and loses nothing", () => {
  fc.assert(
    fc.property(hostileText, (text) => {
      for (const event of stored(hostileRun(text).map((fact) => [1, fact] as const))) {
        const line = eventLine(event);
        expect(line.endsWith("\n")).toBe(true);
        expect(line.slice(0, -1)).not.toMatch(/[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]/);
        expect(JSON.parse(line)).toEqual({ v: 1, ...event });
      }
    }),
    { numRuns: 300 },
  );
});

test("text deltas are not in plain or machine output", () => {
  const stream = kept();
  const screens = [createPlainScreen({ stream, steps: [] }), createNdjsonScreen(stream)];
  for (const screen of screens) {
    screen.delta({ type: "delta.text", stepId: "build", text: "hello" });
    screen.delta({ type: "delta.tool_call", stepId: "build", tool: "edit" });
    screen.close();
  }
  expect(stream.text()).toBe("");
});

test("a notice is a plain line, and nothing in machine output", () => {
  const plain = kept();
  const json = kept();
  createPlainScreen({ stream: plain, steps: [] }).notice("pausing\nsoon");
  createNdjsonScreen(json).notice("pausing");
  expect([plain.text(), json.text()]).toEqual(["ccp: pausing soon\n", ""]);
});

test("the result of a run is one line with its figures and what the caller adds", () => {
  const run = foldRun(RID, SAMPLE_EVENTS);
  const line = resultLine(run, { next: ["ccp diff r-9q1x7k"] });
  expect(line.indexOf("\n")).toBe(line.length - 1);
  expect(JSON.parse(line)).toEqual({
    v: 1,
    type: "result",
    rid: RID,
    status: "succeeded",
    exitCode: 0,
    reason: null,
    hint: null,
    costNanos: 910_000_000,
    heldNanos: 0,
    tokens: 67_310,
    activeMs: 140_344,
    lostCalls: 1,
    steps: [
      { id: "plan", status: "succeeded", tries: 1, calls: 1, tokens: 13_010, costNanos: 40_000_000 },
      { id: "build", status: "succeeded", tries: 2, calls: 4, tokens: 15_200, costNanos: 760_000_000 },
      { id: "test", status: "succeeded", tries: 2, calls: 0, tokens: 0, costNanos: 0 },
      { id: "review", status: "succeeded", tries: 2, calls: 2, tokens: 19_100, costNanos: 110_000_000 },
    ],
    next: ["ccp diff r-9q1x7k"],
  });
});

test("a pipe gets no escape code, colours asked for or not", () => {
  const script = `"$0" "$1" plain color 2>&1`;
  const output = execFileSync("bash", ["-c", script, process.execPath, program], { encoding: "utf8" });
  expect(output.split("\n").length).toBeGreaterThan(30);
  expect(output.replaceAll("\n", "")).not.toMatch(UNPRINTABLE);
});

test.each([
  ["plain", "stderr"],
  ["live", "stderr"],
  ["json", "stdout"],
])("in %s mode a reader that goes away does not end the run", async (mode, gone) => {
  const child = spawn(process.execPath, [program, mode], { stdio: ["ignore", "pipe", "pipe"] });
  (gone === "stderr" ? child.stderr : child.stdout).destroy();
  (gone === "stderr" ? child.stdout : child.stderr).resume();
  const [code, signal] = await once(child, "exit");
  expect({ code, signal }).toEqual({ code: 0, signal: null });
});
