import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runCli } from "../../src/cli/run-cli.ts";
import { bareEnvironment, ccp } from "../support/cli.ts";
import { makeRepository } from "../support/git.ts";
import { ccpAt, doerWho, scripted, site } from "../support/proof.ts";
import { proveRefused } from "../support/refusal.ts";
import { tempDir } from "../support/temp.ts";

type Case = readonly [claim: string, argv: readonly string[], says: RegExp, next: RegExp];

/** After `ccp run`, with a pipeline and a transcript that would do. */
const RUN: readonly Case[] = [
  ["--input without =", ["--input", "name", "x"], /--input name is not of the form name=value/, /write --input name=v/],
  ["an empty name before =", ["--input", "=v", "x"], /--input =v is not of the form/, /write --input name=value/],
  [
    "--model without =",
    ["--model", "doer", "x"],
    /--model doer is not of the form role=provider\/model/,
    /write --mod/,
  ],
  ["--model without a provider", ["--model", "doer=gpt", "x"], /--model doer=gpt is not of the form/, /role=provider/],
  ["--model of an unknown role", ["--model", "dooer=a/b", "x"], /names the role "dooer", which does/, /mean "doer"\?/],
  ["--model of no role near", ["--model", "chef=a/b", "x"], /names the role "chef"/, /roles: planner, doer, reviewer/],
  ["--budget in words", ["--budget", "abc", "x"], /--budget abc is not an amount of US dollars/, /mend the flag/],
  ["--budget below zero", ["--budget", "-1", "x"], /--budget -1 is not an amount/, /mend the flag/],
  ["--tokens of none", ["--tokens", "0", "x"], /--tokens 0 is not a whole number above zero/, /mend the flag/],
  ["half a token", ["--tokens", "1.5", "x"], /--tokens 1\.5 is not a whole number above zero/, /mend the flag/],
  ["--minutes in words", ["--minutes", "soon", "x"], /--minutes soon is not a number above zero/, /mend the flag/],
  ["no task", [], /there is no task/, /ccp run "what is to be done", or --task-file FILE, or -/],
  ["an empty task", ["  \n"], /there is no task/, /ccp run "what is to be done"/],
  ["an empty standard input for a task", ["-"], /there is no task/, /ccp run "what is to be done"/],
  ["two tasks", ["--task-file", "README.md", "x"], /the task is given twice/, /give one of them/],
  ["a task file that is not there", ["--task-file", "nope.md"], /task file cannot be read.*nope\.md/, /check the path/],
  ["more than one argument", ["mend", "it"], /too many arguments for 'run'/, /see ccp run --help/],
  ["an unknown flag", ["--budgt", "3", "x"], /unknown option '--budgt'/, /did you mean --budget\? see ccp run --help/],
  ["a flag without its value", ["x", "--budget"], /option '--budget <usd>' argument missing/, /see ccp run --help/],
  ["--base and --include-dirty", ["--base", "HEAD", "--include-dirty", "x"], /cannot be used with/, /ccp run --help/],
  ["--base and --on", ["--base", "HEAD", "--on", "r-abcdef", "x"], /cannot be used with/, /ccp run --help/],
  ["--on and --include-dirty", ["--on", "r-abcdef", "--include-dirty", "x"], /cannot be used with/, /ccp run --help/],
  ["an unknown --ui", ["--ui", "fancy", "x"], /'fancy' is invalid\. Allowed choices are auto, live/, /ccp run --help/],
];

