import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { openRepository } from "../../src/workspace/repository.ts";
import { git, makeRepository, writeFiles } from "../support/git.ts";
import { tempDir } from "../support/temp.ts";
import { bareEnvironment, bench, footprint, RID, started } from "./git-support.ts";

const NODE = { ".gitignore": "node_modules\n.venv\n*.local\nvendor/bundle\n", "package.json": "{}\n" };

describe("bringing dependencies into a worktree", () => {
  it("copies what matches and is not tracked, those of workspaces too, and nothing else", async () => {
    const on = await bench({ ...NODE, "packages/a/index.js": "a\n", "vendor/tracked.rb": "t\n" });
    writeFiles(on.root, {
      "node_modules/x/index.js": "x\n",
      "packages/a/node_modules/y/index.js": "y\n",
      "vendor/bundle/gem.rb": "g\n",
      "settings.local": "s\n",
      "other.local": "not asked for\n",
    });
    const { path } = await started(on);
    const before = footprint(on.root);
    const globs = ["**/node_modules", "vendor/bundle", "settings.local", "packages/a/index.js", "no/such/*"];
    const copied = await on.repository.copyDependencies(path, globs);
    expect(copied).toEqual(["node_modules", "packages/a/node_modules", "settings.local", "vendor/bundle"]);
    expect(readFileSync(join(path, "packages/a/node_modules/y/index.js"), "utf8")).toBe("y\n");
    expect(readFileSync(join(path, "vendor/bundle/gem.rb"), "utf8")).toBe("g\n");
    expect(existsSync(join(path, "other.local"))).toBe(false);
    expect(footprint(on.root)).toEqual(before);
  });

  it("finds a place below a directory that is untracked as a whole, and what is untracked in one that is not", async () => {
    const on = await bench({ "lib/tracked.txt": "t\n" });
    writeFiles(on.root, { "vendor/bundle/gem.rb": "g\n", "vendor/other/x.rb": "x\n", "lib/cache/c.txt": "c\n" });
    const { path } = await started(on);
    expect(await on.repository.copyDependencies(path, ["vendor/bundle", "lib"])).toEqual([
      "lib/cache",
      "vendor/bundle",
    ]);
    expect(existsSync(join(path, "vendor/other"))).toBe(false);
  });

  it("shares no file with the user's tree, whatever was linked there", async () => {
    const on = await bench(NODE);
    writeFiles(on.root, { "node_modules/x/index.js": "original\n" });
    linkSync(join(on.root, "node_modules/x/index.js"), join(on.root, "node_modules/x/twin.js"));
    const { path } = await started(on);
    await on.repository.copyDependencies(path, ["**/node_modules"]);
    for (const name of ["index.js", "twin.js"]) {
      const [theirs, ours] = [join(on.root, "node_modules/x", name), join(path, "node_modules/x", name)];
      expect(statSync(ours).ino).not.toBe(statSync(theirs).ino);
      writeFileSync(ours, "written by a run\n");
      expect(readFileSync(theirs, "utf8")).toBe("original\n");
    }
  });

  it("keeps modes and times", async () => {
    const on = await bench(NODE);
    writeFiles(on.root, { "node_modules/.bin/tool": "#!/bin/sh\n", "node_modules/x/old.js": "x\n" });
    chmodSync(join(on.root, "node_modules/.bin/tool"), 0o755);
    const longAgo = new Date("2001-02-03T04:05:06Z");
    utimesSync(join(on.root, "node_modules/x/old.js"), longAgo, longAgo);
    const { path } = await started(on);
    await on.repository.copyDependencies(path, ["node_modules"]);
    expect(statSync(join(path, "node_modules/.bin/tool")).mode & 0o777).toBe(0o755);
    expect(statSync(join(path, "node_modules/x/old.js")).mtime).toEqual(longAgo);
  });

  it("keeps links as they are, but none leads into the user's tree and none that leads out is broken", async () => {
    const parent = tempDir();
    const on = await bench({ ...NODE, "packages/a/index.js": "a\n" });
    writeFiles(on.root, { "node_modules/real/index.js": "r\n" });
    writeFiles(parent, { "sibling/index.js": "s\n" });
    const links = {
      workspace: "../packages/a",
      absolute: join(on.root, "packages/a"),
      root: on.root,
      system: "/usr/bin/env",
      dangling: "./no-such-thing",
      climbing: join("..", "..", "..", parent, "sibling"),
    };
    // From node_modules up to the root of the disk, then down to the sibling.
    links.climbing = "../".repeat(on.root.split("/").length) + join(parent, "sibling").slice(1);
    const roundabout = join(tempDir(), "roundabout");
    symlinkSync(on.root, roundabout);
    for (const [name, target] of Object.entries(links)) symlinkSync(target, join(on.root, "node_modules", name));
    symlinkSync(join(roundabout, "packages/a"), join(on.root, "node_modules/around"));
    const { path } = await started(on);
    await on.repository.copyDependencies(path, ["node_modules"]);
    const words = (name: string) => readlinkSync(join(path, "node_modules", name));
    expect(words("workspace")).toBe("../packages/a");
    expect(words("absolute")).toBe(join(path, "packages/a"));
    expect(words("root")).toBe(path);
    expect(words("system")).toBe("/usr/bin/env");
    expect(words("dangling")).toBe("./no-such-thing");
    expect(words("climbing")).toBe(join(parent, "sibling"));
    expect(words("around")).toBe(join(path, "packages/a"));
  });

  it("leaves what is there already", async () => {
    const on = await bench({ ...NODE, "vendor/kept.txt": "tracked\n" });
    writeFiles(on.root, { "node_modules/x.js": "theirs\n" });
    const { path } = await started(on);
    writeFiles(path, { "node_modules/x.js": "the run's own\n" });
    expect(await on.repository.copyDependencies(path, ["node_modules"])).toEqual([]);
    expect(readFileSync(join(path, "node_modules/x.js"), "utf8")).toBe("the run's own\n");
  });

  it("done again after a crash in the middle is whole", async () => {
    const on = await bench(NODE);
    writeFiles(on.root, { "node_modules/x.js": "x\n", "node_modules/y.js": "y\n" });
    const { path } = await started(on);
    writeFiles(`${path}.copying`, { "node_modules/x.js": "hal" });
    expect(existsSync(join(path, "node_modules"))).toBe(false);
    expect(await on.repository.copyDependencies(path, ["node_modules"])).toEqual(["node_modules"]);
    expect(readFileSync(join(path, "node_modules/x.js"), "utf8")).toBe("x\n");
    expect(readFileSync(join(path, "node_modules/y.js"), "utf8")).toBe("y\n");
    expect(existsSync(`${path}.copying`)).toBe(false);
  });

  it("keeps them out of every snapshot, even where the base does not ignore them, and through every restore", async () => {
    const on = await bench({ "a.txt": "a\n" });
    writeFiles(on.root, { ".git/info/exclude": "odd [name]*\n" });
    writeFiles(on.root, { "odd [name]*/x.js": "x\n" });
    const { path, workspace, base } = await started(on);
    expect(await on.repository.copyDependencies(path, ["odd*"])).toEqual(["odd [name]*"]);
    writeFileSync(join(on.root, ".git/info/exclude"), "");
    expect(await workspace.snapshot()).toBe(base.tree);
    writeFiles(path, { "a.txt": "changed\n", ".gitignore": "nothing\n" });
    await workspace.restore(base.tree);
    expect(existsSync(join(path, "odd [name]*/x.js"))).toBe(true);
    expect(await workspace.snapshot()).toBe(base.tree);
  });

  it("does not write through a link of the base that leads out of the worktree", async () => {
    const outside = tempDir();
    const on = await bench({ ".gitignore": "node_modules\n" }, (root) => {
      symlinkSync(outside, join(root, "out"));
      git(root, "add", "--all");
      git(root, "commit", "--quiet", "--message=link");
    });
    const { path } = await started(on);
    rmSync(join(on.root, "out"));
    writeFiles(on.root, { "out/node_modules/x.js": "x\n" });
    expect(await on.repository.copyDependencies(path, ["**/node_modules"])).toEqual([]);
    expect(existsSync(join(outside, "node_modules"))).toBe(false);
  });

  it("makes the programs of node_modules speak of the worktree", async () => {
    const on = await bench(NODE);
    const script = (root: string) => `#!/bin/sh\nexport NODE_PATH="${root}/node_modules/x:${root}-other/y"\n`;
    writeFiles(on.root, {
      "node_modules/.bin/x": script(on.root),
      "node_modules/.bin/raw": Buffer.from(`\0${on.root}`),
    });
    const { path } = await started(on);
    await on.repository.copyDependencies(path, ["node_modules"]);
    const expected = `#!/bin/sh\nexport NODE_PATH="${path}/node_modules/x:${on.root}-other/y"\n`;
    expect(readFileSync(join(path, "node_modules/.bin/x"), "utf8")).toBe(expected);
    expect(readFileSync(join(path, "node_modules/.bin/raw")).includes(on.root)).toBe(true);
  });
});

