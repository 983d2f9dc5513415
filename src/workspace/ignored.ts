import { appendFile, readFile, writeFile } from "node:fs/promises";
import type { Git } from "./git.ts";
import { inWords } from "./git-errors.ts";
import type { RunFolder } from "./layout.ts";

/**
 * Begins a run's own list of ignore rules with the user's. It stands in for `core.excludesFile`, so that dependencies
 * that were copied in stay out of every tree even where the base does not ignore them, or an agent stops ignoring them.
 */
export async function beginIgnored(git: Git, commonDir: string, run: RunFolder): Promise<void> {
  const args = ["config", "--type=path", "--get", "core.excludesFile"];
  const asked = await git.run({ cwd: commonDir, env: { GIT_DIR: commonDir }, args, answers: [1] });
  const configured = asked.exitCode === 0 ? asked.stdout.toString().replace(/\n$/, "") : git.defaultIgnoreFile;
  const rules = configured === null ? "" : await readFile(configured, "utf8").catch(() => "");
  await writeFile(run.ignored, rules === "" || rules.endsWith("\n") ? rules : `${rules}\n`);
}

/** Adds paths, from the worktree's root, each a file or a directory. */
export async function addIgnored(run: RunFolder, paths: readonly string[]): Promise<void> {
  const lines = paths.map((path) => `/${escapePattern(path)}\n`).join("");
  await inWords(() => appendFile(run.ignored, lines, { flush: true }), run.ignored);
}

/** A path as a pattern that matches only itself. A line feed cannot be written; `?` stands for it. */
export function escapePattern(path: string): string {
  return path
    .replace(/[\\*?[\]!#]/g, "\\$&")
    .replace(/ $/, "\\ ")
    .replace(/[\n\r]/g, "?");
}
