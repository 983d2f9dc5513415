import { createHash } from "node:crypto";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { Base } from "../../src/core/event.ts";
import type { Repository, Workspace } from "../../src/core/ports.ts";
import { openRepository } from "../../src/workspace/repository.ts";
import { git, makeRepository } from "../support/git.ts";
import { tempDir } from "../support/temp.ts";

export const RID = "r-abc123";

/** A home of its own: no identity, no configuration of the machine's. */
export function bareEnvironment(home = tempDir("ccp-home")): Record<string, string> {
  return { PATH: process.env.PATH ?? "", HOME: home, GIT_CONFIG_NOSYSTEM: "1" };
}

export interface Bench {
  readonly root: string;
  readonly stateHome: string;
  readonly environment: Record<string, string>;
  readonly repository: Repository;
}

/** A repository of the user's, opened. */
export async function bench(
  files?: Readonly<Record<string, string | Uint8Array>>,
  prepare: (root: string) => void = () => undefined,
): Promise<Bench> {
  const root = makeRepository(files);
  prepare(root);
  return openBench(root);
}

export async function openBench(root: string): Promise<Bench> {
  const stateHome = tempDir("ccp-state");
  const environment = bareEnvironment();
  return {
    root,
    stateHome,
    environment,
    repository: await openRepository({ cwd: root, environment, stateHome, resultsDir: "results" }),
  };
}

/** A repository with a submodule in `lib`. */
export async function withSubmodule(): Promise<Bench> {
  const library = makeRepository({ "inner.txt": "inner\n" });
  return bench({ "a.txt": "a\n" }, (root) => {
    git(root, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", library, "lib");
    git(root, "commit", "--quiet", "--message=submodule");
  });
}

export interface Running extends Bench {
  readonly base: Base;
  readonly path: string;
  readonly notices: readonly string[];
  readonly workspace: Workspace;
}

/** A run's worktree, made. */
export async function started(on: Bench, given?: Base, rid = RID): Promise<Running> {
  const base = given ?? (await on.repository.resolveBase("HEAD"));
  const { path, notices } = await on.repository.createWorkspace({ rid, base });
  return { ...on, base, path, notices, workspace: on.repository.openWorkspace(rid, path) };
}

/** A file of a tree: its bytes, or the words of a symlink. */
export type Entry =
  | { readonly kind: "file"; readonly bytes: Buffer; readonly executable: boolean }
  | { readonly kind: "symlink"; readonly target: string };
export type Files = Readonly<Record<string, Entry>>;

/** Makes a directory hold exactly these files; `.git` is left. */
export function fill(root: string, files: Files): void {
  for (const name of readdirSync(root)) if (name !== ".git") rmSync(join(root, name), { recursive: true });
  for (const [path, entry] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    if (entry.kind === "symlink") symlinkSync(entry.target, join(root, path));
    else {
      writeFileSync(join(root, path), entry.bytes);
      chmodSync(join(root, path), entry.executable ? 0o755 : 0o644);
    }
  }
}

/** What is in a directory, as text that can be compared; directories count by what is in them. */
export function look(root: string, below = ""): Record<string, string> {
  const seen: Record<string, string> = {};
  for (const name of readdirSync(join(root, below))) {
    if (below === "" && name === ".git") continue;
    const path = below === "" ? name : `${below}/${name}`;
    const stats = lstatSync(join(root, path));
    if (stats.isDirectory()) Object.assign(seen, look(root, path));
    else if (stats.isSymbolicLink()) seen[path] = `-> ${readlinkSync(join(root, path))}`;
    else seen[path] = describeBytes(readFileSync(join(root, path)), (stats.mode & 0o100) !== 0);
  }
  return seen;
}

/** The same text for files that are not on a disk. */
export function describe(files: Files): Record<string, string> {
  return Object.fromEntries(
    Object.entries(files).map(([path, entry]) => [
      path,
      entry.kind === "symlink" ? `-> ${entry.target}` : describeBytes(entry.bytes, entry.executable),
    ]),
  );
}

function describeBytes(bytes: Buffer, executable: boolean): string {
  return `${executable ? "x" : "-"} ${bytes.length} ${createHash("sha256").update(bytes).digest("hex").slice(0, 16)}`;
}

/** All that a user could notice of their repository, but for the folder, branches and worktrees of ccp's. */
export function footprint(root: string): Record<string, unknown> {
  const indexFile = git(root, "rev-parse", "--path-format=absolute", "--git-path", "index").trim();
  return {
    files: look(root),
    status: git(root, "--no-optional-locks", "status", "--porcelain=v2", "--branch", "--untracked-files=all"),
    index: createHash("sha256").update(readFileSync(indexFile)).digest("hex"),
    head: readFileSync(join(root, ".git", "HEAD"), "utf8"),
    refs: git(root, "for-each-ref")
      .split("\n")
      .filter((line) => !line.includes("refs/heads/ccp/")),
    objects: git(root, "count-objects", "-v"),
    config: readFileSync(join(root, ".git", "config"), "utf8"),
  };
}

/** Hash of the tree of all that is in a directory, computed by git alone in a repository of its own. */
export function treeOfDirectory(root: string): string {
  git(root, "add", "--all", "--force");
  return git(root, "write-tree").trim();
}
