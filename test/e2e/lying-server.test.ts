import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { binary } from "../support/cli.ts";
import { makeRepository } from "../support/git.ts";
import { eventsOf, withStore } from "../support/journal.ts";
import { type Lie, type LyingServer, lyingServer, type Truth } from "../support/lying-server.ts";
import { siteAt } from "../support/proof.ts";
import { PARAGRAPH } from "../support/prose.ts";
import { type RunResult, resultOf } from "../support/refusal.ts";
import { RED_PROJECT, WORK } from "../support/scenario.ts";
import { LANE_KEYS } from "../support/wire-run.ts";

const MODEL = "claude-haiku-4-5";
/** Of that model, in nano-dollars a token. */
const PRICE = { input: 1_000, output: 5_000 };
const USD = 1e9;

const EDIT = { tool: "edit", args: { path: "sum.mjs", edits: [{ old: "a - b", new: "a + b" }] } };
const WORDS = PARAGRAPH.repeat(7);
/** A server that does its work well, and says of it what `report` makes of the truth. */
const working = (report: Lie["report"]): readonly Lie[] => [
  { text: WORDS, calls: [EDIT], report },
  { text: WORDS, calls: [{ tool: "finish", args: WORK }], report },
];

describe("a server that reports too little", () => {
  test.each<[string, Lie["report"]]>([
    ["nothing at all", () => null],
    ["0 tokens", () => ({ input: 0, output: 0 })],
    ["0 tokens of output", ({ input }) => ({ input, output: 0 })],
    ["a tenth of the truth", ({ input, output }) => ({ input: Math.ceil(input / 10), output: Math.ceil(output / 10) })],
    ["a tenth of the output", ({ input, output }) => ({ input, output: Math.ceil(output / 10) })],
    ["one token each", () => ({ input: 1, output: 1 })],
    ["less than nothing", () => ({ input: -1_000_000, output: -1_000_000 })],
  ])("%s: the ledger says no less than the server has used, and its ceiling holds", async (_, report) => {
    const { result, server, ledger } = await runAgainst(await lyingServer(working(report)), 1);
    expect(result).toMatchObject({ status: "succeeded", exitCode: 0 });
    expect(server.questions).toHaveLength(2);
    const { settledNanos, settledTokens, heldNanos } = ledger(result.rid);
    expect(settledNanos).toBeGreaterThanOrEqual(nanosOf(server, "truth"));
    expect(settledTokens).toBeGreaterThanOrEqual(tokensOf(server, "truth"));
    expect(settledNanos + heldNanos).toBeLessThanOrEqual(USD);
    // It is estimated, not held in full: an honest estimate is some times the truth, and not the whole reservation.
    expect(settledNanos).toBeLessThan(4 * nanosOf(server, "truth"));
    expect(result.costNanos).toBe(settledNanos);
  });

  test("cannot be made to answer more than the budget holds, however little it says that it used", async () => {
    const again = Array.from(
      { length: 40 },
      (_, turn): Lie => ({
        text: WORDS.repeat(4),
        calls: [{ tool: "grep", args: { pattern: `sum${turn}` } }],
        report: () => ({ input: 1, output: 1 }),
      }),
    );
    const { result, server, ledger } = await runAgainst(await lyingServer(again), 0.1);
    expect(result).toMatchObject({ status: "budget_reached", exitCode: 5 });
    const { settledNanos, heldNanos } = ledger(result.rid);
    expect(server.questions.length).toBeGreaterThan(2);
    expect(heldNanos).toBe(0);
    expect(settledNanos).toBeLessThanOrEqual(0.1 * USD);
    expect(nanosOf(server, "truth")).toBeLessThanOrEqual(settledNanos);
  });
});

