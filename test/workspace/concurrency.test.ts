import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { git, writeFiles } from "../support/git.ts";
import { bench, footprint } from "./git-support.ts";

const run = promisify(execFile);

it("six runs of three processes make, record and remove their worktrees in one repository at once", async () => {
  const on = await bench({ "a.txt": "a\n", "dir/b.txt": "b\n" });
  writeFiles(on.root, { "a.txt": "not committed\n" });
  const before = { ...footprint(on.root), objects: "" };
  const owners = [
    ["r-aaaaa1", "r-aaaaa2"],
    ["r-bbbbb1", "r-bbbbb2"],
    ["r-ccccc1", "r-ccccc2"],
  ];
  const program = join(import.meta.dirname, "concurrent-runs.ts");
  const start = (rids: readonly string[]) =>
    run(process.execPath, [program, on.root, on.stateHome, "2", ...rids], { env: on.environment });
  const ends = await Promise.all(owners.map(start));
  const lines = ends.flatMap(({ stdout }) => stdout.trim().split("\n"));
  expect(lines).toHaveLength(12);
  for (const line of lines) {
    const [rid, tree, commit] = line.split(" ");
    expect(git(on.root, "show", "-s", "--format=%T", commit ?? "").trim()).toBe(tree);
    expect(git(on.root, "show", `${commit}:work.txt`)).toMatch(new RegExp(`^${rid} \\d\n$`));
  }
  expect(await on.repository.remains()).toEqual([]);
  expect(git(on.root, "worktree", "list", "--porcelain").match(/^worktree /gm)).toHaveLength(1);
  expect({ ...footprint(on.root), objects: "" }).toEqual(before);
  git(on.root, "fsck", "--strict");
});
