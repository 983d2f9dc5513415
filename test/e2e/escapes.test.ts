import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { Confinement } from "../../src/core/confinement.ts";
import { git, makeRepository, writeFiles } from "../support/git.ts";
import { heldDescribe } from "../support/sandbox.ts";
import { tempDir } from "../support/temp.ts";
import { bench, openBench, type Running, started, withSubmodule } from "../workspace/git-support.ts";

/*
 * Each attempt to get out, made by a command of an agent's as it is run, straight on the workspace. `docs/security.md`
 * lists them. What the whole binary does is in `escapes-of-a-run.test.ts`.
 */

const DOER: Confinement = { writes: "worktree", network: "none" };
const READER: Confinement = { writes: "none", network: "none" };
const never = new AbortController().signal;

/** What a command in the sandbox wrote, both streams, and its exit code. */
async function attempt(on: Running, command: string, confinement: Confinement = DOER) {
  const end = await on.workspace.run({ command, env: {}, timeoutMs: 60_000, signal: never, confinement });
  const said = Buffer.concat([end.stdout, end.stderr]).toString();
  return { said, exitCode: end.exitCode };
}

heldDescribe("out of the worktree by its files", () => {
  test("a symlink leads to nothing that can be written", async () => {
    const on = await started(await bench());
    const outside = tempDir("ccp-outside");
    writeFileSync(join(outside, "mine.txt"), "mine\n");
    const command = `ln -s '${outside}' out; echo x > out/mine.txt; ln -s /etc etc; echo x > etc/ccp-escape; rm -rf out/`;
    const { said } = await attempt(on, command);
    expect(said).toMatch(/Read-only file system|No such file/);
    expect(readFileSync(join(outside, "mine.txt"), "utf8")).toBe("mine\n");
    expect(existsSync("/etc/ccp-escape")).toBe(false);
  });

  test("`..` and absolute paths lead to nothing that can be written", async () => {
    const on = await started(await bench());
    const { said } = await attempt(on, `echo x > ../escape; echo x > /usr/ccp-escape; echo x > '${on.root}/escape'`);
    expect(said).toContain("Read-only file system");
    expect([join(on.path, "../escape"), "/usr/ccp-escape", join(on.root, "escape")].filter(existsSync)).toEqual([]);
  });

  test("a hard link to a file outside cannot be made", async () => {
    const on = await started(await bench());
    const { exitCode } = await attempt(on, `ln /etc/passwd mine || ln '${on.root}/README.md' mine`);
    expect(exitCode).not.toBe(0);
    expect(existsSync(join(on.path, "mine"))).toBe(false);
  });

  test("a device, a mount, another root and a name space of more rights are not to be had", async () => {
    const on = await started(await bench());
    const attempts = ["mknod disk b 8 0", "mount -t tmpfs none .", "mount -o remount,rw /", "chroot / true"];
    for (const command of attempts) expect((await attempt(on, command)).exitCode, command).not.toBe(0);
    const { said } = await attempt(on, "unshare -Urm sh -c 'mount -o remount,rw / ; echo x > /etc/ccp-escape'");
    expect(existsSync("/etc/ccp-escape"), said).toBe(false);
  });

  test("a set-user-id program gives nobody more rights", async () => {
    const on = await started(await bench());
    const { said } = await attempt(on, "grep -E 'NoNewPrivs|CapEff|CapBnd' /proc/self/status");
    expect(said).toMatch(/NoNewPrivs:\t1/);
    expect(said).toMatch(/CapEff:\t0+\n/);
    expect(said).toMatch(/CapBnd:\t0+\n/);
  });

  test("a role that only reads writes nothing into the worktree", async () => {
    const on = await started(await bench());
    const before = await on.workspace.snapshot();
    const { said } = await attempt(on, "echo x > new.txt; rm README.md; chmod 777 README.md", READER);
    expect(said.match(/Read-only file system/g)).toHaveLength(3);
    expect(await on.workspace.snapshot()).toBe(before);
  });

  test("what a reader leaves in /tmp is not there for a writer", async () => {
    const on = await started(await bench());
    await attempt(on, "echo trap > /tmp/trap", READER);
    expect((await attempt(on, "cat /tmp/trap", DOER)).exitCode).not.toBe(0);
    expect(existsSync("/tmp/trap")).toBe(false);
  });
});

