import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { bareEnvironment } from "../support/cli.ts";
import { makeRepository, writeFiles } from "../support/git.ts";
import { eventsOf } from "../support/journal.ts";
import { type Lie, lyingServer } from "../support/lying-server.ts";
import { ccpAt, type Site, siteAt } from "../support/proof.ts";
import { resultOf } from "../support/refusal.ts";
import { RED_PROJECT, WORK } from "../support/scenario.ts";

const EDIT = { tool: "edit", args: { path: "sum.mjs", edits: [{ old: "a - b", new: "a + b" }] } };
const FINISH = { tool: "finish", args: WORK };
const using = (output: number, ...calls: NonNullable<Lie["calls"]>): Lie => ({
  text: "Now.",
  calls,
  report: (_, maxTokens) => ({ input: 7_000, output: Math.min(output, maxTokens - 1) }),
});
/** The first takes nearly all that is reserved for it. */
const TURNS = [using(10_000, EDIT), using(10_000, FINISH)];

describe("the quota of a provider", () => {
  test("that is used up sends a conversation on to the next model of its route", async () => {
    const { on, run } = await worldOf("{ day: { usd: 0.06 } }");
    const result = await run("north/m, south/m");
    expect(result).toMatchObject({ status: "succeeded", exitCode: 0 });
    const asked = eventsOf(on, result.rid, "call.reserved").map(({ model, shrunk }) => [model, shrunk]);
    expect(asked).toEqual([
      ["north/m", true],
      ["south/m", false],
    ]);
  });

  test("stops a run where nobody else is left, as a ceiling of the user's does, and says until when", async () => {
    const { run } = await worldOf("{ week: { usd: 0.06 } }");
    expect(await run("north/m")).toMatchObject({
      status: "budget_reached",
      exitCode: 5,
      reason: expect.stringMatching(
        /^nobody is asked now\. north\/m: your quota for north this week does not hold another call, until .*00:00/,
      ),
    });
  });

  test("holds over all runs of the user, and a project cannot raise it", async () => {
    const raised = "providers: { north: { quota: { day: { tokens: 9000000 } } } }\n";
    const { on, run } = await worldOf("{ day: { tokens: 16000 } }", { ".ccp/providers.yaml": raised });
    await run("north/m, south/m");
    const second = await run("north/m, south/m");
    expect(second).toMatchObject({ status: "succeeded" });
    expect(eventsOf(on, second.rid, "call.reserved").map(({ model }) => model)).toEqual(["south/m", "south/m"]);
    const { stdout } = await ccpAt(on, "providers");
    expect(stdout).toMatch(/^north +1\d,\d{3} of 16,000 tokens this day$/m);
  });
});

async function worldOf(quota: string, files: Readonly<Record<string, string>> = {}) {
  const servers = [await lyingServer([...TURNS, ...TURNS]), await lyingServer([...TURNS, ...TURNS])];
  const environment = bareEnvironment();
  const price = "{ price: { input: 1, output: 5 }, context_window: 200000 }";
  const provider = (name: string, at: number, more: string) =>
    `  ${name}: { wire: anthropic-messages, base_url: "${servers[at]?.url}", auth: none, models: { m: ${price} }${more} }\n`;
  const file = `providers:\n${provider("north", 0, `, quota: ${quota}`)}${provider("south", 1, "")}`;
  writeFiles(environment.HOME ?? "", { ".config/ccp/providers.yaml": file });
  const on: Site = siteAt(makeRepository({ ...RED_PROJECT, ...files }), environment);
  return {
    on,
    async run(models: string) {
      const doer = `roles: { doer: { models: [${models}] } }\npipeline: [{ role: doer, attempts: 1 }]\n`;
      writeFiles(on.outside, { "pipeline.yaml": doer });
      const { stdout, stderr } = await ccpAt(
        on,
        ...["run", "--pipeline", join(on.outside, "pipeline.yaml"), "--budget", "5", "--json", "Make sum add."],
      );
      expect(stdout, stderr).not.toBe("");
      return resultOf(stdout);
    },
  };
}
