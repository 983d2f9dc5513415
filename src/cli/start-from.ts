import { CcpError, EXIT } from "../core/errors.ts";
import type { Event } from "../core/event.ts";
import type { Run } from "../core/run.ts";
import type { Plan, Wiring } from "../wire/wire.ts";
import type { CommandContext } from "./command-context.ts";
import { startRun } from "./start-run.ts";
import type { UiFlags } from "./ui-flags.ts";

/** Begins a new run on the task and base of another. `inherited`: what it takes over of that one. */
export async function startFrom(
  { rid, created, status }: Run,
  how: Plan & { readonly inherited: readonly Event[] },
  flags: UiFlags,
  wiring: Wiring,
  context: CommandContext,
): Promise<number> {
  if (!created)
    throw new CcpError("unknown_run", EXIT.usage, `${rid} has no beginning on record`, { hint: "ccp runs" });
  if (created.base.dirty && status === "discarded") throw baseIsGone(rid);
  const task = new TextDecoder().decode((await wiring.store()).blob(created.task));
  return startRun({ ...how, task, base: created.base, parent: rid }, flags, wiring, context);
}

/** The uncommitted work that a run began on is nowhere but in its own objects. */
function baseIsGone(rid: string): CcpError {
  const message = `${rid} began on uncommitted work, which is gone since it was discarded`;
  return new CcpError("base_missing", EXIT.usage, message, {
    hint: 'nothing was started; begin on your files as they are now: ccp run --include-dirty "…"',
  });
}
