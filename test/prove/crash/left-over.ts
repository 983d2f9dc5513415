import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import Database from "better-sqlite3";
import { git } from "./ground.ts";
import type { World } from "./world.ts";

/** What should be gone once a run is over, or is broken: each a line that says what. `files`: all that the world has. */
export async function leftOver({ root, home }: World, files: readonly string[]): Promise<readonly string[]> {
  return [
    ...(await survivorsOf(home)),
    ...files.filter(isTemporary).map((file) => `temporary file ${file}`),
    ...brokenGit(root),
    ...brokenJournal(root),
  ];
}

/** Of ccp's, of git's, and whatever is in the folder for such files. */
function isTemporary(file: string): boolean {
  const isLock = file.endsWith(".lock") && !/\/ccp\/locks\/[^/]+$/.test(file);
  return isLock || /\.tmp$|\/tmp_[^/]*$|\/\.ccp-[^/]*$|^tmp\/|\/spool\/.|\.(copying|registration)\//.test(file);
}

/** What was only just ending may end. */
const LAST_BREATH_MS = 2_000;

async function survivorsOf(home: string): Promise<readonly string[]> {
  const deadline = performance.now() + LAST_BREATH_MS;
  for (;;) {
    const found = processesAt(home);
    if (found.length === 0 || performance.now() > deadline) return found;
    await wait(20);
  }
}

/** Whoever has the world's home in its environment was started by its ccp. */
function processesAt(home: string): readonly string[] {
  return readdirSync("/proc").flatMap((id) => {
    if (!/^\d+$/.test(id)) return [];
    try {
      const isOurs = readFileSync(`/proc/${id}/environ`, "latin1").split("\0").includes(`HOME=${home}`);
      return isOurs ? [`process ${id}: ${readFileSync(`/proc/${id}/cmdline`, "latin1").replaceAll("\0", " ")}`] : [];
    } catch {
      return [];
    }
  });
}

/** Every object that a branch or a worktree names is there. */
function brokenGit(root: string): readonly string[] {
  try {
    git(root, "fsck", "--connectivity-only", "--no-dangling", "--no-progress");
    return [];
  } catch (failure) {
    return [`git fsck: ${(failure as { readonly stderr?: string }).stderr ?? failure}`];
  }
}

function brokenJournal(root: string): readonly string[] {
  const journal = new Database(join(root, ".git", "ccp", "ccp.db"));
  try {
    const found = journal.pragma("integrity_check", { simple: true });
    return found === "ok" ? [] : [`integrity_check: ${found}`];
  } finally {
    journal.close();
  }
}
