import { expect, test } from "vitest";
import { runCli } from "../../src/cli/run-cli.ts";
import { ccpAt, scripted, site } from "../support/proof.ts";
import { resultOf } from "../support/refusal.ts";
import { WORK } from "../support/scenario.ts";

const usage = { input: 3000, output: 200 };
const write = (turn: number) => ({ tool: "write", args: { path: `${turn}.txt`, content: "x" } });
const TURNS = [
  ...[1, 2, 3, 4].map((turn) => ({ role: "doer", turn, calls: [write(turn)], usage })),
  { role: "doer", turn: 5, calls: [{ tool: "finish", args: WORK }], usage },
];

/** A run whose tokens do not suffice, with somebody at the terminal who answers so. */
async function asked(answer: string | null, ...flags: readonly string[]) {
  const on = site();
  const argv = ["run", ...scripted(on, { turns: TURNS }), "--tokens", "12000", ...flags, "Do it."];
  const [questions, out]: [string[], string[]] = [[], []];
  const code = await runCli({
    argv,
    cwd: on.cwd,
    environment: on.env,
    stdout: { write: (text) => out.push(Buffer.from(text).toString()) },
    stderr: { write: () => undefined },
    readStdin: async () => "",
    ask: async (question) => {
      questions.push(question);
      return answer;
    },
    onSignal: () => () => undefined,
  });
  return { on, code, questions, stdout: out.join("") };
}

test("whoever sits at the terminal is asked at each ceiling that is reached, and the run goes on with what is given", async () => {
  const { on, code, questions } = await asked("y");
  expect(code).toBe(0);
  expect(questions.length).toBeGreaterThan(0);
  expect(questions[0]).toMatch(
    /tokens is left, so it was not made\.\nGive it 12000 tokens more and go on\? \[y\/N\] $/,
  );
  const { budget, steps } = JSON.parse((await ccpAt(on, "view", "--json")).stdout);
  expect(budget.max_tokens).toBe(12_000 * (questions.length + 1));
  expect(steps).toMatchObject([{ tries: 1, calls: 5 }]);
});

test.each([["n"], [""], ["yesterday"], [null]])(
  "%j is a no: the run stops where it is, and costs nothing more",
  async (answer) => {
    const { code, questions, stdout } = await asked(answer);
    expect(code).toBe(5);
    expect(questions).toHaveLength(1);
    expect(stdout).toMatch(/ccp resume r-\w+ --tokens \+12000/);
  },
);

test("for machines nobody is asked", async () => {
  const { code, questions, stdout } = await asked("y", "--json");
  expect([code, questions]).toEqual([5, []]);
  expect(resultOf(stdout)).toMatchObject({ status: "budget_reached", exitCode: 5 });
});
