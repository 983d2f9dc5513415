import { CcpError } from "../core/errors.ts";
import type { Git } from "./git.ts";

/** How many of git's complaints a reason carries. */
const MOST_LINES = 5;

export type ApplyOutcome = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** Applies a patch to a working tree, whole or not at all. The index is not touched, and no untracked file is overwritten. */
export async function applyToTree(git: Git, root: string, patch: Uint8Array): Promise<ApplyOutcome> {
  if (patch.length === 0) return { ok: true };
  const request = { cwd: root, input: patch, answers: [1, 128], config: ["apply.ignoreWhitespace=no"] };
  const args = ["apply", "--whitespace=nowarn"];
  const check = await git.run({ ...request, args: [...args, "--check"] });
  if (check.exitCode !== 0) return { ok: false, reason: readable(check.stderr) };
  const applied = await git.run({ ...request, args });
  if (applied.exitCode === 0) return { ok: true };
  throw new CcpError("apply_failed", 1, `git apply stopped in the middle: ${readable(applied.stderr)}`, {
    hint: "`git status` shows what was written; what was not yet written is still in the patch",
  });
}

/** `error: src/a.ts: patch does not apply` → `src/a.ts: patch does not apply`, each complaint once. */
function readable(stderr: string): string {
  const lines = stderr
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.startsWith("error: patch failed:"))
    .map((line) => line.replace(/^(error|fatal): /, ""));
  const told = [...new Set(lines)];
  const more = told.length > MOST_LINES ? [`and ${told.length - MOST_LINES} more`] : [];
  return [...told.slice(0, MOST_LINES), ...more].join("\n") || "git gave no reason";
}
