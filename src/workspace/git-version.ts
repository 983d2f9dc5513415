import { createGit } from "./git.ts";

/** What git says of itself: `2.39.5`. Throws `git_missing` where there is none. */
export async function gitVersion(environment: Readonly<Record<string, string | undefined>>): Promise<string> {
  const said = await createGit(environment).text({ cwd: "/", args: ["--version"] });
  return said.replace(/^git version /, "");
}
