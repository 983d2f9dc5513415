import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { writeFiles } from "../support/git.ts";
import { ccpAt, type Done, doerWho, proveRun, type Site, site } from "../support/proof.ts";
import { look } from "../workspace/git-support.ts";

const QUICK_FIX = readFileSync(new URL("../../pipelines/quick-fix.yaml", import.meta.url), "utf8");

const NPM_PROJECT = {
  ".gitignore": "node_modules/\n",
  "package.json": JSON.stringify({
    name: "root",
    private: true,
    type: "module",
    workspaces: ["packages/*"],
    scripts: { test: "check-it && node test.mjs" },
    dependencies: { handmade: "1.0.0" },
  }),
  "packages/core/package.json": JSON.stringify({ name: "@x/core", type: "module", exports: "./index.js" }),
  "packages/core/index.js": "export const where = import.meta.url;\nexport const value = 1;\n",
  "packages/app/package.json": JSON.stringify({ name: "app", type: "module", exports: "./index.js" }),
  "packages/app/index.js": 'export { value, where } from "@x/core";\n',
  "test.mjs": `
    import { value, where } from "app";
    import hand from "handmade";
    console.log("CORE", new URL(where).pathname);
    console.log("HAND", new URL(hand).pathname);
    if (value !== 2) process.exit(1);
  `,
};

/** What `npm install` makes of it, by hand: a package with a program, and links to the workspaces. */
function installNode(root: string): void {
  writeFiles(join(root, "node_modules/handmade"), {
    "package.json": JSON.stringify({ name: "handmade", version: "1.0.0", type: "module", exports: "./index.js" }),
    "index.js": "export default import.meta.url;\n",
    // Writes where it is installed, as many a tool does.
    "bin/check.js": `#!/usr/bin/env node
      import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
      mkdirSync("node_modules/.cache", { recursive: true });
      writeFileSync("node_modules/.cache/seen", "1");
      appendFileSync(new URL("../index.js", import.meta.url), "// run\\n");
      console.log("BIN", new URL(import.meta.url).pathname);
    `,
  });
  link(root, "node_modules/.bin/check-it", "../handmade/bin/check.js");
  link(root, "node_modules/@x/core", "../../packages/core");
  link(root, "node_modules/app", "../packages/app");
  chmodSync(join(root, "node_modules/handmade/bin/check.js"), 0o755);
}

test("npm test in a worktree tests the worktree's sources, and never writes into the user's node_modules", async () => {
  const on = site(NPM_PROJECT, installNode);
  const before = look(on.root, "node_modules");
  const turns = doerWho("sed -i 's/value = 1/value = 2/' packages/core/index.js; npm test");
  const done = await proveRun(on, { turns, pipeline: QUICK_FIX });
  expect(done.record.checks.map((check) => [check.command, check.exit_code])).toEqual([
    ["npm test", 1],
    ["npm test", 0],
  ]);
  const worktree = worktreeOf(on, done);
  const output = await outputOfLastCheck(on);
  expect(output).toContain(`CORE ${worktree}/packages/core/index.js\n`);
  expect(output).toContain(`HAND ${worktree}/node_modules/handmade/index.js\n`);
  expect(output).toContain(`BIN ${worktree}/node_modules/handmade/bin/check.js\n`);
  expect(look(on.root, "node_modules")).toEqual(before);
});

test("what npm installs in the worktree stays there and is in no patch", async () => {
  const on = site(NPM_PROJECT, installNode);
  const before = look(on.root, "node_modules");
  const install =
    "rm -r node_modules/handmade/bin node_modules/app; mkdir node_modules/added; echo x > node_modules/added/x";
  const done = await proveRun(on, { turns: doerWho(`${install}; echo changed > changed.txt`) });
  expect(readFileSync(join(done.results, "Diff.patch"), "utf8")).not.toContain("node_modules");
  expect(look(on.root, "node_modules")).toEqual(before);
});

test("node_modules that nobody ignores are in the worktree all the same, and in no patch", async () => {
  const { ".gitignore": _ignored, ...unignored } = NPM_PROJECT;
  const on = site(unignored, installNode);
  const turns = doerWho("test -x node_modules/.bin/check-it && npm test; sed -i 's/1;/2;/' packages/core/index.js");
  const done = await proveRun(on, { turns, args: ["--base", "HEAD"], pipeline: QUICK_FIX });
  expect(readFileSync(join(done.results, "Diff.patch"), "utf8")).not.toContain("node_modules");
});