heldDescribe("into git", () => {
  test("its configuration, its hooks and its references are not to be written", async () => {
    const on = await started(await bench());
    const common = join(on.root, ".git");
    const before = [readFileSync(join(common, "config"), "utf8"), readdirSync(join(common, "hooks"))];
    const commands = [
      "git config core.fsmonitor 'touch /tmp/pwned'",
      "git config --worktree core.fsmonitor x",
      `echo x >> '${common}/config'`,
      `echo x > '${common}/hooks/pre-commit'`,
      `echo x >> '${common}/info/attributes'`,
      "git update-ref refs/heads/main HEAD~0 && git branch other",
      `rm -rf '${common}'`,
      "git worktree add ../more",
    ];
    for (const command of commands) expect((await attempt(on, command)).exitCode, command).not.toBe(0);
    expect([readFileSync(join(common, "config"), "utf8"), readdirSync(join(common, "hooks"))]).toEqual(before);
    expect(git(on.root, "branch", "--list", "other")).toBe("");
  });

  test("the pointer from the worktree to it can be neither changed nor moved away", async () => {
    const on = await started(await bench());
    const before = readFileSync(join(on.path, ".git"), "utf8");
    const { said } = await attempt(on, "echo gitdir: /tmp/x > .git; rm -f .git; mv .git x; ln -sf /tmp .git");
    expect(said).toMatch(/Read-only file system/);
    expect(readFileSync(join(on.path, ".git"), "utf8")).toBe(before);
  });

  test("ccp's own folder, with the journal, is neither seen nor written", async () => {
    const on = await started(await bench());
    const folder = join(on.root, ".git", "ccp");
    writeFileSync(join(folder, "journal"), "all that was said\n");
    const { said } = await attempt(on, `cat '${folder}/journal'; echo x > '${folder}/journal'; ls '${folder}/runs'`);
    expect(said).not.toContain("all that was said");
    expect(readFileSync(join(folder, "journal"), "utf8")).toBe("all that was said\n");
  });
});

heldDescribe("to keys", () => {
  test("what lies in the home directory is not there, and toolchains are", async () => {
    const on = await bench();
    writeFiles(on.environment.HOME ?? "", {
      ".ssh/id_ed25519": "the-key",
      ".aws/credentials": "the-key",
      ".config/ccp/providers.yaml": "the-key",
      ".config/gh/hosts.yml": "the-key",
      ".netrc": "the-key",
      ".npmrc": "the-key",
      ".git-credentials": "the-key",
      ".cargo/bin/tool": "#!/bin/sh\necho tool runs\n",
    });
    chmodSync(join(on.environment.HOME ?? "", ".cargo/bin/tool"), 0o755);
    const { said } = await attempt(await started(on), "grep -r the-key ~ ; ls -A ~; ~/.cargo/bin/tool");
    expect(said).not.toContain("the-key");
    expect(said).not.toContain(".ssh");
    expect(said).toContain("tool runs");
  });

  test("what the user keeps beside the code, ignored by git, is not there", async () => {
    const on = await bench({ ".gitignore": ".env\n" }, (root) => writeFileSync(join(root, ".env"), "TOKEN=the-key\n"));
    const { said, exitCode } = await attempt(await started(on), `cat '${on.root}/.env'`);
    expect(said).not.toContain("the-key");
    expect(exitCode).not.toBe(0);
  });

  test("credentials in the repository's configuration are not shown", async () => {
    const root = makeRepository();
    git(root, "remote", "add", "origin", "https://user:the-key@example.invalid/x");
    git(root, "config", "http.https://example.invalid/.extraheader", "AUTHORIZATION: basic the-key");
    const on = await started(await openBench(root));
    const { said } = await attempt(on, `git remote -v; git config --list; cat '${root}/.git/config'`);
    expect(said).toContain("https://example.invalid/x");
    expect(said).not.toContain("the-key");
  });

  test("the environment of other processes, and their open files, cannot be read", async () => {
    const on = await started(await bench());
    const secret = `the-key-${randomUUID()}`;
    const other = spawn("sleep", ["60"], { env: { PATH: process.env.PATH ?? "", SECRET: secret } });
    onTestFinished(() => void other.kill("SIGKILL"));
    const command = `cat /proc/*/environ /proc/${other.pid}/environ | tr '\\0' '\\n'; ls -l /proc/self/fd /proc/1/fd; kill -9 ${other.pid}`;
    const { said } = await attempt(on, command);
    expect(said).not.toContain(secret);
    expect(said).toMatch(/No such process/);
    expect(other.exitCode).toBeNull();
    const open = (await attempt(on, 'for d in /proc/self/fd/*; do echo "${d##*/}"; done')).said.trim().split("\n");
    // The shell has one more open: the directory that it reads.
    expect(open.map(Number).filter((descriptor) => descriptor > 3)).toEqual([]);
  });

  test("files of the machine's own passwords cannot be read", async () => {
    const { exitCode } = await attempt(await started(await bench()), "cat /etc/shadow");
    expect(exitCode).not.toBe(0);
  });
});

