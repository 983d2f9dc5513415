import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { ccpAt, site } from "../support/proof.ts";
import { proveRefused } from "../support/refusal.ts";
import { programsWithout } from "../support/sandbox.ts";
import { RED_PROJECT } from "../support/scenario.ts";

const DOER = "pipeline:\n  - role: doer\n";

/** A file, the place in it that is named, what is said of it and the advice that goes with it. */
const INVALID: readonly (readonly [claim: string, text: string, says: RegExp, next: RegExp])[] = [
  ["broken YAML", "pipeline:\n  - role: [planner\n", /p\.yaml:\d+:\d+ {2}this \[ is not closed/, /ccp validate/],
  ["an empty file", "", /p\.yaml:1:1 {2}the file is empty/, /ccp validate/],
  [
    "an unknown key",
    "pipeline:\n  - role: doer\n    atempts: 2\n",
    /p\.yaml:3:5 {2}unknown key "atempts"/,
    /did you mean "attempts"\?/,
  ],
  [
    "an unknown role",
    "pipeline:\n  - role: plannr\n",
    /p\.yaml:2:11 {2}unknown role "plannr"/,
    /did you mean "planner"\?/,
  ],
  [
    "a way back to an unknown step",
    `${DOER}  - id: check\n    run: "true"\n    on_failure: { back_to: dooer, attempts: 1 }\n`,
    /p\.yaml:5:28 {2}step "check" goes back to "dooer", which does not exist/,
    /did you mean "doer"\?/,
  ],
  [
    "a need of an unknown step",
    'pipeline:\n  - { id: build, run: "true" }\n  - { id: check, run: "true", needs: [biuld] }\n',
    /p\.yaml:3:39 {2}step "check" needs "biuld", which does not exist/,
    /did you mean "build"\?/,
  ],
  [
    "an unknown tool",
    `roles:\n  doer:\n    tools: [read, bsh]\n${DOER}`,
    /p\.yaml:3:19 {2}unknown tool "bsh"/,
    /did you mean "bash"\?/,
  ],
  [
    "a write tool for the reviewer",
    "roles:\n  reviewer:\n    tools: [read, edit]\npipeline:\n  - role: doer\n  - role: reviewer\n",
    /p\.yaml:3:19 {2}.*reviewer.*edit/,
    /ccp validate/,
  ],
  [
    "a model without a provider",
    `roles:\n  doer:\n    models: gpt5\n${DOER}`,
    /p\.yaml:3:13 {2}"gpt5" is no model: write "provider\/model"/,
    /providers here: anthropic, openai/,
  ],
  [
    "an unknown provider",
    `roles:\n  doer:\n    models: anthropc/claude\n${DOER}`,
    /p\.yaml:3:13 {2}unknown provider "anthropc"/,
    /did you mean "anthropic"\?/,
  ],
  [
    "steps that wait for each other",
    'pipeline:\n  - { id: a, run: "true", needs: [b] }\n  - { id: b, run: "true", needs: [a] }\n',
    /p\.yaml:2:\d+ {2}steps wait for each other: "a" needs "b" needs "a"/,
    /ccp validate/,
  ],
  [
    "an input that is not given",
    `inputs:\n  name: { description: who it is for }\n${DOER}`,
    /p\.yaml:2:3 {2}input "name" \(who it is for\) is missing/,
    /--input name=VALUE/,
  ],
];

describe("a pipeline that cannot be run", () => {
  test.each(INVALID)("with %s is refused with its place, and nothing is begun", async (_claim, text, says, next) => {
    const on = site(RED_PROJECT);
    writeFileSync(join(on.outside, "p.yaml"), text);
    const argv = ["run", "--pipeline", join(on.outside, "p.yaml"), "Make sum add."];
    await proveRefused(on, argv, { exit: 2, code: "invalid_pipeline", says, next });
  });

  test("is refused with everything that is wrong with it at once", async () => {
    const on = site(RED_PROJECT);
    writeFileSync(join(on.outside, "p.yaml"), `budgt: {}\nroles:\n  doer: { tools: [bsh] }\n${DOER}    atempts: 1\n`);
    const { stderr } = await ccpAt(on, "run", "--pipeline", join(on.outside, "p.yaml"), "Make sum add.");
    expect(stderr.match(/p\.yaml:\d+:\d+/g)).toEqual(["p.yaml:1:1", "p.yaml:3:19", "p.yaml:6:5"]);
  });

  test("because no test command is found is refused, with the flag that gives one", async () => {
    const on = site({ "README.md": "# No tests\n" });
    await proveRefused(on, ["run", "--pipeline", "quick-fix", "Mend it."], {
      exit: 2,
      code: "invalid_pipeline",
      says: /no test command was found in package\.json, pyproject\.toml, Makefile, Cargo\.toml and go\.mod/,
      next: /--input test="npm test"/,
    });
  });

  test("because its file is not there is refused, with the names that are", async () => {
    const on = site(RED_PROJECT);
    const refusal = { exit: 2, code: "unknown_pipeline" };
    await proveRefused(on, ["run", "--pipeline", "quik-fix", "Mend it."], {
      ...refusal,
      says: /there is no pipeline quik-fix/,
      next: /did you mean quick-fix\? Known here: .*plan-build-test-review/,
    });
    await proveRefused(on, ["run", "--pipeline", "./nope.yaml", "Mend it."], {
      ...refusal,
      says: /there is no pipeline \.\/nope\.yaml/,
      next: /Looked for .*nope\.yaml/,
    });
  });

  test("without the sandbox that it requires is refused: no shell runs unconfined against its word", async () => {
    const found = site(RED_PROJECT);
    const PATH = `${dirname(process.execPath)}:${programsWithout("bwrap")}`;
    const on = { ...found, env: { ...found.env, PATH } };
    writeFileSync(join(on.outside, "p.yaml"), `sandbox: required\n${DOER}`);
    await proveRefused(
      on,
      ["run", "--pipeline", join(on.outside, "p.yaml"), "--model", "doer=scripted/x", "Mend it."],
      {
        exit: 2,
        code: "sandbox_unavailable",
        says: /requires a sandbox: bubblewrap is not installed/,
        next: /apt-get install bubblewrap.*sandbox: auto/,
      },
    );
  });

  test("without a variable that a step names is refused before anything is paid for", async () => {
    const on = site(RED_PROJECT);
    writeFileSync(join(on.outside, "p.yaml"), 'pipeline:\n  - { run: "true", env: [DEPLOY_TOKEN] }\n');
    await proveRefused(on, ["run", "--pipeline", join(on.outside, "p.yaml"), "Deploy."], {
      exit: 4,
      code: "missing_variable",
      says: /not set in the environment: DEPLOY_TOKEN \(step run\)/,
      next: /set it, or take its name out/,
    });
  });

  test("without the token of a server of tools is refused before anything is paid for", async () => {
    const on = site(RED_PROJECT);
    const servers = "mcp: { tickets: { url: https://tickets.test/mcp, token_env: TICKETS_TOKEN } }";
    writeFileSync(
      join(on.outside, "p.yaml"),
      `${servers}\nroles: { doer: { mcp: [tickets], models: scripted/x } }\npipeline: [{ role: doer }]\n`,
    );
    await proveRefused(on, ["run", "--pipeline", join(on.outside, "p.yaml"), "Mend it."], {
      exit: 4,
      code: "missing_variable",
      says: /not set in the environment: TICKETS_TOKEN \(server tickets\)/,
      next: /set it, or take its name out/,
    });
  });
});
