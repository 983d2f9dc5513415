import type { BlobRef } from "../core/event.ts";
import { redact } from "../core/redact.ts";
import { stepState } from "../core/run.ts";
import { outputPath, shownOutput, withWhole } from "../core/tool-output.ts";
import { type Context, workspaceOf } from "./context.ts";

/** All of a result that was too long to be shown: where the tools find it, and what it is. */
export interface Spilled {
  readonly path: string;
  readonly text: BlobRef;
}

/** Keeps a result that is too long for a model where its tools can read it, and says so in what it is shown. */
export async function keepWhole<Result extends { readonly text: string; readonly full?: string }>(
  context: Context,
  result: Result,
): Promise<{ readonly result: Result; readonly spilled?: Spilled }> {
  const { text, whole } = shownOutput(result.text, result.full);
  if (whole === null) return { result };
  const kept = redact(whole, context.deps.secrets);
  const blob = context.log.text(kept);
  const path = outputPath(blob.sha256);
  await workspaceOf(context).keepOutput(path, new TextEncoder().encode(kept));
  return { result: { ...result, text: withWhole(text, path, kept.length) }, spilled: { path, text: blob } };
}

/** What a conversation was told of is there again: it may go on in another place than it was begun in. */
export async function bringBackOutputs(context: Context, stepId: string): Promise<void> {
  const { log } = context;
  for (const event of log.eventsAfter(stepState(log.run, stepId).conversationSeq - 1)) {
    if (event.type !== "tool.finished" || event.stepId !== stepId || !event.spilled) continue;
    await workspaceOf(context).keepOutput(event.spilled.path, log.read(event.spilled.text));
  }
}
