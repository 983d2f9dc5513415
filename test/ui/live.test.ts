import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Event, StoredEvent } from "../../src/core/event.ts";
import type { Run } from "../../src/core/run.ts";
import { LiveScreen } from "../../src/ui/live.ts";
import type { Past } from "../../src/ui/past.ts";
import { createPlainScreen } from "../../src/ui/plain.ts";
import type { StepLabel } from "../../src/ui/step-label.ts";
import { hostileText } from "./hostile.ts";
import {
  blob,
  CREATED,
  lost,
  overloaded,
  reserved,
  reused,
  SAMPLE_EVENTS,
  SAMPLE_STEPS,
  SAMPLE_WAIT,
  START,
  stored,
  told,
  tool,
  toolDone,
} from "./sample-run.ts";
import { Terminal } from "./terminal.ts";

/** A live screen on a terminal whose clock and frames the test moves. */
async function started(
  terminal: Terminal,
  steps: readonly StepLabel[] = SAMPLE_STEPS,
  color = true,
  past?: Past | undefined,
) {
  let clock = START;
  const ticks = new Set<() => void>();
  const screen = new LiveScreen({
    stream: terminal,
    steps,
    color,
    past,
    now: () => clock,
    ticker: (_, tick) => {
      ticks.add(tick);
      return () => ticks.delete(tick);
    },
  });
  await screen.ready;
  // listr2 starts its tasks a few turns of the promise queue later.
  await new Promise((resolve) => setImmediate(resolve));
  return {
    screen,
    ticks,
    tick: (ms = 0) => {
      clock += ms;
      for (const tick of ticks) tick();
    },
    show: ([event, run]: readonly [StoredEvent, Run]) => {
      clock = event.at;
      screen.event(event, run);
      if (event.type === "call.settled" && event.result.type === "failed") screen.delta(SAMPLE_WAIT);
    },
  };
}

function plainLines(): readonly string[] {
  const chunks: string[] = [];
  const screen = createPlainScreen({ stream: { write: (text) => chunks.push(text) }, steps: SAMPLE_STEPS });
  for (const [event, run] of told(SAMPLE_EVENTS)) {
    screen.event(event, run);
    if (event.type === "call.settled" && event.result.type === "failed") screen.delta(SAMPLE_WAIT);
  }
  screen.close();
  return chunks.join("").trimEnd().split("\n");
}

/** Lines as they were before they were wrapped: what is indented by four goes on from the line above. */
function unwrapped(lines: readonly string[]): readonly string[] {
  return lines
    .join("\n")
    .replace(/\n {4}/g, " ")
    .split("\n");
}

/** True when every plain line is on the terminal, in order, whole or (where it was cut) as far as the ellipsis. */
function expectAllOf(plain: readonly string[], shown: readonly string[]): void {
  const squeezed = (text: string) => text.replace(/\s+/g, " ").trim();
  let from = 0;
  for (const line of plain) {
    const isLine = (text: string) =>
      squeezed(text) === squeezed(line) ||
      (text.endsWith("…") && squeezed(line).startsWith(squeezed(text).slice(0, -1)));
    const found = shown.findIndex((text, index) => index >= from && isLine(text));
    expect(found, `"${line}" in order in\n${shown.join("\n")}`).toBeGreaterThanOrEqual(0);
    from = found + 1;
  }
}

test("after the run the terminal reads as if plain lines had been printed", async () => {
  const terminal = new Terminal(220, 24);
  const live = await started(terminal);
  for (const fact of told(SAMPLE_EVENTS)) {
    live.show(fact);
    live.tick();
  }
  live.screen.close();
  expect(terminal.text()).toEqual(plainLines());
});

