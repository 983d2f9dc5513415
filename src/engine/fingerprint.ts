import type { Fingerprint } from "../core/event.ts";
import { givensOf } from "../core/fingerprint.ts";
import { canonicalJson } from "../core/json.ts";
import type { Pipeline, Step } from "../core/pipeline.ts";
import type { Run } from "../core/run.ts";
import { sha256 } from "./run-log.ts";

/** What a step of this pipeline would be given as the run stands, hashed. */
export function fingerprintOf(pipeline: Pipeline, step: Step, run: Run): Fingerprint {
  const { own, inputs, upstream } = givensOf(pipeline, step, run);
  const hash = (value: unknown) => sha256(canonicalJson(value));
  return { own: hash(own), inputs: hash(inputs), upstream: hash(upstream) };
}

/** The same for each step, by id. */
export function fingerprintsOf(pipeline: Pipeline, run: Run): Readonly<Record<string, Fingerprint>> {
  return Object.fromEntries(pipeline.steps.map((step) => [step.id, fingerprintOf(pipeline, step, run)]));
}
