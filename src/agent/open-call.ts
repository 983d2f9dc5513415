import { formatModelRef } from "../core/model.ts";
import type { Assignment, StepPort } from "../core/ports.ts";

/**
 * A call that was sent before a crash: its answer is taken from the spool if it had fully arrived, without a new
 * request; otherwise it is lost, and charged in full.
 */
export async function closeOpenCall(assignment: Assignment, port: StepPort): Promise<void> {
  const open = port.openCall();
  if (!open) return;
  const model = assignment.candidates.find((candidate) => formatModelRef(candidate.ref) === open.model);
  const answer = model ? await port.models.recover(model.ref, open.callId) : null;
  if (model && answer) port.settle(open.callId, answer, model);
  else port.lose(open.callId, "ccp stopped before the answer was on record");
}