test.each([
  [80, 24],
  [40, 10],
  [30, 4],
  [200, 60],
])("at %ix%i every fact stays in the scrollback and no line of the list breaks", async (columns, rows) => {
  const terminal = new Terminal(columns, rows);
  const live = await started(terminal);
  for (const fact of told(SAMPLE_EVENTS)) {
    live.show(fact);
    live.tick(150);
    expect(terminal.screen().length).toBeLessThanOrEqual(rows);
  }
  live.screen.close();
  expectAllOf(plainLines(), unwrapped(terminal.text()));
  // Of all that was shown only the worktree's path is longer than a narrow terminal is wide.
  expect(terminal.brokenRows()).toBeLessThanOrEqual(columns >= 80 ? 0 : 1);
});

test("law: whenever frames come and however the window is dragged, no fact is lost", async () => {
  const facts = told(SAMPLE_EVENTS);
  const plain = plainLines();
  const moves = fc.array(
    fc.record({
      afterEvent: fc.nat(facts.length - 1),
      columns: fc.integer({ min: 20, max: 120 }),
      rows: fc.integer({ min: 3, max: 40 }),
      reflow: fc.boolean(),
    }),
    { maxLength: 4 },
  );
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 9 }), moves, async (every, resizes) => {
      const terminal = new Terminal(90, 20);
      const live = await started(terminal);
      for (const [index, fact] of facts.entries()) {
        live.show(fact);
        if (index % every === 0) live.tick();
        for (const to of resizes) if (to.afterEvent === index) terminal.resize(to.columns, to.rows, to.reflow);
      }
      live.screen.close();
      expectAllOf(plain, unwrapped(terminal.text()));
    }),
    { numRuns: 60 },
  );
});

test("after every single write the cursor is there and lines wrap: even kill -9 leaves the terminal as it was", async () => {
  const terminal = new Terminal(80, 24);
  const live = await started(terminal);
  for (const fact of told(SAMPLE_EVENTS)) {
    live.show(fact);
    live.tick(1000);
    expect(terminal).toMatchObject({ isCursorShown: true, isWrapping: true });
  }
  live.screen.close();
  expect(terminal).toMatchObject({ isCursorShown: true, isWrapping: true });
});

