import type { Command } from "commander";
import { CcpError, EXIT } from "../core/errors.ts";
import { readRun } from "../core/read-run.ts";
import type { Run } from "../core/run.ts";
import type { Wiring } from "../wire/wire.ts";
import type { CommandContext } from "./command-context.ts";
import { patchOf } from "./patch.ts";
import { notEnded, openRun } from "./select-run.ts";
import { writeJson } from "./write-json.ts";

/** Adds `ccp apply`. */
export function registerApply(program: Command, context: CommandContext): void {
  program
    .command("apply")
    .description("bring a run's changes into your tree; whole or not at all")
    .argument("[rid]", "the run (default: the newest)")
    .option("--json", "as JSON")
    .action(async (given: string | undefined, flags: { readonly json?: boolean }) => {
      const { rid, run, wiring } = await openRun(given, context.wiring());
      if (run.end === null) throw await notEnded(rid, wiring);
      if (run.applied)
        throw new CcpError("already_applied", EXIT.usage, `${rid} has been applied already`, {
          hint: run.status === "discarded" ? "see it: git diff" : `see it: git diff   drop the run: ccp discard ${rid}`,
        });
      await requireParent(run, wiring);
      const patch = await patchOf(run, wiring);
      const repository = await wiring.repository();
      // The journal is asked first: what cannot go on record must not be done.
      await (await wiring.engine({})).note(rid, { type: "run.applied", tree: run.tree ?? "" }, async () => {
        const applied = await repository.applyPatch(patch);
        if (!applied.ok) throw conflict(run, applied.reason);
      });
      const { stdout } = context.surroundings;
      const caution = run.status === "succeeded" ? "" : ` (the run itself is ${run.status})`;
      if (flags.json) return writeJson(stdout, { v: 1, rid, applied: true, status: run.status });
      stdout.write(
        `${patch.length === 0 ? "nothing to apply" : `applied ${rid} to ${repository.root}`}${caution}\n  Next: git diff   ccp discard ${rid}\n`,
      );
    });
}

function conflict({ rid, workspace }: Run, reason: string): CcpError {
  return new CcpError("conflict", EXIT.failed, `the changes of ${rid} do not fit your tree: ${reason}`, {
    hint: `nothing was changed; commit or stash your edits, or merge the branch: git merge ${workspace?.branch ?? `ccp/${rid}`}`,
  });
}

/** The patch of a run that goes on from another holds only what came after: alone it would be half of the work. */
async function requireParent({ rid, created, workspace }: Run, wiring: Wiring): Promise<void> {
  const store = await wiring.store();
  const seen = new Set([rid]);
  for (let next = created; next?.parent && !seen.has(next.parent); ) {
    seen.add(next.parent);
    const parent = readRun(next.parent, store);
    const startsAlike = parent.created?.base.tree === next.base.tree;
    if (!startsAlike && parent.tree === next.base.tree && !parent.applied) throw notApplied(rid, parent, workspace);
    // The same again, or a fork: it goes on from whatever that one goes on from.
    next = startsAlike ? parent.created : null;
  }
}

function notApplied(rid: string, parent: Run, workspace: Run["workspace"]): CcpError {
  return new CcpError(
    "parent_not_applied",
    EXIT.usage,
    `${rid} goes on from ${parent.rid}, whose changes have not been applied`,
    {
      hint: `nothing was changed; one after the other: ccp apply ${parent.rid} && ccp apply ${rid}   both at once: git merge ${workspace?.branch ?? `ccp/${rid}`}   if you have the first already: ccp diff ${rid} | git apply`,
    },
  );
}
