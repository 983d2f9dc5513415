import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** A repository with one commit, a home beside it, and an environment in which ccp finds neither keys nor more. */
export interface SampleRepository {
  readonly root: string;
  /** Where ccp keeps the journal. */
  readonly stateDir: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Makes one in a folder. */
export function makeSampleRepository(folder: string): SampleRepository {
  const [root, home] = [join(folder, "sample"), join(folder, "home")];
  for (const path of [root, home]) mkdirSync(path);
  writeFileSync(join(root, "README.md"), "# Sample\n");
  const identity = ["-c", "user.name=Bench", "-c", "user.email=bench@example.invalid"];
  for (const args of [
    ["init", "--quiet", "--initial-branch=main"],
    ["add", "--all"],
    ["commit", "--quiet", "-m=start"],
  ])
    execFileSync("git", [...identity, ...args], { cwd: root });
  const env = {
    PATH: `${dirname(process.execPath)}:${process.env.PATH ?? ""}`,
    HOME: home,
    LANG: "C.UTF-8",
    TERM: "dumb",
  };
  return { root, stateDir: join(root, ".git", "ccp"), env };
}
