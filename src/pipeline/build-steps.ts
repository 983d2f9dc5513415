import type { Command, Step } from "../core/pipeline.ts";
import type { CheckedFile } from "./checked-file.ts";
import { networkOf } from "./network.ts";
import { parseDuration } from "./patterns.ts";
import { inDependencyOrder, type PlannedStep, planSteps } from "./plan-steps.ts";
import type { RawCommand, RawStep } from "./schema.ts";
import {
  artifactsOf,
  DEFAULT_ATTEMPTS,
  DEFAULT_BACK_ATTEMPTS,
  DEFAULT_UNTIL_ATTEMPTS,
  isCheckByDefault,
} from "./step-defaults.ts";

/** The steps of a checked file with all their defaults, each after those that it needs. */
export function buildSteps(file: CheckedFile): readonly Step[] {
  const planned = planSteps(file);
  const artifacts = artifactsOf(planned);
  const detected = Object.entries(file.raw.inputs ?? {})
    .filter(([, input]) => input.detect === "test")
    .map(([name]) => name);
  return inDependencyOrder(planned).map((step) => stepOf(step, artifacts[step.index] ?? null, detected));
}

function stepOf(step: PlannedStep, artifact: string | null, detectedInputs: readonly string[]): Step {
  const { id, needs, raw } = step;
  const shared = {
    id,
    needs,
    artifact,
    timeoutMs: raw.timeout === undefined ? null : parseDuration(raw.timeout),
    env: raw.env ?? [],
    ...networkOf(raw),
    onFailure: wayBackOf(raw),
  };
  if (raw.role === undefined) {
    return {
      ...shared,
      kind: "shell",
      attempts: raw.attempts ?? DEFAULT_ATTEMPTS.shell,
      command: commandOf(raw.run ?? ""),
      changes: raw.changes ?? "discard",
      check: raw.check ?? isCheckByDefault(step, detectedInputs),
    };
  }
  const { until } = raw;
  return {
    ...shared,
    kind: "agent",
    attempts: raw.attempts ?? DEFAULT_ATTEMPTS.agent,
    role: raw.role,
    prompt: raw.prompt ?? null,
    until: until ? { command: commandOf(until.run), attempts: until.attempts ?? DEFAULT_UNTIL_ATTEMPTS } : null,
    ...(raw.on_ask === "stop" ? { onAsk: raw.on_ask } : {}),
  };
}

function wayBackOf({ on_failure: back }: RawStep): Step["onFailure"] {
  return back ? { backTo: back.back_to, attempts: back.attempts ?? DEFAULT_BACK_ATTEMPTS } : null;
}

function commandOf(raw: RawCommand): Command {
  return typeof raw === "string" ? { kind: "text", text: raw } : { kind: "input", name: raw.input };
}