test("nothing is cleared and no other screen or mouse mode is used", async () => {
  const terminal = new Terminal(80, 24);
  const live = await started(terminal);
  for (const fact of told(SAMPLE_EVENTS)) {
    live.show(fact);
    live.tick(1000);
  }
  live.screen.close();
  const used = new Set(
    terminal.bytes.match(/\x1b(?:\[[0-9;?]*[A-Za-z]|[^[])/g)?.map((code) => code.replace(/\d+A/, "A")),
  );
  const moves = [...used].filter((code) => !code.endsWith("m"));
  expect(moves.sort()).toEqual(
    [
      "\x1b7",
      "\x1b8",
      "\x1b[?2026h",
      "\x1b[?2026l",
      "\x1b[?25h",
      "\x1b[?25l",
      "\x1b[?7h",
      "\x1b[?7l",
      "\x1b[A",
      "\x1b[J",
      "\x1b[K",
    ].sort(),
  );
});

/** The screen at the first event of the sample that `is`. */
async function screenAt(
  is: (event: StoredEvent) => boolean,
  columns: number,
  rows: number,
): Promise<readonly string[]> {
  const terminal = new Terminal(columns, rows);
  const live = await started(terminal);
  for (const fact of told(SAMPLE_EVENTS)) {
    live.show(fact);
    if (is(fact[0])) break;
  }
  live.tick(2000);
  live.screen.delta({ type: "delta.text", stepId: "build", text: "Now I see\x1b[2" });
  live.screen.delta({ type: "delta.text", stepId: "build", text: "J the handler" });
  live.tick();
  return terminal.screen().filter((line) => line !== "");
}

const isLastCall = (event: StoredEvent) => event.type === "call.reserved" && event.callId === "c6";

test("the list tells of each step its state, what it does, tokens, cost and time, and the totals", async () => {
  const lines = await screenAt(isLastCall, 80, 24);
  expect(lines.slice(-5)).toEqual([
    "✓ plan · planner                                           13.0k   $0.04    11s",
    "⠙ build · doer (2nd time)  says: Now I see the handler      4.9k   $0.21  1m41s",
    "· test · command",
    "· review · reviewer",
    "── $0.31 of $2.00 ▓▓░░░░░░░░ 15% (+$0.10 held)  2m08s of 30m  1/4 steps",
  ]);
});

test("at 40x10 what a step does stands on a line of its own", async () => {
  const lines = await screenAt(isLastCall, 40, 10);
  expect(lines.slice(-6)).toEqual([
    "✓ plan · planner           $0.04    11s",
    "⠙ build · doer (2nd ti…    $0.21  1m41s",
    "  says: Now I see the handler",
    "· test · command",
    "· review · reviewer",
    "$0.31 of $2.00  2m08s  1/4",
  ]);
});

test("with more steps than rows the list shows the one at work and what comes next", async () => {
  const steps = Array.from({ length: 30 }, (_, index) => ({ id: `step-${index}`, role: null, models: [] }));
  const outcome = { status: "succeeded", output: { sha256: "", sizeBytes: 0 }, finish: null } as const;
  const begun = (index: number) =>
    ({
      type: "step.started",
      stepId: `step-${index}`,
      conversation: 1,
      tree: "t",
      prompt: null,
      fingerprint: null,
    }) as const;
  const done = Array.from({ length: 20 }, (_, index) => [
    [1, begun(index)] as const,
    [1, { type: "step.finished", stepId: `step-${index}`, conversation: 1, outcome, tree: "t" }] as const,
  ]).flat();
  const terminal = new Terminal(80, 10);
  const live = await started(terminal, steps);
  for (const fact of told(stored([[0, CREATED], ...done, [1, begun(20)]]))) live.show(fact);
  live.tick();
  const list = terminal.screen().filter((line) => /^[·⠋⠙] step/.test(line));
  expect(list.map((line) => line.slice(2, 9))).toEqual([20, 21, 22, 23, 24, 25, 26].map((index) => `step-${index}`));
  expect(terminal.screen().join("\n")).toContain("20/30 steps");
  live.screen.close();
});

test("in the list of a resumed run a step has the time that is known of it, and none where only a part is", async () => {
  const facts = told(SAMPLE_EVENTS);
  const isBegun = (event: StoredEvent) => event.type === "step.started" && event.stepId === "build";
  const begun = SAMPLE_EVENTS.findIndex(isBegun);
  const [before, after] = [SAMPLE_EVENTS.slice(0, begun + 8), facts.slice(begun + 8, -1)];
  const run = facts[begun + 7]?.[1];
  if (!run) throw new Error("the sample is too short");
  const shown = [before, before.slice(begun), before.slice(begun + 1)].map(async (events) => {
    const terminal = new Terminal(80, 24);
    const live = await started(terminal, SAMPLE_STEPS, true, { run, events });
    for (const fact of after) live.show(fact);
    live.tick();
    const lines = terminal.screen().filter((line) => /^✓ .*\d$|^✓ .*s$/.test(line));
    live.screen.close();
    return lines.slice(-4, -2).map((line) => line.replace(/^.*(\$\S+)/, "$1").replace(/ +/, " "));
  });
  expect(await Promise.all(shown)).toEqual([
    ["$0.04 11s", "$0.76 1m44s"],
    // Of the planner's step nothing is known but the fold, the doer's begins with what is known.
    ["$0.04", "$0.76 1m44s"],
    ["$0.04", "$0.76"],
  ]);
});

test("a step that another run did says so in the list, and has no time of its own", async () => {
  const terminal = new Terminal(80, 24);
  const live = await started(terminal);
  for (const fact of told(
    stored([
      [0, CREATED],
      [1, reused("plan")],
    ]),
  ))
    live.show(fact);
  live.tick(5000);
  expect(terminal.screen().filter((line) => line.startsWith("✓ plan"))).toEqual([
    "✓ plan · planner  reused from r-abc123, $0.12 saved",
    "✓ plan · planner     reused from r-abc123, $0.12 saved",
  ]);
  live.screen.close();
});

test("what was interrupted is not shown as under way", async () => {
  const terminal = new Terminal(80, 24);
  const live = await started(terminal);
  const interrupted = { toolCallId: "t", tool: "bash", subject: "npm test", outside: true } as const;
  const command = { commandId: "x", purpose: "baseline", stepId: null, command: "npm run lint" } as const;
  const facts: readonly Event[] = [
    CREATED,
    { type: "step.started", stepId: "build", conversation: 1, tree: "t", prompt: null, fingerprint: null },
    tool("build", "t", "bash", "npm test"),
    { type: "command.started", ...command, tree: "t" },
    { type: "tool.interrupted", stepId: "build", ...interrupted },
    { type: "command.interrupted", ...command },
  ];
  for (const fact of told(stored(facts.map((event) => [1, event])))) live.show(fact);
  live.tick();
  const list = terminal.screen().slice(-6).join("\n");
  expect(list).toMatch(/⠋ build · doer +0\.0s\n/);
  expect(list).not.toContain("npm");
  live.screen.close();
});

test("a command of the engine's own shows while it runs", async () => {
  const lines = await screenAt((event) => event.type === "command.started", 80, 24);
  expect(lines.at(-2)).toBe("⠋ set-up: npm run prepare");
});

test("frames come ten a second at most, and none while nothing changes", async () => {
  const terminal = new Terminal(80, 24);
  const live = await started(terminal);
  for (const fact of told(SAMPLE_EVENTS).slice(0, 10)) live.show(fact);
  live.tick();
  const before = terminal.writes;
  for (const fact of told(SAMPLE_EVENTS).slice(10, 20)) live.show(fact);
  expect(terminal.writes).toBe(before);
  live.tick();
  expect(terminal.writes).toBe(before + 1);
  live.tick();
  expect(terminal.writes).toBe(before + 1);
});

test("a frame redraws only the lines that changed", async () => {
  const terminal = new Terminal(80, 24);
  const live = await started(terminal);
  for (const fact of told(SAMPLE_EVENTS).slice(0, 9)) live.show(fact);
  live.tick();
  const before = terminal.bytes.length;
  live.tick(1000);
  const frame = terminal.bytes.slice(before);
  expect(frame).toContain("plan · planner");
  expect(frame).not.toContain("review · reviewer");
});

test("a run that stops half-way leaves the steps without an end as its last lines", async () => {
  const terminal = new Terminal(80, 24);
  const live = await started(terminal);
  for (const fact of told(SAMPLE_EVENTS).slice(0, 15)) live.show(fact);
  live.tick();
  live.screen.close();
  expect(terminal.text().slice(-3)).toEqual([
    "‖ build · doer                                                             0.0s",
    "· test · command",
    "· review · reviewer",
  ]);
});

test.each([true, false])(
  "after a resize the list is drawn whole for the new width (lines broken anew: %s)",
  async (reflow) => {
    const facts = told(SAMPLE_EVENTS).slice(0, 20);
    const [resized, fresh] = [new Terminal(80, 24), new Terminal(50, 24)];
    const lists = await Promise.all([resized, fresh].map((terminal) => started(terminal)));
    for (const fact of facts) for (const live of lists) live.show(fact);
    for (const live of lists) live.tick();
    resized.resize(50, 24, reflow);
    for (const live of lists) live.tick(1000);
    const bottom = (terminal: Terminal) => terminal.screen().slice(-6);
    expect(bottom(fresh)).toContain("· review · reviewer");
    expect(bottom(resized)).toEqual(bottom(fresh));
    for (const live of lists) live.screen.close();
  },
);

test("a failure that was the last fact is shown when the screen closes", async () => {
  const terminal = new Terminal(80, 24);
  const live = await started(terminal);
  const call = { id: "c", stepId: "build", role: "doer", model: "zai/glm-5" };
  for (const [event, run] of told(
    stored([
      [0, CREATED],
      [1, reserved(call)],
      [1, overloaded(call)],
    ]),
  )) {
    live.screen.event(event, run);
    live.tick();
  }
  live.screen.close();
  expect(terminal.text()).toContain("! build  zai overloaded (529), nothing lost: Overloaded");
});

test("a notice is a line of its own, at once or with the next frame, and harmless", async () => {
  const terminal = new Terminal(80, 24);
  const live = await started(terminal);
  live.screen.notice("before \x1b[2Janything");
  expect(terminal.text()).toEqual(["ccp: before anything"]);
  for (const fact of told(SAMPLE_EVENTS).slice(0, 10)) live.show(fact);
  live.tick();
  live.screen.notice("pausing when what is under way has ended");
  live.tick();
  expect(terminal.text()).toContain("ccp: pausing when what is under way has ended");
  live.screen.close();
});

test("closing twice, or before anything happened, writes nothing and stops the frames", async () => {
  const terminal = new Terminal(80, 24);
  const live = await started(terminal);
  live.screen.close();
  live.screen.close();
  expect(terminal.bytes).toBe("");
  await new Promise((resolve) => setImmediate(resolve));
  expect(live.ticks.size).toBe(0);
});

test("Ctrl-C stays the command's to answer, and streams are left as they are", async () => {
  const before = { listeners: process.listenerCount("SIGINT"), write: process.stdout.write };
  const live = await started(new Terminal(80, 24));
  for (const fact of told(SAMPLE_EVENTS)) live.show(fact);
  live.tick();
  expect({ listeners: process.listenerCount("SIGINT"), write: process.stdout.write }).toEqual(before);
  live.screen.close();
});

test("what happens before listr2 is loaded is shown at once", () => {
  const terminal = new Terminal(220, 24);
  const screen = new LiveScreen({ stream: terminal, steps: SAMPLE_STEPS, color: false, now: () => START });
  for (const [event, run] of told(SAMPLE_EVENTS).slice(0, 2)) screen.event(event, run);
  expect(terminal.text()).toEqual(plainLines().slice(0, 2));
  screen.close();
});

test("law: a hostile step cannot make the terminal do anything", async () => {
  await fc.assert(
    fc.asyncProperty(hostileText, hostileText, async (text, more) => {
      const terminal = new Terminal(60, 15);
      const live = await started(terminal);
      const call = { id: "c", stepId: "build", role: "doer", model: `zai/${text}` };
      const facts: readonly Event[] = [
        CREATED,
        reserved(call, { retryOf: text }),
        tool("build", "t", text, more),
        toolDone("build", "t", text, more),
        { type: "tool.interrupted", stepId: "build", toolCallId: "t", tool: text, subject: more, outside: true },
        lost(call, { reason: text, partial: blob() }),
        reused("plan", { from: text }),
        { type: "run.rewound", to: text, steps: [more], tree: "t" },
        { type: "workspace.restored", tree: "t", kept: more },
      ];
      for (const fact of told(stored(facts.map((event) => [1, event])))) {
        live.show(fact);
        live.tick();
        live.screen.delta({ type: "delta.text", stepId: "build", text });
        live.tick();
        live.screen.delta({ type: "delta.tool_call", stepId: "build", tool: more });
        live.tick();
      }
      // The terminal throws for anything that is not allowed.
      live.screen.close();
      expect(terminal.isCursorShown).toBe(true);
    }),
    { numRuns: 100 },
  );
});

test("a terminal that does not know its size is taken for 80 columns", async () => {
  const terminal = new Terminal(0, 0);
  const live = await started(Object.assign(Object.create(terminal), { write: () => true }));
  for (const fact of told(SAMPLE_EVENTS)) live.show(fact);
  live.tick();
  live.screen.close();
});

test("an open screen keeps no process alive", () => {
  const program = fileURLToPath(new URL("./show-run.ts", import.meta.url));
  const output = execFileSync("bash", ["-c", `"$0" "$1" live 2>&1`, process.execPath, program], {
    encoding: "utf8",
    timeout: 20_000,
  });
  expect(output).toContain("✓ plan · planner");
});
