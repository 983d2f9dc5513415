import { EXIT, type ExitCode } from "../core/errors.ts";
import type { EndStatus, Event } from "../core/event.ts";
import type { Action } from "../core/next.ts";
import { secretsWarning } from "../core/patch-secrets.ts";
import type { Run } from "../core/run.ts";
import { raiseFor } from "../core/shortage.ts";
import { artifact, recordWithFiles } from "./artifact.ts";
import { type Context, treeOf, workspaceOf } from "./context.ts";
import type { Standstill } from "./halt.ts";
import { publishLatest, writeRecords } from "./records.ts";

/** Ends a run: the work is committed on its branch, the artifacts are written, then the end goes on record. */
export async function endRun(context: Context, action: Extract<Action, { type: "end" }>): Promise<void> {
  const { log } = context;
  const kept = await keepWork(context);
  if (action.status === "failed") await flushFiles(context);
  context.deps.spool.flush();
  const hint = action.status === "succeeded" ? `ccp apply ${log.rid}` : `ccp resume ${log.rid}`;
  const { status, exitCode, reason } = action;
  recordWithFiles(context, ...kept, { type: "run.ended", status, exitCode, reason, hint });
  log.keepFolded();
  publishLatest(log, context.deps.results);
  // Last of all: run.json says that everything is written.
  writeRecords(log, context.pipeline, context.deps.results);
}

/** The drive ends, the run does not: it can be resumed. */
export async function endStopped(context: Context, stopped: Standstill): Promise<void> {
  const { log } = context;
  const { status, exitCode, hint } = standstill(stopped, context);
  // Stopped at once means at once: the files may be in the middle of something, and are put right on resume.
  const kept = stopped.why === "aborted" || stopped.why === "time" ? [] : await keepWork(context);
  await flushFiles(context);
  recordWithFiles(context, ...kept, { type: "run.ended", status, exitCode, reason: stopped.reason, hint });
  log.keepFolded();
  writeRecords(log, context.pipeline, context.deps.results);
}

function standstill(
  { why, shortage }: Standstill,
  { log: { run }, pipeline, deps: { control } }: Context,
): { readonly status: EndStatus; readonly exitCode: ExitCode; readonly hint: string } {
  const { rid } = run;
  switch (why) {
    case "paused":
    case "aborted":
      return { status: "paused", exitCode: control.exitCode(), hint: `ccp resume ${rid}` };
    case "budget":
      return {
        status: "budget_reached",
        exitCode: EXIT.budget,
        hint: `ccp resume ${rid} ${shortage ? raiseFor(run, pipeline, shortage) : "--budget +1.00"}`,
      };
    case "window":
      return { status: "budget_reached", exitCode: EXIT.budget, hint: `ccp resume ${rid}` };
    case "lost":
      return { status: "paused", exitCode: EXIT.waiting, hint: `ccp resume ${rid}` };
    case "consent":
      return { status: "paused", exitCode: EXIT.waiting, hint: `ccp resume ${rid} --allow` };
    case "time":
      return { status: "budget_reached", exitCode: EXIT.budget, hint: `ccp resume ${rid} --minutes +30` };
    case "unavailable":
      return { status: "provider_down", exitCode: EXIT.unavailable, hint: `ccp resume ${rid}` };
    case "policy":
      return { status: "blocked", exitCode: EXIT.credentials, hint: `ccp resume ${rid}` };
    case "credentials":
    case "unpriced":
      return { status: "blocked", exitCode: EXIT.credentials, hint: `ccp resume ${rid} --model role=provider/model` };
  }
}

/** Diff.patch and one commit on the run's branch, whether it went well or not: work is never lost. */
async function keepWork(context: Context): Promise<readonly Event[]> {
  const { log } = context;
  const base = log.run.created?.base;
  if (!base || !log.run.workspace?.prepared) return [];
  const workspace = workspaceOf(context);
  const tree = treeOf(context);
  await workspace.commit(tree, base.commit, commitMessage(log.run));
  const patch = await workspace.diff(base.tree, tree);
  // The user's own files: a patch with something replaced in it would not apply.
  const warning = secretsWarning(new TextDecoder().decode(patch));
  return [{ ...artifact("Diff.patch", log.bytes(patch), null), ...(warning !== null && { warning }) }];
}

/**
 * Before the end of a run that can be resumed goes on record: the resume takes the files as they are, and what a power
 * cut has taken of them would look like a person's edit.
 */
async function flushFiles(context: Context): Promise<void> {
  const { workspace } = context.log.run;
  if (!workspace?.prepared || !context.deps.repository.hasWorkspace(workspace.path)) return;
  await workspaceOf(context).flush();
}

/** What a run's one commit says. */
export function commitMessage({ rid, created }: Run): string {
  return `${created?.title ?? "ccp"}\n\nCcp-Run: ${rid}\n`;
}