heldDescribe("to the network", () => {
  test("nothing answers, not even a server of this machine; with `open` it does", async () => {
    const on = await started(await bench());
    const server = createServer((socket) => socket.end("reached"));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const address = server.address();
    const port = typeof address === "object" && address ? address.port : 0;
    const command = `cat < /dev/tcp/127.0.0.1/${port}`;
    expect((await attempt(on, command)).said).not.toContain("reached");
    expect((await attempt(on, command, { writes: "worktree", network: "open" })).said).toContain("reached");
    expect((await attempt(on, command, { writes: "worktree", network: ["127.0.0.1"] })).said).not.toContain("reached");
  });

  test("there is no interface but its own, and so nobody to ask for a name", async () => {
    const on = await started(await bench());
    const { said } = await attempt(on, "tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '");
    expect(said).toBe("lo\n");
  });

  test("sockets of other programs are not there: containers, agents of keys, desktops", async () => {
    const on = await started(await bench());
    const path = join(tempDir(), "agent.sock");
    const server = createServer((socket) => socket.end("reached"));
    server.listen(path);
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const ask = `require("net").connect("${path}").on("data", (d) => console.log(String(d))).on("error", (e) => console.log(e.code))`;
    const { said } = await attempt(on, `node -e '${ask}'; ls -A /run`, { writes: "worktree", network: "open" });
    expect(said).toBe("ENOENT\n");
  });
});

heldDescribe("past the end of the command", () => {
  const escapes = [
    ["in a session of its own", "setsid sleep"],
    ["of a child that is gone", "(sleep N &) ; true"],
    ["with an environment of its own, in a session of its own", "env -i setsid nohup /bin/sleep"],
    ["that ignores every signal", "trap '' TERM HUP INT; setsid sleep"],
  ] as const;
  test.each(escapes)("a process %s does not live on", async (_, how) => {
    const on = await started(await bench());
    const seconds = `${100_000 + Math.floor(Math.random() * 900_000)}.5`;
    const command = how.includes("N") ? how.replace("N", seconds) : `${how} ${seconds} >/dev/null 2>&1 &`;
    await attempt(on, `${command}\nsleep 0.05`);
    expect(commandLines().filter((line) => line.includes(seconds))).toEqual([]);
  });
});

test("git filters, monitors and hooks of a repository that a run plants are not run by ccp", async () => {
  const on = await started(await withSubmodule());
  const marks = tempDir("ccp-marks");
  // Git looks into it only where its commit is the one on record.
  const library = git(on.path, "config", "--file", ".gitmodules", "submodule.lib.url").trim();
  git(on.path, "clone", "--quiet", library, "lib");
  for (const name of ["lib", "nested"]) plant(join(on.path, name), marks);
  const base = on.base.tree;
  const now = await on.workspace.snapshot();
  await on.workspace.diff(base, now);
  await on.workspace.diffStat(base, now);
  await on.workspace.glob("**", ".");
  await on.workspace.restore(base);
  expect(readdirSync(marks)).toEqual([]);
});

test("git filters, monitors and hooks that the worktree's own files ask for are not run by ccp", async () => {
  const files = {
    ".gitattributes": "* filter=evil diff=evil merge=evil\n",
    ".gitconfig": "[core]\nfsmonitor = touch x\n",
  };
  const marks = tempDir("ccp-marks");
  const on = await started(await bench(files));
  // A pointer to a repository of its own, as a command without a sandbox could leave it.
  plant(join(on.path, "evil"), marks);
  writeFileSync(join(on.path, ".git"), `gitdir: ${join(on.path, "evil", ".git")}\n`);
  const now = await on.workspace.snapshot();
  await on.workspace.diff(on.base.tree, now);
  await on.workspace.restore(on.base.tree);
  expect(readdirSync(marks)).toEqual([]);
});

/** A repository whose every program leaves a mark. */
function plant(path: string, marks: string): void {
  mkdirSync(join(path, "hooks"), { recursive: true });
  if (!existsSync(join(path, ".git"))) {
    git(path, "init", "--quiet");
    writeFiles(path, { "inner.txt": "inner\n" });
    git(path, "add", "--all");
    git(path, "commit", "--quiet", "--message=planted");
  }
  const mark = (name: string) => `sh -c 'touch ${join(marks, name)}; cat'`;
  const programs = ["core.fsmonitor", "core.pager", "core.sshCommand", "diff.evil.command", "diff.evil.textconv"];
  for (const name of [...programs, "filter.evil.clean", "filter.evil.smudge"]) git(path, "config", name, mark(name));
  git(path, "config", "core.hooksPath", join(path, "hooks"));
  for (const hook of ["post-checkout", "post-index-change", "pre-commit", "reference-transaction"]) {
    writeFileSync(join(path, "hooks", hook), `#!/bin/sh\ntouch ${join(marks, hook)}\n`, { mode: 0o755 });
  }
  writeFiles(path, { ".gitattributes": "* filter=evil diff=evil\n", "inner.txt": "other\n" });
}

/** What every process of the machine was called with. */
function commandLines(): readonly string[] {
  const ids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return ids.flatMap((id) => {
    try {
      return [readFileSync(`/proc/${id}/cmdline`, "utf8").replaceAll("\0", " ")];
    } catch {
      return [];
    }
  });
}
