import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Confinement } from "../../src/core/confinement.ts";
import { openRepository } from "../../src/workspace/repository.ts";
import { bubblewrap } from "../../src/workspace/sandbox/bubblewrap.ts";
import { findSandbox } from "../../src/workspace/sandbox/find-sandbox.ts";
import { redactedConfig } from "../../src/workspace/sandbox/git-config.ts";
import { homeViews } from "../../src/workspace/sandbox/home-views.ts";
import { givenFiles } from "../../src/workspace/sandbox/run-views.ts";
import { profileOf } from "../../src/workspace/sandbox/sandbox-exec.ts";
import { inOrder, isHidden, type View } from "../../src/workspace/sandbox/views.ts";
import { writeFiles } from "../support/git.ts";
import { heldDescribe, programsWithout } from "../support/sandbox.ts";
import { tempDir } from "../support/temp.ts";
import { bareEnvironment, bench, started } from "./git-support.ts";

const WRITER: Confinement = { writes: "worktree", network: "none" };
const never = new AbortController().signal;
const request = (command: string, confinement?: Confinement) => ({
  ...{ command, env: {}, timeoutMs: 30_000, signal: never },
  ...(confinement ? { confinement } : {}),
});

const VIEWS: readonly View[] = [
  { path: "/work/tree/.git", kind: "shown" },
  { path: "/work", kind: "empty" },
  { path: "/work/tree", kind: "writable" },
  { path: "/etc/shadow", kind: "blank" },
  { path: "/tmp", kind: "replaced", by: "/elsewhere", writable: true },
];

describe("views of the disk", () => {
  test("of a directory come before those of what is in it, and of two the later counts", () => {
    const paths = inOrder([...VIEWS, { path: "/work/tree", kind: "shown" }]).map(({ path, kind }) => `${kind} ${path}`);
    expect(paths.indexOf("empty /work")).toBeLessThan(paths.indexOf("shown /work/tree"));
    expect(paths.indexOf("shown /work/tree")).toBeLessThan(paths.indexOf("shown /work/tree/.git"));
    expect(paths).not.toContain("writable /work/tree");
  });

  test("tell what is hidden: the nearest one decides", () => {
    expect(isHidden("/work/other", VIEWS)).toBe(true);
    expect(isHidden("/work/tree/a.txt", VIEWS)).toBe(false);
    expect(isHidden("/workshop", VIEWS)).toBe(false);
    expect(isHidden("/tmp/x", VIEWS)).toBe(true);
  });

  test("show a file that a variable names, no directory, and nothing that an input names", () => {
    const place = tempDir();
    writeFileSync(join(place, "key.json"), "{}");
    const hidden: readonly View[] = [{ path: place, kind: "empty" }];
    const file = join(place, "key.json");
    expect(givenFiles({ GOOGLE_KEY: file, CCP_INPUT_KEY: file, HOME: place }, hidden)).toEqual([
      { path: file, kind: "shown" },
    ]);
  });
});

describe("a home directory", () => {
  test("shows toolchains and what has no dot, and hides keys, also those that lie among toolchains", () => {
    const home = tempDir("ccp-home");
    writeFiles(home, {
      ".ssh/id_ed25519": "key",
      ".aws/credentials": "key",
      ".config/gh/hosts.yml": "token",
      ".npmrc": "token",
      ".netrc": "password",
      ".brand-new-tool/token": "token",
      ".nvm/bin/node": "node",
      ".cargo/bin/cargo": "cargo",
      ".cargo/credentials.toml": "token",
      ".cache/ms-playwright/chrome": "chrome",
      ".local/share/keyrings/login": "keys",
      ".local/bin/tool": "tool",
      "go/bin/gopls": "gopls",
    });
    const views = homeViews(home);
    const hidden = (path: string) => isHidden(join(home, path), views);
    const seen = [
      ".nvm/bin/node",
      ".cargo/bin/cargo",
      ".cache/ms-playwright/chrome",
      ".local/bin/tool",
      "go/bin/gopls",
    ];
    expect(seen.filter(hidden)).toEqual([]);
    const keys = [".ssh/id_ed25519", ".aws/credentials", ".config/gh/hosts.yml", ".npmrc", ".netrc"];
    const more = [".brand-new-tool/token", ".cargo/credentials.toml", ".local/share/keyrings/login"];
    expect([...keys, ...more].filter((path) => !hidden(path))).toEqual([]);
  });
});

describe("a repository's configuration", () => {
  test("is shown without what opens its remotes", () => {
    const text = `[core]
	bare = false
[remote "origin"]
	url = https://x-access-token:ghs_abc@github.com/a/b
[http "https://github.com/"]
	extraheader = AUTHORIZATION: basic c2VjcmV0
[url "https://user:pw@host/"]
	insteadOf = git@host:
`;
    const shown = redactedConfig(text);
    for (const secret of ["ghs_abc", "c2VjcmV0", "user:pw"]) expect(shown).not.toContain(secret);
    expect(shown).toContain("url = https://github.com/a/b");
    expect(shown).toContain("bare = false");
  });
});

