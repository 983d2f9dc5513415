import { CcpError, EXIT, messageOf } from "../core/errors.ts";
import type { ApplyOutcome } from "../core/ports.ts";
import type { Git } from "./git.ts";
import { type BytePath, type KeptAside, keepAside } from "./keep-aside.ts";
import { ccpFolder } from "./layout.ts";
import type { UserTree } from "./user-tree.ts";

/** How many of git's complaints a reason carries. */
const MOST_LINES = 5;

/** Applies a patch to a working tree, whole or not at all. The index is not touched, and no untracked file is overwritten. */
export async function applyToTree({ git, root, commonDir }: UserTree, patch: Uint8Array): Promise<ApplyOutcome> {
  if (patch.length === 0) return { ok: true };
  const request = { cwd: root, input: patch, answers: [1, 128], config: ["apply.ignoreWhitespace=no"] };
  const args = ["apply", "--whitespace=nowarn"];
  const check = await git.run({ ...request, args: [...args, "--check"] });
  if (check.exitCode !== 0) return { ok: false, reason: readable(check.stderr) };
  // Git removes every file that it changes before it writes the first: if it then cannot, all of them are gone.
  const kept = await keepAside(root, await touchedPaths(git, root, patch), ccpFolder(commonDir));
  const applied = await git.run({ ...request, args });
  if (applied.exitCode !== 0) await undo(kept, readable(applied.stderr));
  await kept.drop();
  return applied.exitCode === 0 ? { ok: true } : { ok: false, reason: readable(applied.stderr) };
}

/** Every path that a patch reads, writes or removes, both names of what is renamed. */
async function touchedPaths(git: Git, root: string, patch: Uint8Array): Promise<readonly BytePath[]> {
  const list = async (...reverse: readonly string[]) => {
    const args = ["apply", "--whitespace=nowarn", "--numstat", "-z", ...reverse];
    const { stdout } = await git.run({ cwd: root, input: patch, args });
    // `3\t1\tpath`
    const entries = stdout.toString("latin1").split("\0").slice(0, -1);
    return entries.map((entry) => entry.split("\t").slice(2).join("\t"));
  };
  return [...new Set([...(await list()), ...(await list("--reverse"))])];
}

async function undo(kept: KeptAside, reason: string): Promise<void> {
  try {
    await kept.putBack();
  } catch (cause) {
    throw new CcpError(
      "apply_failed",
      EXIT.failed,
      `git apply stopped in the middle (${reason}), and the files it had changed could not be put back: ${messageOf(cause)}`,
      { hint: `your files as they were before are in ${kept.folder}`, cause },
    );
  }
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
