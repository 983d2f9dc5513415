import { readFileSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

/** Git's common directory of a working tree's root, read without git; null where there is none. */
export function commonDirOf(root: string): string | null {
  try {
    const dotGit = join(root, ".git");
    if (statSync(dotGit).isDirectory()) return realpathSync(dotGit);
    const gitDir = resolve(
      root,
      readFileSync(dotGit, "utf8")
        .replace(/^gitdir: /, "")
        .trimEnd(),
    );
    const common = readFileSync(join(gitDir, "commondir"), "utf8").trimEnd();
    return realpathSync(resolve(gitDir, common));
  } catch {
    return null;
  }
}

/**
 * The common directory of another repository whose worktree is at `path`; null: nobody else's is there. Two clones can
 * know a run of the same rid, since runs are imported and repositories copied: neither may work in, or remove, the
 * worktree of the other. Both sides must say so, for an agent can write what it likes into its worktree's `.git`.
 */
export function strangerAt(commonDir: string, path: string): string | null {
  try {
    const [, adminDir = ""] = /^gitdir: (.*)\n$/s.exec(readFileSync(join(path, ".git"), "utf8")) ?? [];
    const owner = realpathSync(dirname(dirname(adminDir)));
    const registered = resolve(adminDir, readFileSync(join(adminDir, "gitdir"), "utf8").replace(/\n$/, ""));
    const isLinked = basename(dirname(adminDir)) === "worktrees" && registered === join(path, ".git");
    return isLinked && owner !== commonDir ? owner : null;
  } catch {
    return null;
  }
}