describe("arguments for bubblewrap", () => {
  const driver = bubblewrap({ program: "/usr/bin/bwrap", userNamespace: true, sizes: false });
  const args = (network: Confinement["network"]) =>
    driver.argumentsFor({
      confinement: { writes: "worktree", network },
      views: inOrder(VIEWS),
      cwd: "/work/tree",
      command: ["/bin/sh", "-c", "--weird"],
    });

  test("take away network, capabilities and the terminal, and end with ccp", () => {
    const common = ["--unshare-pid", "--unshare-ipc", "--new-session", "--die-with-parent", "--cap-drop"];
    expect(args("none")).toEqual(expect.arrayContaining([...common, "--unshare-user", "--unshare-net"]));
    expect(args("open")).not.toContain("--unshare-net");
  });

  test("leave a list of hosts a network with nothing in it: the way out of it is a proxy's", () => {
    expect(args(["example.com"])).toContain("--unshare-net");
  });

  test("end with the command, whatever is in it", () => {
    expect(args("none").slice(-5)).toEqual(["/work/tree", "--", "/bin/sh", "-c", "--weird"]);
  });
});

// sandbox-exec itself is untested: there is no such machine here. What is held is what its documentation asks for.
describe("a profile for sandbox-exec", () => {
  const profile = (network: Confinement["network"]) =>
    profileOf({
      ...{ confinement: { writes: "worktree", network }, cwd: "/work/tree", command: [] },
      views: inOrder([...VIEWS, { path: '/a"b\\', kind: "empty" }]),
    });

  test("denies first, and allows a directory before it denies what is in it", () => {
    const lines = profile("none").split("\n");
    expect(lines.slice(0, 2)).toEqual(["(version 1)", "(deny default)"]);
    const allowed = lines.indexOf('(allow file-read* file-write* (subpath "/work/tree"))');
    expect(allowed).toBeGreaterThan(lines.indexOf('(deny file-read* file-write* (subpath "/work"))'));
    expect(lines.indexOf('(deny file-write* (subpath "/work/tree/.git"))')).toBeGreaterThan(allowed);
  });

  test("lets no path end its own quotes", () => {
    expect(profile("none")).toContain('(subpath "/a\\"b\\\\")');
  });

  test("reaches the machine itself and no other, but where it is open", () => {
    expect(profile("none")).not.toContain("(allow network*)\n");
    expect(profile("open")).toContain("(allow network*)\n");
  });
});

describe("looking for a sandbox", () => {
  test("says what to install where there is none", () => {
    const found = findSandbox({ PATH: programsWithout("bwrap") }, "linux");
    expect(found).toMatchObject({ driver: null, detail: "bubblewrap is not installed" });
    expect(found).toHaveProperty("hint", expect.stringContaining("apt-get install bubblewrap"));
  });

  test("is running it: one that the system does not let work is none, and its own words say why", () => {
    const programs = programsWithout("bwrap");
    fakeBubblewrap(programs, 'echo "bwrap: No permissions to create new namespace" >&2; exit 1');
    expect(findSandbox({ PATH: programs }, "linux")).toMatchObject({
      driver: null,
      detail: "bubblewrap does not work here: bwrap: No permissions to create new namespace",
    });
  });

  test("finds none for a system that nobody has one for", () => {
    expect(findSandbox({ PATH: "/usr/bin" }, "win32").driver).toBeNull();
  });
});

describe("a sandbox that fails", () => {
  test("is no exit code of the command's: the command counts as never run", async () => {
    const { workspace, flag } = await brittle();
    await expect(workspace.run(request("echo hi", WRITER))).resolves.toMatchObject({ exitCode: 0 });
    writeFileSync(flag, "");
    await expect(workspace.run(request("echo hi", WRITER))).rejects.toMatchObject({
      code: "sandbox_failed",
      message: "the sandbox could not be started: bwrap: out of luck",
      hint: expect.stringContaining("ccp doctor"),
    });
  });

  test("is no fault of a program that is talked to either", async () => {
    const { workspace, flag } = await brittle();
    writeFileSync(flag, "");
    const opened = workspace.open({ command: ["cat"], env: {}, network: "none", confinement: WRITER });
    await expect(opened).rejects.toMatchObject({ code: "sandbox_failed" });
  });

  test("cannot be played by a command that says the same", async () => {
    const { workspace } = await started(await bench());
    const said = await workspace.run(request('echo "bwrap: no" >&2; exit 1'));
    expect(said).toMatchObject({ exitCode: 1 });
  });

  /** A workspace whose bubblewrap works, or does as if, until a file is there. */
  async function brittle() {
    const flag = join(tempDir(), "broken");
    const programs = programsWithout("bwrap");
    const skip = 'while [ "$1" != -- ]; do shift; done; shift; exec "$@"';
    fakeBubblewrap(programs, `[ -e ${flag} ] && { echo "bwrap: out of luck" >&2; exit 1; }; ${skip}`);
    expect(findSandbox({ PATH: programs }).driver).not.toBeNull();
    const on = await bench();
    const environment = { ...bareEnvironment(), PATH: programs };
    const repository = await openRepository({ cwd: on.root, environment, stateHome: on.stateHome });
    return { flag, ...(await started({ ...on, repository })) };
  }
});

