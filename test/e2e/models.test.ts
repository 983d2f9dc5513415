import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { binary, type CliOptions } from "../support/cli.ts";
import { makeRepository, writeFiles } from "../support/git.ts";
import { tempDir } from "../support/temp.ts";

const CANARY = "sk-canary-4hq7Zr2mX9pL";
const KEYS = { ANTHROPIC_API_KEY: CANARY, OPENAI_API_KEY: CANARY, ACME_API_KEY: CANARY };
const USER = `providers:
  acme:
    wire: openai-chat
    base_url: https://api.acme.example/v1
    key_env: ACME_API_KEY
    models:
      acme-large: { price: { input: 0.60, output: 2.20 } }
      acme-mystery: {}
`;
/** A name that would colour a terminal and draw a row of its own. */
const PROJECT = `providers:
  team: { wire: ollama-chat, base_url: "http://127.0.0.1:11500", models: ["evil\\e[31mred\\u202e\\nrow"] }
`;

describe("ccp models", () => {
  test("compares what can be asked, in 80 columns: price, multiple, context, answer, form of edits, and who says the price", async () => {
    const { code, stdout, stderr } = await binary(["models"], world(KEYS));
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.split("\n").slice(0, 7).join("\n")).toBe(`in       out      times  context    answer  model
$2.00    $10.00   8.9x   1,000,000  16,384  anthropic/claude-sonnet-5
  price: bundled list; default: planner 1, doer 1; can: tools, thinking, vision
$5.00    $25.00   22.2x  1,000,000  16,384  anthropic/claude-opus-5
  price: bundled list; default: reviewer 2; can: tools, thinking, vision
$1.00    $5.00    4.4x   200,000    16,384  anthropic/claude-haiku-4-5
  price: bundled list; can: tools, thinking, vision`);
    expect(stdout).toMatch(/acme\/acme-large\n {2}price: ~\/\.config\/ccp\/providers\.yaml:7; default: /);
    expect(stdout).toMatch(/^unknown +unknown +- +unknown +16,384 +acme\/acme-mystery\n {2}price unknown; /m);
    expect(stdout).toMatch(/^free +free +- +32,768 +4,096 +team\/evilred row\n {2}free; on this machine; /m);
    expect(stdout).toMatch(/openai\/gpt-5\.6-terra\n.*edits: apply_patch/);
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(stdout).not.toMatch(/canary|\x1b|\u202e/);
  });

  test("with a filter shows the ones that are called so, held against the cheapest of all as ever", async () => {
    const { code, stdout } = await binary(["models", "SONNET"], world(KEYS));
    expect(code).toBe(0);
    expect(stdout.match(/^.*\dx .*$/gm)).toEqual([
      "$2.00  $10.00  8.9x   1,000,000  16,384  anthropic/claude-sonnet-5",
    ]);
    const missed = await binary(["models", "sonet"], world(KEYS));
    expect({ code: missed.code, stdout: missed.stdout }).toEqual({ code: 2, stdout: "" });
    expect(missed.stderr).toMatch(/has "sonet" in its name\n {2}did you mean "sonnet"\?/);
  });

  test("as JSON has nano-dollars per million tokens, and null for what is unknown", async () => {
    const { stdout } = await binary(["models", "acme", "--json"], world(KEYS));
    const { v, models } = JSON.parse(stdout);
    expect(v).toBe(1);
    expect(models).toMatchObject([
      { name: "acme/acme-large", price: { input: 6e8, output: 22e8 }, priceSource: { kind: "file", line: 7 } },
      { name: "acme/acme-mystery", price: null, priceSource: null, priceMultiple: null, contextWindow: null },
    ]);
    expect(stdout).not.toContain("canary");
  });

  test("without a key says which would do", async () => {
    const cwd = tempDir("ccp-elsewhere");
    const { code, stdout } = await binary(["models"], { cwd });
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^no provider has a key here: set ANTHROPIC_API_KEY, .*, or name models in providers\.yaml\n$/,
    );
    expect(JSON.parse((await binary(["models", "--json"], { cwd })).stdout)).toEqual({ v: 1, models: [] });
  });
});

test("neither models nor providers says a word to anybody", async () => {
  let connections = 0;
  const server = createServer().on("connection", () => connections++);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const here = world({ ...KEYS, ANTHROPIC_BASE_URL: url, OPENAI_BASE_URL: url, OLLAMA_HOST: url });
  for (const argv of [["models"], ["providers"], ["providers", "ollama"]]) {
    expect((await binary(argv, here)).code).toBe(0);
  }
  expect(connections).toBe(0);
});

function world(env: Readonly<Record<string, string>>): CliOptions {
  const home = tempDir("ccp-home");
  writeFiles(home, { ".config/ccp/providers.yaml": USER });
  return { cwd: makeRepository({ ".ccp/providers.yaml": PROJECT }), env: { HOME: home, ...env } };
}
