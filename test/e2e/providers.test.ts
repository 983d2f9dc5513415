import { rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runCli } from "../../src/cli/run-cli.ts";
import { bareEnvironment, binary, type CliOptions } from "../support/cli.ts";
import { git, makeRepository, writeFiles } from "../support/git.ts";
import { tempDir } from "../support/temp.ts";

const CANARY = "sk-canary-4hq7Zr2mX9pL";
const USER = `providers:
  acme:
    wire: openai-chat
    base_url: https://api.acme.example/v1
    key_env: ACME_API_KEY
    models:
      acme-large: { price: { input: 0.60, output: 2.20 } }
`;
/** Names that would colour a terminal, turn the direction of its text, or draw a row of their own. */
const PROJECT = `providers:
  team:
    wire: ollama-chat
    base_url: http://127.0.0.1:11500
    models: ["evil\\e[31mred\\u202e", "a\\nteam  paid  ::set-output"]
`;

/** One credential of which nothing is known. */
const WELL = {
  name: null,
  state: "closed",
  untilAt: null,
  why: null,
  models: [],
  used: { calls: 0, requests: 0, tokens: 0 },
  said: [],
};

describe("ccp providers", () => {
  test("is a table of 80 columns: who is asked how and where, at whose cost, and which keys are there", async () => {
    const { code, stdout, stderr } = await binary(["providers"], world({ ACME_API_KEY: CANARY }));
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toBe(`provider     cost   key                    breaker  host
anthropic    paid   no ANTHROPIC_API_KEY   closed   api.anthropic.com
openai       paid   no OPENAI_API_KEY      closed   api.openai.com
openai-chat  paid   no OPENAI_API_KEY      closed   api.openai.com
openrouter   paid   no OPENROUTER_API_KEY  closed   openrouter.ai
zai          paid   no ZHIPU_API_KEY       closed   api.z.ai
ollama       local  none needed            closed   127.0.0.1:11434
acme         paid   ACME_API_KEY           closed   api.acme.example
team         local  none needed            closed   127.0.0.1:11500

provider  models in files
acme      acme-large
team      evilred, a team  paid  ::set-output

all that is in force of one, and who said it: ccp providers <name>
`);
    expect(widest(stdout)).toBeLessThanOrEqual(80);
  });

  test("of one says each value and its source", async () => {
    const moved = { ACME_API_KEY: CANARY, OPENAI_BASE_URL: `https://gw.example/${CANARY}` };
    const acme = await binary(["providers", "acme"], world(moved));
    expect(acme.stdout).toBe(`acme: https://api.acme.example/v1
its key is in ACME_API_KEY, calls are billed

setting              from                            value
wire                 ~/.config/ccp/providers.yaml:3  openai-chat
base_url             ~/.config/ccp/providers.yaml:4  https://api.acme.example/v1
key_env              ~/.config/ccp/providers.yaml:5  ACME_API_KEY
auth                 default                         bearer
free                 default                         false
first_event_timeout  default                         5m
silence_timeout      default                         2m
models               ~/.config/ccp/providers.yaml:7  acme-large
  price.input        ~/.config/ccp/providers.yaml:7  0.6
  price.output       ~/.config/ccp/providers.yaml:7  2.2
  price.cache_read   default                         0.6
  price.cache_write  default                         0.6

model       breaker  remarks
all models  closed   -
`);
    const openai = await binary(["providers", "openai"], world(moved));
    expect(openai.stdout).toMatch(
      /^base_url +environment: OPENAI_BASE_URL +https:\/\/gw\.example\/\[redacted by ccp\]$/m,
    );
    const team = await binary(["providers", "team"], world(moved));
    expect(team.stdout).toMatch(/^wire +\.ccp\/providers\.yaml:3 +ollama-chat$/m);
    expect(team.stdout).not.toMatch(/\x1b|\u202e/);
    expect(acme.stdout + openai.stdout + team.stdout).not.toContain("canary");
  });

  test("as JSON has the same, and never a key", async () => {
    const here = world({ ACME_API_KEY: CANARY });
    const list = JSON.parse((await binary(["providers", "--json"], here)).stdout);
    expect(list.providers).toContainEqual({
      id: "acme",
      wire: "openai-chat",
      baseUrl: "https://api.acme.example/v1",
      keyVariables: ["ACME_API_KEY"],
      hasKey: true,
      cost: "billed",
      models: ["acme-large"],
      quotas: [],
      health: { limits: {}, credentials: [WELL] },
    });
    const { stdout } = await binary(["providers", "acme", "--json"], here);
    const path = join(here.env.HOME, ".config", "ccp", "providers.yaml");
    expect(JSON.parse(stdout).provider.settings).toContainEqual({
      model: "acme-large",
      key: "price.input",
      value: "0.6",
      source: { kind: "file", path, line: 7, column: expect.any(Number) },
    });
    expect(JSON.stringify(list) + stdout).not.toContain("canary");
  });

  test("refuses a name that there is not, and says which was meant", async () => {
    const { code, stdout, stderr } = await binary(["providers", "antropic"], world({}));
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/there is no provider "antropic"\n {2}did you mean "anthropic"\?/);
  });

  test("fits a terminal of 80 columns whatever a model is called", async () => {
    const user = `providers: { acme: { wire: openai-chat, base_url: 'http://localhost:1', models: [${"x".repeat(300)}] } }`;
    for (const argv of [["providers"], ["providers", "acme"]]) {
      const screen = await atTerminal(argv, world({}, user));
      expect(screen).toMatch(/x{20,}…$/m);
      expect(widest(screen)).toBeLessThanOrEqual(80);
    }
  });
});