heldDescribe("a command in the sandbox", () => {
  test("gives its exit code and what it wrote, and begins in the worktree", async () => {
    const { workspace, path } = await started(await bench());
    const result = await workspace.run(request("pwd; echo err >&2; exit 3", WRITER));
    expect(result).toMatchObject({ exitCode: 3, endedBy: null });
    expect(Buffer.from(result.stdout).toString()).toBe(`${path}\n`);
    expect(Buffer.from(result.stderr).toString()).toBe("err\n");
  });

  test("sees git's history and state, and changes neither", async () => {
    const { workspace } = await started(await bench());
    const result = await workspace.run(request("echo new > new.txt; git status --short; git log --format=%s", WRITER));
    expect(Buffer.from(result.stdout).toString()).toBe("?? new.txt\nstart\n");
    expect(await workspace.run(request("git add new.txt", WRITER))).toMatchObject({ exitCode: 128 });
    expect(await workspace.run(request("git -c user.name=a -c user.email=b commit -am x", WRITER))).toMatchObject({
      exitCode: 128,
    });
  });

  test("may end in the tail of a pipeline that outlives its shell for a moment", async () => {
    const { workspace } = await started(await bench());
    const result = await workspace.run(request("echo line > >(sleep 0.02; cat > tail.txt)", WRITER));
    expect(result.exitCode).toBe(0);
    expect(await workspace.readFile("tail.txt")).toMatchObject({ ok: true, value: Buffer.from("line\n") });
  });

  test("talks to itself over the network that it has", async () => {
    const { workspace } = await started(await bench());
    const talk = `node -e 'const s=require("net").createServer(c=>c.end("hi")).listen(0,"127.0.0.1",()=>require("net").connect(s.address().port,"127.0.0.1").on("data",d=>{console.log(String(d));process.exit()}))'`;
    const result = await workspace.run(request(talk, WRITER));
    expect(Buffer.from(result.stdout).toString()).toBe("hi\n");
  });

  test("reaches hosts by name through a proxy alone, and is told what it may not reach", async () => {
    const { workspace } = await started(await bench());
    const get = (url: string) => `node -e 'fetch("${url}").catch(() => console.log("no way"))'`;
    const confinement = { ...WRITER, network: ["*.allowed.test"] };
    const script = ["http://forbidden.test/", "http://sub.allowed.test/", "http://127.0.0.1:9/"].map(get).join(";");
    const result = await workspace.run(request(script, confinement));
    expect(Buffer.from(result.stdout).toString()).toBe("no way\n".repeat(3));
    const refusal = "ccp: forbidden.test:80 was not reached: not among the hosts that are allowed";
    expect(Buffer.from(result.stderr).toString()).toBe(`${refusal}\n`);
    const command = ["sh", "-c", get("http://forbidden.test/")];
    const program = await workspace.open({ command, env: {}, network: ["x.test"], confinement });
    expect(await program.ended).toContain(refusal);
  });

  test("that takes too long is ended with all that it has started", async () => {
    const { workspace } = await started(await bench());
    const result = await workspace.run({ ...request("sleep 1000 & sleep 1000", WRITER), timeoutMs: 200 });
    expect(result).toMatchObject({ exitCode: null, endedBy: "timeout" });
  });

  test("that takes too long may tidy up first", async () => {
    const { workspace } = await started(await bench());
    const command = "trap 'echo tidied > tidied.txt; exit 1' TERM; while :; do sleep 0.01; done";
    const result = await workspace.run({ ...request(command, WRITER), timeoutMs: 500 });
    expect(result).toMatchObject({ exitCode: null, endedBy: "timeout" });
    expect(await workspace.readFile("tidied.txt")).toMatchObject({ ok: true });
  });

  test("is talked to, where it is a program", async () => {
    const { workspace } = await started(await bench());
    const program = await workspace.open({ command: ["cat"], env: {}, network: "none", confinement: WRITER });
    program.write("hello\n");
    for await (const bytes of program.output) {
      expect(Buffer.from(bytes).toString()).toBe("hello\n");
      break;
    }
    await program.end();
    expect(await program.ended).toContain("it ");
  });
});

function fakeBubblewrap(folder: string, script: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "bwrap"), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, "bwrap"), 0o755);
}