describe("a Python virtual environment in a worktree", () => {
  it("has no file left that names the user's tree", async () => {
    const on = await bench({ ".gitignore": ".venv\n", "src/pkg.py": "" });
    const site = ".venv/lib/python3.12/site-packages";
    writeFiles(on.root, {
      ".venv/pyvenv.cfg": `home = /usr/bin\ncommand = /usr/bin/python3 -m venv ${on.root}/.venv\n`,
      ".venv/bin/activate": `VIRTUAL_ENV="${on.root}/.venv"\nexport VIRTUAL_ENV\n`,
      ".venv/bin/activate.fish": `set -gx VIRTUAL_ENV '${on.root}/.venv'\n`,
      ".venv/bin/pytest": `#!${on.root}/.venv/bin/python\nimport sys\n`,
      [`${site}/_pkg.pth`]: `${on.root}/src\n`,
      [`${site}/pkg.egg-link`]: `${on.root}\n../`,
      [`${site}/__editable___pkg_finder.py`]: `MAPPING = {'pkg': '${on.root}/src/pkg', "x": "${on.root}2/x"}\n`,
      [`${site}/other.py`]: `# left: ${on.root}/src\n`,
    });
    symlinkSync("/usr/bin/python3", join(on.root, ".venv/bin/python"));
    const { path } = await started(on);
    expect(await on.repository.copyDependencies(path, [".venv", "venv"])).toEqual([".venv"]);
    const text = (file: string) => readFileSync(join(path, file), "utf8");
    expect(text(".venv/pyvenv.cfg")).toBe(`home = /usr/bin\ncommand = /usr/bin/python3 -m venv ${path}/.venv\n`);
    expect(text(".venv/bin/activate")).toContain(`VIRTUAL_ENV="${path}/.venv"`);
    expect(text(".venv/bin/activate.fish")).toContain(`'${path}/.venv'`);
    expect(text(".venv/bin/pytest")).toContain(`${path}/.venv/bin/python`);
    expect(text(`${site}/_pkg.pth`)).toBe(`${path}/src\n`);
    expect(text(`${site}/pkg.egg-link`)).toBe(`${path}\n../`);
    expect(text(`${site}/__editable___pkg_finder.py`)).toBe(
      `MAPPING = {'pkg': '${path}/src/pkg', "x": "${on.root}2/x"}\n`,
    );
    expect(text(`${site}/other.py`)).toContain(on.root);
    expect(readlinkSync(join(path, ".venv/bin/python"))).toBe("/usr/bin/python3");
  });

  it.skipIf(!hasPython())(
    "imports the worktree's sources, its scripts start, and compiled files do not mislead it",
    async () => {
      // The worktree's path has a space in it and is long: neither may stand in a `#!` line.
      const stateHome = join(tempDir(), `st ate ${"x".repeat(90)}`);
      const root = makeRepository({ ".gitignore": ".venv\n__pycache__\n", "src/pkg.py": "WHERE = 'user'\n" });
      execFileSync("python3", ["-m", "venv", "--without-pip", ".venv"], { cwd: root });
      const site = execFileSync(".venv/bin/python", ["-c", "import site; print(site.getsitepackages()[0])"], {
        cwd: root,
        encoding: "utf8",
      }).trim();
      writeFiles(dirname(site), {
        "site-packages/_pkg.pth": `import __editable___pkg\n`,
        "site-packages/__editable___pkg.py": `import sys; sys.path.append('${root}/src')\n`,
      });
      writeFiles(root, {
        ".venv/bin/where": `#!${root}/.venv/bin/python\nimport pkg; print(pkg.WHERE, pkg.__file__)\n`,
      });
      chmodSync(join(root, ".venv/bin/where"), 0o755);
      expect(execFileSync(".venv/bin/where", { cwd: root, encoding: "utf8" })).toBe(`user ${root}/src/pkg.py\n`);

      const repository = await openRepository({ cwd: root, environment: bareEnvironment(), stateHome });
      const { path } = await repository.createWorkspace({ rid: RID, base: await repository.resolveBase("HEAD") });
      await repository.copyDependencies(path, [".venv"]);
      writeFileSync(join(path, "src/pkg.py"), "WHERE = 'run '\n");
      expect(execFileSync(join(path, ".venv/bin/where"), { cwd: path, encoding: "utf8" })).toBe(
        `run  ${path}/src/pkg.py\n`,
      );
      const inside = execFileSync(".venv/bin/python", ["-c", "import sys; print(sys.prefix)"], {
        cwd: path,
        encoding: "utf8",
      });
      expect(inside.trim()).toBe(join(path, ".venv"));
    },
  );
});

