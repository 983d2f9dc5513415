import { createGit } from "./git.ts";

/** Makes a directory a repository of its own, with one commit of all that is in it. No identity of the user's. */
export async function createRepository(
  path: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const git = createGit(environment);
  await git.run({ cwd: path, args: ["init", "--quiet", "--initial-branch=main"] });
  await git.run({ cwd: path, args: ["add", "--all"] });
  await git.run({
    cwd: path,
    config: ["user.name=ccp", "user.email=ccp@localhost", "commit.gpgSign=false"],
    args: ["commit", "--quiet", "--no-verify", "--message=start"],
  });
}
