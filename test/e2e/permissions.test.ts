import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { writeFiles } from "../support/git.ts";
import { eventsOf } from "../support/journal.ts";
import { ccpAt, type Site, scripted, site } from "../support/proof.ts";
import { proveRefused, resultOf } from "../support/refusal.ts";
import { WORK } from "../support/scenario.ts";

const RULES = `roles:
  doer:
    permissions:
      - { tool: bash, match: "npm publish *", effect: deny, reason: releases are made by people }
      - { tool: bash, match: "npm *", effect: allow }
      - { tool: "*", match: "secrets/**", effect: deny }
pipeline:
  - role: doer
`;

/** A repository with these rules, and a symlink to what they protect. */
function ruled(): Site {
  return site({ "README.md": "# Sample\n", "secrets/key": "old\n", ".ccp/pipelines/default.yaml": RULES }, (root) => {
    writeFiles(root, { "docs/a.md": "a\n" });
    symlinkSync("../secrets", join(root, "docs", "link"));
    symlinkSync("../secrets/key", join(root, "docs", "key"));
  });
}

const explain = async (on: Site, ...argv: readonly string[]) => {
  const { code, stdout, stderr } = await ccpAt(on, "permissions", "explain", ...argv);
  return { code, stdout, stderr };
};

describe("ccp permissions explain", () => {
  test("says of each command which rules match, where they stand, and what is decided", async () => {
    const on = ruled();
    const { code, stdout } = await explain(on, "doer", "cd x && npm test && npm publish > secrets/log");
    expect(code).toBe(1);
    const lines = stdout.split("\n").map((line) => line.replace(/ {2,}/g, "  ").trim());
    expect(lines).toContain('command  npm test  allow  .ccp/pipelines/default.yaml:5:9  allow bash "npm *"');
    expect(lines).toContain(
      'command  npm publish  deny  .ccp/pipelines/default.yaml:4:9  deny bash "npm publish *": releases are made by people',
    );
    expect(lines).toContain("write  x/secrets/log  allow  no rule is about it");
    expect(lines).toContain('write  secrets/log  deny  .ccp/pipelines/default.yaml:6:9  deny * "secrets/**"');
    expect(lines).toContain('command  cd x  ask  no rule allows "cd x"');
    expect(lines.at(-2)).toMatch(/^deny: /);
  });

  test("leaves with 0 for what is allowed alone", async () => {
    const on = ruled();
    expect(await explain(on, "doer", "npm test")).toMatchObject({ code: 0, stdout: expect.stringMatching(/^allow$/m) });
    expect(await explain(on, "doer", "make")).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^ask: no rule/m),
    });
    expect(await explain(on, "doer", "git push")).toMatchObject({
      code: 1,
      stdout: expect.stringContaining("every role"),
    });
  });

  test("takes other tools, several paths, and JSON", async () => {
    const on = ruled();
    const { code, stdout } = await explain(on, "doer", "--tool", "write", "--json", "docs/a", "Secrets/b");
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      v: 1,
      role: "doer",
      tool: "write",
      effect: "deny",
      parts: [{ effect: "allow" }, { effect: "deny", rules: [{ at: ".ccp/pipelines/default.yaml:6:9" }] }],
    });
  });

  test("refuses what does not exist, and runs nothing", async () => {
    const on = ruled();
    const refusals = [
      [["doer2", "ls"], /there is no role "doer2"/, /did you mean "doer"/],
      [["reviewer", "ls"], /no step of the pipeline has the role "reviewer"/, /its roles: doer/],
      [["doer", "ls", "--tool", "bsh"], /there is no tool "bsh"/, /did you mean "bash"/],
    ] as const;
    for (const [argv, says, next] of refusals)
      await proveRefused(on, ["permissions", "explain", ...argv], { exit: 2, code: "usage", says, next });
  });
});

test("a symlink leads no call past a rule, whatever it is called", async () => {
  const on = ruled();
  const write = (turn: number, path: string) => ({
    role: "doer",
    turn,
    calls: [{ tool: "write", args: { path, content: "x\n" } }],
  });
  const turns = [
    write(1, "docs/link/new"),
    write(2, "docs/key"),
    { role: "doer", turn: 3, calls: [{ tool: "read", args: { path: "docs/link/key" } }] },
    write(4, "docs/b.md"),
    { role: "doer", turn: 5, calls: [{ tool: "finish", args: WORK }] },
  ];
  const argv = ["run", ...scripted(on, { turns, pipeline: RULES }), "--include-dirty", "--json", "Do it."];
  const { rid, exitCode } = resultOf((await ccpAt(on, ...argv)).stdout);
  expect(exitCode).toBe(0);
  const ends = eventsOf(on, rid, "tool.finished").map(({ tool, status }) => `${tool} ${status}`);
  expect(ends).toEqual(["write denied", "write denied", "read denied", "write ok", "finish ok"]);
  expect((await ccpAt(on, "replay", rid)).code).toBe(0);
});
