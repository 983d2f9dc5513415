import { type Draft, stepsOf } from "./draft.ts";
import type { RawStep } from "./schema.ts";

/** A step with its name and its place in the order. */
export interface PlannedStep {
  /** From 0, in the file. */
  readonly index: number;
  readonly raw: RawStep;
  readonly id: string;
  /** True when the file does not name it. */
  readonly hasDefaultId: boolean;
  readonly needs: readonly string[];
  /** True when it waits for the step before it because it says nothing else. */
  readonly hasDefaultNeeds: boolean;
}

/** Gives every step its id and what it waits for, in the order of the file. What is wrong with them is for `step-rules.ts`. */
export function planSteps(draft: Draft): readonly PlannedStep[] {
  const planned: PlannedStep[] = [];
  for (const [index, raw] of stepsOf(draft).entries()) {
    const before = planned.at(-1);
    planned.push({
      index,
      raw,
      id: raw.id ?? defaultId(raw, planned),
      hasDefaultId: raw.id === undefined,
      needs: raw.needs === undefined ? (before ? [before.id] : []) : needsOf(raw),
      hasDefaultNeeds: raw.needs === undefined,
    });
  }
  return planned;
}

/** The ids that a step names in `needs`. */
export function needsOf(raw: RawStep): readonly string[] {
  if (raw.needs === undefined) return [];
  return typeof raw.needs === "string" ? [raw.needs] : raw.needs;
}

/** `doer`, then `doer-2`: the how-manieth step it is that has this role and no name of its own. */
function defaultId(raw: RawStep, before: readonly PlannedStep[]): string {
  const base = raw.role ?? "run";
  const earlier = before.filter((step) => step.hasDefaultId && (step.raw.role ?? "run") === base).length;
  return earlier === 0 ? base : `${base}-${earlier + 1}`;
}

/** Dependency order; steps that are free of each other keep the order of the file. Those of a cycle come last. */
export function inDependencyOrder(steps: readonly PlannedStep[]): readonly PlannedStep[] {
  const ordered: PlannedStep[] = [];
  const left = [...steps];
  const isPlaced = (id: string) => ordered.some((step) => step.id === id) || !steps.some((step) => step.id === id);
  for (let next = 0; next >= 0; ) {
    next = left.findIndex((step) => step.needs.every(isPlaced));
    if (next >= 0) ordered.push(...left.splice(next, 1));
  }
  return [...ordered, ...left];
}

/** Ids of all steps that must have succeeded before `id`. */
export function upstreamOf(steps: readonly PlannedStep[], id: string): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (current: string): void => {
    for (const need of steps.find((step) => step.id === current)?.needs ?? []) {
      if (found.has(need)) continue;
      found.add(need);
      visit(need);
    }
  };
  visit(id);
  return found;
}

/** The ways in which steps wait for themselves: each cycle once, beginning with its first step in the file. */
export function cyclesOf(steps: readonly PlannedStep[]): readonly (readonly PlannedStep[])[] {
  const cycles: PlannedStep[][] = [];
  const done = new Set<string>();
  const walk = (step: PlannedStep, trail: readonly PlannedStep[]): void => {
    if (trail.includes(step)) {
      const cycle = trail.slice(trail.indexOf(step));
      const first = cycle.reduce((a, b) => (b.index < a.index ? b : a));
      const at = cycle.indexOf(first);
      cycles.push([...cycle.slice(at), ...cycle.slice(0, at)]);
      return;
    }
    if (done.has(step.id)) return;
    for (const need of step.needs) {
      const next = steps.find((other) => other.id === need);
      if (next && next !== step) walk(next, [...trail, step]);
    }
    done.add(step.id);
  };
  for (const step of steps) walk(step, []);
  return cycles;
}
