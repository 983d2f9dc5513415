import type { Git } from "./git.ts";

/** The branch on which a run leaves its one commit. */
export function branchOf(rid: string): string {
  return `ccp/${rid}`;
}

/** Its full name. */
export function branchRef(rid: string): string {
  return `refs/heads/${branchOf(rid)}`;
}

/** The rids that ccp itself makes: a branch `ccp/anything-else` is somebody's own. */
const MADE_BY_CCP = /^refs\/heads\/ccp\/(r-[a-z0-9]{6})$/;

/** The runs that have a branch. */
export async function runsWithBranch(git: Git, commonDir: string): Promise<readonly string[]> {
  const args = ["for-each-ref", "--format=%(refname)", "refs/heads/ccp"];
  const names = (await git.text({ cwd: commonDir, env: { GIT_DIR: commonDir }, args })).split("\n");
  return names.flatMap((name) => MADE_BY_CCP.exec(name)?.[1] ?? []);
}

/**
 * Deletes a run's branch, but for one that somebody has checked out. Not by `git branch -D`: that writes the
 * repository's configuration anew, which is the user's.
 */
export async function deleteBranch(git: Git, commonDir: string, rid: string): Promise<void> {
  const users = { cwd: commonDir, env: { GIT_DIR: commonDir } };
  const args = ["for-each-ref", "--format=%(refname) %(worktreepath)", branchRef(rid)];
  const lines = (await git.text({ ...users, args })).split("\n");
  if (lines.includes(`${branchRef(rid)} `)) await git.run({ ...users, args: ["update-ref", "-d", branchRef(rid)] });
}
