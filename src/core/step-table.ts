import type { StepState } from "./step-state.ts";

/**
 * How the steps of a run stand, by id. Parted, so that a change copies one part: a run of a thousand steps would
 * otherwise copy a thousand entries with each event.
 */
export interface StepTable {
  readonly size: number;
  readonly parts: readonly Readonly<Record<string, Entry>>[];
}

/** `ordinal`: how many steps were known before this one. */
interface Entry {
  readonly ordinal: number;
  readonly state: StepState;
}

const PARTS = 32;

/** Before the first step. */
export const NO_STEPS: StepTable = { size: 0, parts: Array.from({ length: PARTS }, () => ({})) };

/** Undefined: nothing has happened to this step yet. */
export function stepOf(table: StepTable, stepId: string): StepState | undefined {
  return table.parts[partOf(stepId)]?.[stepId]?.state;
}

/** The table with a step as it stands now. */
export function withStepState({ size, parts }: StepTable, stepId: string, state: StepState): StepTable {
  const at = partOf(stepId);
  const known = parts[at]?.[stepId];
  const part = { ...parts[at], [stepId]: { ordinal: known?.ordinal ?? size, state } };
  return { size: known ? size : size + 1, parts: parts.with(at, part) };
}

/** Every step that something has happened to, in the order in which they were first heard of. */
export function stepEntries({ parts }: StepTable): readonly (readonly [string, StepState])[] {
  return parts
    .flatMap((part) => Object.entries(part))
    .sort(([, a], [, b]) => a.ordinal - b.ordinal)
    .map(([id, { state }]) => [id, state] as const);
}

/** In which part a step is. */
export function partOf(stepId: string): number {
  let sum = 0;
  for (let at = 0; at < stepId.length; at++) sum = (sum * 31 + stepId.charCodeAt(at)) % 65_536;
  return sum % PARTS;
}
