import { chmodSync, lstatSync, mkdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { git, writeFiles } from "../support/git.ts";
import { ccpAt, doerWho, patchOf, proveRun, type Site, site } from "../support/proof.ts";
import type { ScriptedTurn } from "../support/scenario.ts";
import { look } from "../workspace/git-support.ts";

/** Names that trip up whoever takes a path for a word, a line, a flag or a pattern. */
const NAMES = [
  "with space.txt",
  " leading and trailing ",
  "ünï-日本-🎈.txt",
  "u\u0308 decomposed.txt",
  "new\nline.txt",
  "ta\tb\r.txt",
  "-rf",
  "--output=x",
  "quo\"te's.txt",
  "back\\slash",
  "*?[a].txt",
  "!important",
  "#hash",
  ":(top)magic",
  "$(echo x)`y`",
  "a => b",
  "{a,b}",
  "~",
  "deep/-dir \n/sub ü/x",
];

/** The run, and then its patch brought into the user's tree: both end at the same files. */
async function proveAndApply(on: Site, turns: readonly ScriptedTurn[]) {
  const done = await proveRun(on, { turns });
  const applied = await ccpAt(on, "apply");
  expect(applied, applied.stderr).toMatchObject({ code: 0, stderr: "" });
  expect(treeNow(on)).toBe(done.record.tree);
  return done;
}

/** The user's working tree as a tree of git's. */
function treeNow(on: Site): string {
  git(on.root, "add", "--all");
  return git(on.root, "write-tree").trim();
}

test("files of every name are changed, deleted and renamed by a run", async () => {
  const old = Object.fromEntries(
    NAMES.flatMap((name) => [
      [`changed/${name}`, "old\n"],
      [`deleted/${name}`, "old\n"],
    ]),
  );
  const on = site({ ...old, ...Object.fromEntries(NAMES.map((name) => [`moved/${name}`, `${name}\n`.repeat(9)])) });
  const turns = doerWho(
    "find changed -type f -exec sh -c 'echo new >> \"$1\"' - {} \\;; rm -r deleted; mv moved arrived",
  );
  const done = await proveAndApply(on, turns);
  const files = git(on.root, "ls-tree", "-r", "-z", "--name-only", `ccp/${done.rid}`).split("\0").slice(0, -1);
  expect(files.sort()).toEqual(NAMES.flatMap((name) => [`changed/${name}`, `arrived/${name}`]).sort());
});

test("files of every name are written and edited by tools, and stay in the worktree", async () => {
  const on = site({ "a.txt": "one\n", ...Object.fromEntries(NAMES.map((name) => [`old/${name}`, "one\n"])) });
  const write = NAMES.map((name) => ({ tool: "write", args: { path: `new/${name}`, content: name } }));
  const read = NAMES.map((name) => ({ tool: "read", args: { path: `old/${name}` } }));
  const edit = NAMES.map((name) => ({
    tool: "edit",
    args: { path: `old/${name}`, edits: [{ old: "one", new: "two" }] },
  }));
  const finish = doerWho("true")[1]?.calls ?? [];
  const done = await proveAndApply(on, [
    { role: "doer", turn: 1, calls: [...write, ...read, ...edit] },
    { role: "doer", turn: 2, calls: finish },
  ]);
  for (const name of NAMES) {
    expect(git(on.root, "show", `ccp/${done.rid}:new/${name}`)).toBe(name);
    expect(git(on.root, "show", `ccp/${done.rid}:old/${name}`)).toBe("two\n");
  }
});

test("names that are no text in any encoding come through", async () => {
  const on = site({ "a.txt": "one\n" });
  const done = await proveAndApply(on, doerWho("echo x > $'caf\\xe9.txt'; echo y > $'\\xff\\xfe'"));
  expect(git(on.root, "ls-tree", "--name-only", `ccp/${done.rid}`)).toContain('"caf\\351.txt"');
});

test("last lines without an end stay so, appear and disappear", async () => {
  const on = site({ "stays.txt": "a\nb", "gets.txt": "a", "loses.txt": "a\nb\n", "empty.txt": "", "emptied.txt": "x" });
  const done = await proveAndApply(
    on,
    doerWho(
      "printf 'a\\nc' > stays.txt; echo >> gets.txt; printf 'a\\nb' > loses.txt; printf y > empty.txt; : > emptied.txt",
    ),
  );
  expect(git(on.root, "show", `ccp/${done.rid}:stays.txt`)).toBe("a\nc");
  expect(readFileSync(join(on.root, "emptied.txt"), "utf8")).toBe("");
});

const CRLF_TASK = doerWho(
  [
    "sed -i 's/two/zwei/' crlf.txt lf.txt mixed.txt",
    "printf 'n\\r\\nm\\r\\n' > new-crlf.txt",
    "printf 'n\\nm\\n' > new-lf.txt",
    "printf '\\r\\n' >> lf.txt",
  ].join("; "),
);
const CRLF_FILES = {
  "crlf.txt": "one\r\ntwo\r\nthree\r\n",
  "lf.txt": "one\ntwo\nthree\n",
  "mixed.txt": "one\r\ntwo\nthree\r\n",
};

test("line ends are kept as they are where nothing is configured", async () => {
  const on = site(CRLF_FILES);
  const done = await proveAndApply(on, CRLF_TASK);
  const show = (path: string) => git(on.root, "show", `ccp/${done.rid}:${path}`);
  expect(show("crlf.txt")).toBe("one\r\nzwei\r\nthree\r\n");
  expect(show("mixed.txt")).toBe("one\r\nzwei\nthree\r\n");
  expect(show("new-crlf.txt")).toBe("n\r\nm\r\n");
});

test("line ends are normalised as .gitattributes says", async () => {
  const on = site({ ...CRLF_FILES, ".gitattributes": "* text=auto\nmixed.txt -text\nlf.txt text eol=crlf\n" });
  const done = await proveRun(on, { turns: CRLF_TASK });
  const show = (path: string) => git(on.root, "show", `ccp/${done.rid}:${path}`);
  expect(show("crlf.txt")).toBe("one\nzwei\nthree\n");
  expect(show("mixed.txt")).toBe("one\r\nzwei\nthree\r\n");
  expect(show("new-crlf.txt")).toBe("n\nm\n");
  const applied = await ccpAt(on, "apply");
  expect(applied, applied.stderr).toMatchObject({ code: 0 });
  expect(treeNow(on)).toBe(done.record.tree);
});

test("a user with core.autocrlf has CRLF in the worktree and in the tree after apply, LF in the patch", async () => {
  const on = site({ "a.txt": "one\ntwo\n" });
  writeFileSync(join(on.env.HOME ?? "", ".gitconfig"), "[core]\n\tautocrlf = true\n");
  writeFileSync(join(on.root, "a.txt"), "one\r\ntwo\r\n");
  const turns = doerWho("grep -c $'\\r' a.txt > count.txt; sed -i 's/two/zwei/' a.txt");
  const done = await proveRun(on, { turns, args: ["--base", "HEAD"] });
  expect(git(on.root, "show", `ccp/${done.rid}:count.txt`)).toBe("2\n");
  expect(readFileSync(patchOf(done), "utf8")).not.toContain("\r");
  expect(await ccpAt(on, "apply")).toMatchObject({ code: 0 });
  expect(readFileSync(join(on.root, "a.txt"), "utf8")).toBe("one\r\nzwei\r\n");
});

test("binary files are added, changed, shrunk and deleted", async () => {
  const noise = Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 7919) % 256));
  const on = site({ "changed.bin": noise, "shrunk.bin": noise, "deleted.bin": noise, "becomes-text": noise });
  const done = await proveAndApply(
    on,
    doerWho(
      "printf 'a\\0b' >> changed.bin; truncate -s 7 shrunk.bin; rm deleted.bin; echo text > becomes-text; head -c 9999 /dev/zero > new.bin",
    ),
  );
  expect(readFileSync(join(on.root, "changed.bin"))).toEqual(Buffer.concat([noise, Buffer.from("a\0b")]));
  expect(readFileSync(patchOf(done), "utf8")).toContain("GIT binary patch");
});