function hasPython(): boolean {
  try {
    execFileSync("python3", ["-m", "venv", "--help"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

it("an ordinary npm project with workspaces is tested in its worktree on the worktree's own files", async () => {
  const on = await bench({
    ".gitignore": "node_modules\n",
    "package.json": '{"type":"module","workspaces":["packages/*"]}\n',
    "packages/lib/package.json": '{"name":"lib","type":"module","exports":"./index.js"}\n',
    "packages/lib/index.js": "export const where = 'user';\n",
    "main.js": "import { where } from 'lib'; console.log(where);\n",
  });
  mkdirSync(join(on.root, "node_modules"));
  symlinkSync("../packages/lib", join(on.root, "node_modules/lib"));
  const { path, workspace } = await started(on);
  expect(await on.repository.copyDependencies(path, (await on.repository.project()).copy)).toEqual(["node_modules"]);
  expect(lstatSync(join(path, "node_modules/lib")).isSymbolicLink()).toBe(true);
  writeFiles(path, { "packages/lib/index.js": "export const where = 'worktree';\n" });
  const { stdout } = await workspace.run({
    command: `'${process.execPath}' main.js`,
    env: {},
    timeoutMs: 20_000,
    signal: new AbortController().signal,
  });
  expect(Buffer.from(stdout).toString()).toBe("worktree\n");
});
