import { CcpError, EXIT } from "../core/errors.ts";
import type { Run } from "../core/run.ts";
import type { Wiring } from "../wire/wire.ts";

/** What a run has changed so far: its Diff.patch, or the same made from its last tree on record. */
export async function patchOf(run: Run, wiring: Wiring): Promise<Uint8Array> {
  const kept = run.end === null ? null : (await wiring.results()).read(run.rid, "Diff.patch");
  const { artifacts, created, workspace, tree } = run;
  if (kept && artifacts["Diff.patch"]?.blob.sha256 === sha256(kept)) return kept;
  if (created && workspace && tree !== null && run.status !== "discarded") {
    const repository = await wiring.repository();
    return repository.openWorkspace(run.rid, workspace.path).diff(created.base.tree, tree);
  }
  throw new CcpError("no_patch", EXIT.usage, `${run.rid} has no changes on record (${run.status})`, {
    hint: `see it: ccp view ${run.rid}`,
  });
}

function sha256(bytes: Uint8Array): string {
  // Not imported: that would cost every start 5 ms.
  const { createHash } = process.getBuiltinModule("node:crypto");
  return createHash("sha256").update(bytes).digest("hex");
}
