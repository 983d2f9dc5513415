import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { Socket } from "node:net";
import { dirname, join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { binary } from "../support/cli.ts";
import { makeRepository } from "../support/git.ts";
import { STEPS } from "../support/mending.ts";
import { fileOf, MODELS, type MockSite, mockSite } from "../support/mock-site.ts";
import { ccpAt, type Site } from "../support/proof.ts";
import { RED_PROJECT } from "../support/scenario.ts";

const RULES = `routing:
  - name: nobody's
    when: { task: build, context_at_least: 900000 }
    use: [anthropic/claude-opus-5]
  - name: builds
    when: { task: [build], model: "*haiku*", needs: [thinking] }
    use: [openai/gpt-5.6-terra, anthropic/claude-opus-5]
  - use: [anthropic/claude-sonnet-5]
`;

function file(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

async function ruled(): Promise<{ readonly on: MockSite; readonly argv: readonly string[] }> {
  const on = await mockSite(makeRepository(RED_PROJECT));
  file(join(on.env.HOME ?? "", ".config", "ccp", "providers.yaml"), RULES);
  return { on, argv: ["route", "--pipeline", on.pipeline(fileOf(STEPS)), "Make", "sum", "add."] };
}

/** Every file with its size and the time of its last change. */
function everything(...folders: readonly string[]): readonly string[] {
  return folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" }).map((path) => {
      const { size, mtimeMs } = statSync(join(folder, path));
      return `${folder}/${path} ${size} ${mtimeMs}`;
    }),
  );
}

describe("ccp route", () => {
  test("says of each step which rule counts and why, who is asked, and what the budget says, in 80 columns", async () => {
    const { on, argv } = await ruled();
    const { code, stdout, stderr } = await binary([...argv, "--role", "doer", "--dry-run"], {
      cwd: on.cwd,
      env: on.env,
    });
    expect([code, stderr]).toEqual([0, ""]);
    expect(
      stdout
        .replaceAll(/(?<=about |most )\d[\d,]*\d/g, "N")
        .replaceAll(/(?<=at_least: )\d[\d,]*\d/g, "N")
        .replaceAll(/(?<=at most )\$[\d.]+/g, "$N"),
    ).toBe(
      `doer · doer · build
  first request: about N tokens, at most N
  rule "nobody's" does not match (~/.config/ccp/providers.yaml:2)
    + task: build
    - context_at_least: N, not 900,000
  rule "builds" matches (~/.config/ccp/providers.yaml:5)
    + task: build
    + model: anthropic/${MODELS.doer}
    - openai/gpt-5.6-terra is passed over: provider "openai" has no key:
      OPENAI_API_KEY is not set
  rule "user rule 3" matches, but comes later (~/.config/ccp/providers.yaml:8)
  asks, in this order:
    1. anthropic/claude-opus-5
       can be asked; $5.00 in, $25.00 out; window 1,000,000; lane closed
       first call at most $N: fits the budget

Estimates are of the first request, without what earlier steps hand over.
Nobody was asked and nothing was written.
`,
    );
    expect(Math.max(...stdout.split("\n").map(({ length }) => length))).toBeLessThanOrEqual(80);
  });

  test("touches no network and writes nothing", async () => {
    const { on, argv } = await ruled();
    const places = [on.root, on.env.HOME ?? "", on.outside];
    const before = everything(...places);
    const connect = vi.spyOn(Socket.prototype, "connect");
    const { code, stdout } = await ccpAt(on, ...argv);
    expect([code, stdout.includes("reviewer · reviewer · review")]).toEqual([0, true]);
    expect(connect).not.toHaveBeenCalled();
    expect(on.asked()).toEqual([]);
    expect(everything(...places)).toEqual(before);
  });

  test("names the models that a person has named, the lanes that rest, and what the budget does not hold", async () => {
    const { on, argv } = await ruled();
    const named = await ccpAt(on, ...argv, "--role", "doer", "--model", "doer=openai/gpt-5.6-terra", "--json");
    expect(JSON.parse(named.stdout).steps).toMatchObject([
      {
        stepId: "doer",
        isNamed: true,
        candidates: [{ model: "openai/gpt-5.6-terra", obstacle: expect.stringContaining("no key") }],
      },
    ]);
    const poor = await ccpAt(on, ...argv, "--role", "doer", "--budget", "0.02");
    expect(poor.stdout).toMatch(/ {7}first call at most \$[\d.]+: refused: it needs \$[\d.]+, and \$0\.01\d* is left/);
    expect((await ccpAt(on, ...argv, "--role", "doerr")).stderr).toContain('did you mean "doer"');
  });

  test("without rules shows the roles' own routes, and so it does where nobody has a key", async () => {
    const on: Site = await mockSite(makeRepository(RED_PROJECT));
    const { stdout } = await ccpAt(on, "route", "--role", "planner");
    expect(stdout).toContain("  there are no rules: its own route holds\n");
    const { HOME = "" } = on.env;
    const bare = await binary(["route", "--role", "planner"], { cwd: on.cwd, env: { HOME } });
    expect([bare.code, bare.stdout]).toEqual([0, expect.stringContaining("asks nobody: no model is named")]);
  });
});