test("symlinks are made, turned, replaced by files and directories and the other way round", async () => {
  const on = site({ "target/file": "x\n", "becomes-link": "x\n", "dir-becomes-link/x": "x\n" }, (root) => {
    symlinkSync("target/file", join(root, "turned"));
    symlinkSync("nowhere at all", join(root, "dangling"));
    symlinkSync("target", join(root, "becomes-directory"));
    symlinkSync("target/file", join(root, "becomes-file"));
    git(root, "add", "--all");
    git(root, "commit", "--quiet", "--message=links");
  });
  const commands = [
    "ln -sfn 'target/new file' turned",
    "rm dangling && ln -s /etc/hostname dangling",
    "rm becomes-directory && mkdir becomes-directory && echo y > becomes-directory/inside",
    "rm becomes-file && echo y > becomes-file",
    "rm becomes-link && ln -s target becomes-link",
    "rm -r dir-becomes-link && ln -s target dir-becomes-link",
    "ln -s $'odd\\nüname ' fresh",
  ];
  const done = await proveAndApply(on, doerWho(commands.join(" && ")));
  expect(readlinkSync(join(on.root, "fresh"))).toBe("odd\nüname ");
  expect(readFileSync(join(on.root, "becomes-directory/inside"), "utf8")).toBe("y\n");
  expect(done.record.status).toBe("succeeded");
});