/** A terminal of 80 columns. */
async function atTerminal(argv: readonly string[], { cwd, env }: CliOptions): Promise<string> {
  const out: string[] = [];
  const stdout = { write: (text: string | Uint8Array) => out.push(String(text)), isTTY: true, columns: 80 };
  const [readStdin, ask] = [async () => "", async () => null];
  const environment = { ...bareEnvironment(), ...env };
  await runCli({ argv, cwd, environment, stdout, stderr: stdout, readStdin, ask, onSignal: () => () => undefined });
  return out.join("");
}

test("the keys of a profile count where CCP_PROFILE names it, and one that nobody knows is refused", async () => {
  const user = "providers:\n  zai:\n    auth:\n      env: MY_KEY\n      scoped_env: { ci: CI_KEY }\n";
  const on = world({ CCP_PROFILE: "ci", MY_KEY: CANARY, CI_KEY: CANARY }, user);
  const { code, stdout } = await binary(["providers", "zai"], on);
  expect(code).toBe(0);
  expect(stdout).toMatch(/its key is in CI_KEY/);
  expect(stdout).toMatch(/key_env +~\/\.config\/ccp\/providers\.yaml:5 +CI_KEY/);
  const wrong = await binary(["providers"], { ...on, env: { ...on.env, CCP_PROFILE: "work" } });
  expect(wrong.code).toBe(4);
  expect(wrong.stderr).toContain('CCP_PROFILE  no provider has a key for "work"\n  hint: profiles: ci; or unset it');
});

test("the project's file counts before there is a commit", async () => {
  const on = world({});
  rmSync(join(on.cwd, ".git"), { recursive: true });
  git(on.cwd, "init", "--quiet");
  expect((await binary(["providers"], on)).stdout).toContain("team         local");
  const { code, stdout } = await binary(["doctor"], on);
  expect(stdout).toContain("FAIL  start: the repository has no commit yet");
  expect(code).not.toBe(0);
});

function world(env: Readonly<Record<string, string>>, user = USER) {
  const home = tempDir("ccp-home");
  writeFiles(home, { ".config/ccp/providers.yaml": user });
  const cwd = makeRepository({ ".ccp/providers.yaml": PROJECT });
  return { cwd, env: { HOME: home, ...env } } satisfies CliOptions;
}

function widest(text: string): number {
  return Math.max(...text.split("\n").map((line) => line.length));
}
