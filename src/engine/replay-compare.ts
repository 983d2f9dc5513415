import { type CanonicalFact, canonicalFacts, firstDifference } from "../core/canonical.ts";
import type { StoredEvent } from "../core/event.ts";
import { isJsonObject, type Json } from "../core/json.ts";
import type { Run } from "../core/run.ts";
import type { Parting } from "./replay-words.ts";

/** One document of a run, by name, as sha256 (hex); null: there is none. */
export interface ArtifactComparison {
  readonly name: string;
  readonly was: string | null;
  readonly is: string | null;
}

/** What a run and its replay came to. */
export interface FactComparison {
  /** Facts of the run. */
  readonly facts: number;
  /** Null: they are the same. */
  readonly parting: Parting | null;
}

/**
 * Compares fact by fact. Each step is compared by itself, and what parts first in the replay's own time is told: steps
 * ran side by side, and where a replay was given up the others were not through.
 */
export function compareFacts(run: readonly StoredEvent[], replayed: readonly StoredEvent[]): FactComparison {
  const then = canonicalFacts(run);
  const [thenBySteps, nowBySteps] = [byStep(then), byStep(canonicalFacts(replayed))];
  const steps = new Set([...thenBySteps.keys(), ...nowBySteps.keys()]);
  const found = [...steps].flatMap((step) => partingOf(thenBySteps.get(step) ?? [], nowBySteps.get(step) ?? []));
  // What the replay did not come to says little where it has parted before.
  const [first] = found.toSorted((a, b) => (a.now ?? MISSING + (a.seq ?? 0)) - (b.now ?? MISSING + (b.seq ?? 0)));
  return { facts: then.length, parting: first ?? null };
}

/** After all that is there. */
const MISSING = Number.MAX_SAFE_INTEGER / 2;

/** `now`: where the replay's log has it; null: it has none. */
type PlacedParting = Parting & { readonly now: number | null };

function partingOf(then: readonly CanonicalFact[], now: readonly CanonicalFact[]): readonly PlacedParting[] {
  const difference = firstDifference(then.map(eventOf), now.map(eventOf));
  if (difference === null) return [];
  const { index, path } = difference;
  const [was, is] = [then[index], now[index]];
  return [{ seq: was?.seq ?? null, now: is?.seq ?? null, path, was: was?.event, is: is?.event }];
}

function eventOf({ event }: CanonicalFact): Json {
  return event;
}

function byStep(facts: readonly CanonicalFact[]): ReadonlyMap<string, readonly CanonicalFact[]> {
  return Map.groupBy(facts, ({ event }) => {
    const stepId = isJsonObject(event) ? event.stepId : null;
    return typeof stepId === "string" ? stepId : "";
  });
}

/** Every document that either has left. */
export function compareArtifacts(run: Run, replayed: Run): readonly ArtifactComparison[] {
  const names = new Set([...Object.keys(run.artifacts), ...Object.keys(replayed.artifacts)]);
  return [...names].toSorted().map((name) => ({
    name,
    was: run.artifacts[name]?.blob.sha256 ?? null,
    is: replayed.artifacts[name]?.blob.sha256 ?? null,
  }));
}