test("the executable bit is set, taken and kept through the tools", async () => {
  const on = site(
    { "gets.sh": "#!/bin/sh\n", "loses.sh": "#!/bin/sh\n", "keeps.sh": "#!/bin/sh\necho 1\n" },
    (root) => {
      for (const name of ["loses.sh", "keeps.sh"]) chmodSync(join(root, name), 0o755);
      git(root, "commit", "--quiet", "--all", "--message=modes");
    },
  );
  const [, finish] = doerWho("true");
  const done = await proveAndApply(on, [
    {
      role: "doer",
      turn: 1,
      calls: [
        { tool: "bash", args: { command: "chmod +x gets.sh; chmod -x loses.sh" } },
        { tool: "read", args: { path: "keeps.sh" } },
      ],
    },
    {
      role: "doer",
      turn: 2,
      calls: [{ tool: "edit", args: { path: "keeps.sh", edits: [{ old: "echo 1", new: "echo 2" }] } }],
    },
    { role: "doer", turn: 3, calls: finish?.calls ?? [] },
  ]);
  const modes = git(on.root, "ls-tree", `ccp/${done.rid}`)
    .split("\n")
    .map((line) => `${line.slice(0, 6)} ${line.split("\t")[1]}`);
  expect(modes).toEqual(expect.arrayContaining(["100755 gets.sh", "100644 loses.sh", "100755 keeps.sh"]));
  expect(lstatSync(join(on.root, "gets.sh")).mode & 0o111).toBe(0o111);
});

test("a file of 50 MB that a command makes is in the patch and in the tree", async () => {
  const on = site({ "a.txt": "one\n" });
  const done = await proveRun(on, { turns: doerWho("yes 'fifty megabytes of this' | head -c 52428800 > big.txt") });
  expect(git(on.root, "cat-file", "-s", `ccp/${done.rid}:big.txt`).trim()).toBe("52428800");
  expect(await ccpAt(on, "apply")).toMatchObject({ code: 0 });
  expect(git(on.root, "hash-object", "big.txt")).toBe(git(on.root, "rev-parse", `ccp/${done.rid}:big.txt`));
});

test("what git ignores is neither in the patch nor taken from the worktree", async () => {
  const on = site({ ".gitignore": "*.log\nbuild/\n", "a.txt": "one\n" }, (root) =>
    writeFiles(root, { "mine.log": "mine\n", "build/out": "mine\n" }),
  );
  const before = look(on.root);
  const done = await proveRun(on, {
    turns: doerWho("mkdir build; echo x > build/out; echo y > run.log; echo two >> a.txt"),
  });
  expect(git(on.root, "ls-tree", "-r", "--name-only", `ccp/${done.rid}`)).toBe(".gitignore\na.txt\n");
  expect(look(on.root)).toMatchObject(before);
});

test("a directory that loses its last file, and one that is made for a new one", async () => {
  const on = site({ "old/dir/only": "x\n", "file-becomes-dir": "x\n", "dir-becomes-file/x": "x\n", "Case.txt": "x\n" });
  mkdirSync(join(on.root, "empty-of-the-user"));
  const commands = [
    "rm old/dir/only",
    "rm file-becomes-dir && mkdir file-becomes-dir && echo y > file-becomes-dir/y",
    "rm -r dir-becomes-file && echo y > dir-becomes-file",
    "mv Case.txt case.txt",
    "mkdir -p made/for && echo y > made/for/it && mkdir empty",
  ];
  await proveAndApply(on, doerWho(commands.join(" && ")));
  expect(look(on.root)).toMatchObject({ "case.txt": expect.anything(), "made/for/it": expect.anything() });
});