const PYTHON_PROJECT = {
  ".gitignore": ".venv/\n",
  "pyproject.toml": '[project]\nname = "mypkg"\nversion = "1"\n',
  "src/mypkg/__init__.py": "def value():\n    return 1\n",
  "tests/test_value.py": [
    "import subprocess, sys, unittest",
    "import handmade, mypkg",
    "class ValueTest(unittest.TestCase):",
    "    def test_value(self):",
    '        print("MYPKG", mypkg.__file__, flush=True)',
    '        print("HAND", handmade.__file__, flush=True)',
    '        print("PREFIX", sys.prefix, flush=True)',
    '        subprocess.run(["my-cli"], check=True)',
    "        self.assertEqual(mypkg.value(), 2)",
    "",
  ].join("\n"),
};

/** A real virtual environment: a package of its own, an editable install of the project, and its console script. */
function installPython(root: string): void {
  execFileSync("python3", ["-m", "venv", "--without-pip", ".venv"], { cwd: root });
  const lib = join(root, ".venv/lib");
  const packages = join(lib, readdirSync(lib)[0] ?? "", "site-packages");
  writeFiles(packages, { "handmade/__init__.py": "", "__editable__.mypkg-1.pth": `${root}/src\n` });
  const script = join(root, ".venv/bin/my-cli");
  writeFileSync(script, `#!${root}/.venv/bin/python3\nimport sys, mypkg\nprint("CLI", sys.prefix, mypkg.__file__)\n`);
  chmodSync(script, 0o755);
}

test("Python tests in a worktree import the worktree's sources through a real virtual environment", async () => {
  const on = site(PYTHON_PROJECT, installPython);
  const before = look(on.root, ".venv");
  const turns = doerWho(
    "sed -i 's/return 1/return 2/' src/mypkg/__init__.py; which python my-cli; python -m unittest discover -s tests",
  );
  const done = await proveRun(on, { turns, pipeline: QUICK_FIX });
  const check = ".venv/bin/python -m unittest discover -s tests";
  expect(done.record.checks.map((record) => [record.command, record.exit_code])).toEqual([
    [check, 1],
    [check, 0],
  ]);
  const worktree = worktreeOf(on, done);
  const output = await outputOfLastCheck(on);
  expect(output).toContain(`MYPKG ${worktree}/src/mypkg/__init__.py\n`);
  expect(output).toMatch(new RegExp(`HAND ${worktree}/\\.venv/lib/.*/handmade/__init__\\.py\n`));
  expect(output).toContain(`PREFIX ${worktree}/.venv\n`);
  expect(output).toContain(`CLI ${worktree}/.venv ${worktree}/src/mypkg/__init__.py\n`);
  expect(output).not.toContain(on.root);
  expect(look(on.root, ".venv")).toEqual(before);
  expect(existsSync(join(on.root, "src/mypkg/__pycache__"))).toBe(false);
});

test("an edit within a second of the last import is seen by the next check", async () => {
  const on = site(PYTHON_PROJECT, installPython);
  const source = "src/mypkg/__init__.py";
  const setTime = `touch -d @1700000000 ${source}`;
  const turns = doerWho(`${setTime}; python -c 'import mypkg'; sed -i 's/return 1/return 2/' ${source}; ${setTime}`);
  const done = await proveRun(on, { turns, pipeline: QUICK_FIX });
  expect(done.record.checks.at(-1)).toMatchObject({ exit_code: 0 });
});

test("a virtual environment that is activated in the user's shell is not the one that a run uses, wherever that lies", async () => {
  const on = site(PYTHON_PROJECT, installPython);
  const stateHome = join(on.outside, "a state home, ü");
  const activated = { VIRTUAL_ENV: `${on.root}/.venv`, PATH: `${on.root}/.venv/bin:${on.env.PATH}` };
  const turns = doerWho('echo "$(command -v python) | $VIRTUAL_ENV | $(my-cli)" > seen.txt');
  const done = await proveRun({ ...on, env: { ...on.env, ...activated, XDG_STATE_HOME: stateHome } }, { turns });
  const worktree = join(stateHome, "ccp/worktrees", done.rid);
  expect(readFileSync(join(worktree, "seen.txt"), "utf8")).toBe(
    `${worktree}/.venv/bin/python | ${worktree}/.venv | CLI ${worktree}/.venv ${worktree}/src/mypkg/__init__.py\n`,
  );
});

function link(root: string, path: string, target: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  symlinkSync(target, join(root, path));
}

function worktreeOf(on: Site, done: Done): string {
  return join(on.env.HOME ?? "", ".local/state/ccp/worktrees", done.rid);
}

/** The last check of a run is the one that let it succeed. */
async function outputOfLastCheck(on: Site): Promise<string> {
  const { stdout } = await ccpAt(on, "view", "--step", "doer", "--json");
  const { entries } = JSON.parse(stdout) as { entries: readonly { kind: string; output: string }[] };
  return entries.findLast(({ kind }) => kind === "command")?.output ?? "";
}
