import type { Budget, Scope } from "../../src/core/budget.ts";
import type { BlobRef, EndStatus, EventOf } from "../../src/core/event.ts";
import { NO_USAGE } from "../../src/core/usage.ts";

export const EMPTY_BLOB: BlobRef = {
  sha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  sizeBytes: 0,
};

/** The first event of a run, with what a test cares about. */
export function runCreated(rid: string, budgets: Partial<Record<Scope, Budget>> = {}): EventOf<"run.created"> {
  return {
    type: "run.created",
    rid,
    ccpVersion: "0.0.0",
    pipeline: EMPTY_BLOB,
    pipelineName: "test",
    task: EMPTY_BLOB,
    title: `task of ${rid}`,
    inputs: {},
    base: { commit: "c0", tree: "t0", dirty: false, branch: "main" },
    repository: "/repo",
    resultsDir: "/repo/results",
    budgets,
    sandbox: { asked: "auto", active: "none" },
    parent: null,
  };
}

export function callReserved(
  callId: string,
  heldNanos: number,
  heldTokens = 100,
  stepId = "build",
  role = "doer",
): EventOf<"call.reserved"> {
  return {
    type: "call.reserved",
    callId,
    stepId,
    role,
    conversation: 1,
    turn: 1,
    model: "p/m",
    request: "0",
    maxTokens: 10,
    shrunk: false,
    heldNanos,
    heldTokens,
    facts: null,
    retryOf: null,
  };
}

export function callSettled(
  reserved: EventOf<"call.reserved">,
  costNanos: number,
  tokens = 10,
): EventOf<"call.settled"> {
  const { callId, stepId, role, model, heldNanos, heldTokens } = reserved;
  const usage = { ...NO_USAGE, freshInput: tokens };
  const result = { type: "answered", parts: EMPTY_BLOB, stop: "end", servedBy: null, cut: false } as const;
  return {
    type: "call.settled",
    callId,
    stepId,
    role,
    model,
    heldNanos,
    heldTokens,
    costNanos,
    listedNanos: costNanos,
    usage,
    durationMs: 1,
    result,
  };
}

export function callLost(reserved: EventOf<"call.reserved">): EventOf<"call.lost"> {
  const { callId, stepId, role, model, heldNanos, heldTokens } = reserved;
  const call = { callId, stepId, role, model, heldNanos, heldTokens };
  return { type: "call.lost", ...call, reason: "crash", failure: null, partial: null };
}

/** An event that names a payload. */
export function artifactOf(blob: BlobRef, name = "PLAN.md"): EventOf<"artifact.written"> {
  return { type: "artifact.written", name, blob, stepId: null };
}

/** How a drive ends. */
export function runEnded(status: EndStatus = "failed"): EventOf<"run.ended"> {
  return { type: "run.ended", status, exitCode: status === "succeeded" ? 0 : 1, reason: null, hint: null };
}
