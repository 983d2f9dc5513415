import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openRepository } from "../../src/workspace/repository.ts";

/**
 * A ccp among others in one repository: makes, snapshots, commits and removes the worktrees of its runs, all at once.
 * Arguments: the repository, the folder for worktrees, how many rounds, and the rids. Prints a line for each commit.
 */
const [cwd = "", stateHome = "", rounds = "", ...rids] = process.argv.slice(2);
const repository = await openRepository({ cwd, environment: process.env, stateHome });

async function live(rid: string, round: number): Promise<void> {
  const base = round % 2 === 0 ? await repository.resolveBase("HEAD") : await repository.dirtyBase();
  const { path } = await repository.createWorkspace({ rid, base });
  const workspace = repository.openWorkspace(rid, path);
  writeFileSync(join(path, "work.txt"), `${rid} ${round}\n`);
  const tree = await workspace.snapshot();
  await workspace.restore(base.tree);
  await workspace.restore(tree);
  const commit = await workspace.commit(tree, base.commit, `${rid} ${round}`);
  console.log(`${rid} ${tree} ${commit}`);
  if (round % 2 === 1) await repository.retireWorkspace(rid, path);
  await repository.removeWorkspace(rid, path);
}

async function liveOn(rid: string): Promise<void> {
  for (let round = 0; round < Number(rounds); round++) await live(rid, round);
}

await Promise.all(rids.map(liveOn));