describe("a server that reports more than it was asked for", () => {
  test("is booked as it says, beyond the ceiling too, and nothing more is sent", async () => {
    const report: Lie["report"] = ({ input }, maxTokens) => ({ input, output: maxTokens * 10 });
    const { result, server, ledger } = await runAgainst(await lyingServer(working(report)), 0.2);
    expect(result).toMatchObject({ status: "budget_reached", exitCode: 5, heldNanos: 0 });
    expect(server.questions).toHaveLength(1);
    const { settledNanos } = ledger(result.rid);
    expect(settledNanos).toBe(nanosOf(server, "bill"));
    // Over, by what it says of this one call.
    expect(settledNanos).toBeGreaterThan(0.2 * USD);
  });

  test("input beyond our bound is booked as well, and the next bound knows of it", async () => {
    const report: Lie["report"] = ({ input, output }) => ({ input: input * 5, output });
    const { result, server, held } = await runAgainst(await lyingServer(working(report)), 1);
    expect(result).toMatchObject({ status: "succeeded" });
    expect(result.costNanos).toBe(nanosOf(server, "bill"));
    const [first = 0, second = 0] = held(result.rid).map(({ heldTokens, maxTokens }) => heldTokens - maxTokens);
    expect(first).toBeLessThan(server.questions[0]?.bill.input ?? 0);
    expect(second).toBeGreaterThanOrEqual(server.questions[0]?.bill.input ?? 0);
  });
});

/** Bytes in the buffers of both ends of a connection, as Linux lets them grow. */
const MOST_BUFFERED = 16_000_000;

describe("a server that does not stop", () => {
  test.each<[string, Lie["report"]]>([
    ["says nothing of its usage", () => null],
    ["says at the start what the input was", () => ({ input: 3_000, output: 1 })],
  ])("is cut when it %s: what it sent is bounded, and booked as far as it was asked for", async (_, report) => {
    const { result, server, ledger, settled } = await runAgainst(await lyingServer([{ text: null, report }]), 0.1);
    expect(result.status).toMatch(/budget_reached|failed/);
    expect(server.questions.length).toBeGreaterThan(0);
    for (const { maxTokens, characters } of server.questions) {
      // Eight characters to a token, and what the system takes from a server before anybody reads it.
      expect(characters).toBeGreaterThan(maxTokens);
      expect(characters).toBeLessThan(maxTokens * 8 + MOST_BUFFERED);
    }
    const calls = settled(result.rid);
    expect(calls.length).toBe(server.questions.length);
    for (const { result: end } of calls) expect(end).toMatchObject({ type: "answered", stop: "length", cut: true });
    const { settledNanos, heldNanos } = ledger(result.rid);
    expect(settledNanos + heldNanos).toBeLessThanOrEqual(0.1 * USD);
    // More than it was asked for nobody may bill without saying so.
    expect(settledNanos).toBeGreaterThanOrEqual(nanosOf(server, "bill"));
  });
});

async function runAgainst(server: LyingServer, usd: number) {
  const on = siteAt(makeRepository(RED_PROJECT), {
    ANTHROPIC_API_KEY: LANE_KEYS.anthropic ?? "",
    ANTHROPIC_BASE_URL: server.url,
  });
  const file = join(on.outside, "pipeline.yaml");
  writeFileSync(file, `roles:\n  doer: { models: anthropic/${MODEL} }\npipeline:\n  - { role: doer, attempts: 1 }\n`);
  const argv = ["run", "--pipeline", file, "--budget", String(usd), "--json", "Make sum add."];
  const { stdout, stderr } = await binary(argv, { cwd: on.cwd, env: on.env });
  await server.quiet();
  const result: RunResult = resultOf(stdout);
  expect(result.rid, stderr).not.toBeNull();
  return {
    result,
    server,
    ledger: (rid: string) => withStore(on, (store) => store.ledger(rid, "run")),
    held: (rid: string) => eventsOf(on, rid, "call.reserved"),
    settled: (rid: string) => eventsOf(on, rid, "call.settled"),
  };
}

function nanosOf({ questions }: LyingServer, what: "truth" | "bill"): number {
  return sum(questions, what, ({ input, output }) => input * PRICE.input + output * PRICE.output);
}

function tokensOf({ questions }: LyingServer, what: "truth" | "bill"): number {
  return sum(questions, what, ({ input, output }) => input + output);
}

function sum(questions: LyingServer["questions"], what: "truth" | "bill", of: (truth: Truth) => number): number {
  return questions.reduce((total, question) => total + of(question[what]), 0);
}