describe("ccp run", () => {
  test.each(RUN)("with %s is refused", async (_claim, argv, says, next) => {
    const on = site();
    const flags = scripted(on, { turns: doerWho("echo hi > hi.txt") });
    await proveRefused(on, ["run", ...flags, ...argv], { exit: 2, code: "usage", says, next });
  });

  test("with an input that the pipeline does not have is refused", async () => {
    const on = site();
    const flags = scripted(on, {
      turns: doerWho("true"),
      pipeline: "inputs:\n  name: {}\npipeline:\n  - role: doer\n",
    });
    await proveRefused(on, ["run", ...flags, "--input", "name=x", "--input", "nmae=y", "x"], {
      exit: 2,
      code: "invalid_pipeline",
      says: /--input nmae {2}unknown input "nmae"/,
      next: /did you mean "name"\?/,
    });
  });

  test("with a provider of which nobody has heard is refused", async () => {
    const on = site();
    const flags = scripted(on, { turns: doerWho("true") });
    await proveRefused(on, ["run", ...flags, "--model", "doer=opnai/gpt-5", "x"], {
      exit: 2,
      code: "invalid_pipeline",
      says: /--model doer {2}unknown provider "opnai"/,
      next: /did you mean "openai"\?/,
    });
  });

  test("with a transcript that is not there, or is none, is refused", async () => {
    const on = site();
    const [, , ...pipeline] = scripted(on, { turns: doerWho("true") });
    await proveRefused(on, ["run", "--transcript", "nope.yaml", ...pipeline, "x"], {
      exit: 2,
      code: "no_transcript",
      says: /there is no transcript .*nope\.yaml/,
      next: /check the path/,
    });
    const file = join(on.outside, "bad.yaml");
    writeFileSync(file, "turns:\n  - { role: doer, turn: one }\n");
    await proveRefused(on, ["run", "--transcript", file, ...pipeline, "x"], {
      exit: 2,
      code: "invalid_transcript",
      says: /turns\[0\]\.turn/,
      next: /docs\/scripted-provider\.md/,
    });
  });

  test("takes --json after -- for a part of the task", async () => {
    const on = site();
    const { stdout, code } = await ccpAt(on, "run", "--pipeline", "nope", "--", "--json");
    expect({ stdout, code }).toEqual({ stdout: "", code: 2 });
  });
});

describe("ccp", () => {
  test.each<Case>([
    ["an unknown command", ["rnu", "x"], /unknown command 'rnu'/, /did you mean run\? see ccp --help/],
    ["an unknown flag of its own", ["--verbos", "runs"], /unknown option '--verbos'/, /see ccp --help/],
    ["an unknown flag of a command that reads", ["view", "--stpe", "x"], /unknown option '--stpe'/, /mean --step\?/],
  ])("with %s says what was meant", async (_claim, argv, says, next) => {
    const on = site();
    const { code, stdout, stderr } = await ccpAt(on, ...argv);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(says);
    expect(stderr).toMatch(next);
    const json = await ccpAt(on, ...argv, "--json");
    expect(JSON.parse(json.stdout)).toMatchObject({ type: "error", error: { code: "usage", exit: 2 } });
  });

  test("without a command shows its help and exits 2", async () => {
    const { code, stdout, stderr } = await ccp([], { cwd: tempDir() });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^Usage: ccp/);
  });

  test("shows help and its version on standard output and exits 0", async () => {
    const cwd = tempDir();
    for (const argv of [["--help"], ["help", "run"], ["run", "--help"], ["--version"], ["-V"]]) {
      const { code, stdout, stderr } = await ccp(argv, { cwd });
      expect({ code, stderr }, argv.join(" ")).toEqual({ code: 0, stderr: "" });
      expect(stdout).toMatch(argv[0]?.startsWith("-") && argv[0] !== "--help" ? /^\d+\.\d+\.\d+\n$/ : /^Usage: ccp/);
    }
  });

  test("that breaks exits 70, says what is safe, and shows the place only with CCP_DEBUG", async () => {
    const told: string[] = [];
    const broken = (environment: Record<string, string>) =>
      runCli({
        argv: ["runs"],
        cwd: makeRepository(),
        environment: { ...bareEnvironment(), ...environment },
        stdout: {
          write() {
            throw new Error("wires crossed");
          },
        },
        stderr: { write: (text) => told.push(String(text)) },
        readStdin: async () => "",
        ask: async () => null,
        onSignal: () => () => undefined,
      });
    expect(await broken({})).toBe(70);
    expect(told.splice(0).join("")).toBe(
      "ccp: this should not have happened: wires crossed\n  everything on record is whole; with CCP_DEBUG=1 the place is shown\n",
    );
    expect(await broken({ CCP_DEBUG: "1" })).toBe(70);
    expect(told.join("")).toMatch(/Error: wires crossed\n\s+at /);
  });
});
