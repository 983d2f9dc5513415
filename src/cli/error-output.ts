import type { CcpError } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import type { Run } from "../core/run.ts";

/** What a person sees of an error: what happened, then what to do. `run`: the one in the middle of which it came. */
export function formatError(error: CcpError, run: Run | null = null): string {
  const hint = error.hint === null ? "" : `  ${error.hint}\n`;
  return `ccp: ${error.message}\n${hint}${nextStep(run)}`;
}

function nextStep(run: Run | null): string {
  if (run === null) return "";
  if (canGoOn(run)) return `  Then go on where it was: ccp resume ${run.rid}\n`;
  return `  The run itself has succeeded and is on record; ccp view ${run.rid} writes what is missing\n`;
}

/** The same for machines. */
export function jsonError(error: CcpError): Json {
  return { v: 1, type: "error", error: errorRecord(error) };
}

/** The last line of a run's machine output where the run could not be begun or driven to a standstill. */
export function resultOfError(error: CcpError, run: Run | null): Json {
  return {
    v: 1,
    type: "result",
    rid: run?.rid ?? null,
    status: "error",
    exitCode: error.exitCode,
    reason: error.message,
    hint: error.hint,
    error: errorRecord(error),
    next: run !== null && canGoOn(run) ? [`ccp resume ${run.rid}`] : [],
  };
}

function errorRecord({ code, exitCode, message, hint }: CcpError): Json {
  return { code, exit: exitCode, message, hint };
}

function canGoOn(run: Run): boolean {
  return run.status !== "succeeded";
}
