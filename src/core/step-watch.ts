import { type StepState, UNTRIED } from "./step-state.ts";
import { partOf, type StepTable } from "./step-table.ts";

/**
 * How certain steps stand, from one table to the next: only parts of a table that are not those of the table before are
 * looked at. What it says depends on the last table alone.
 */
export class StepWatch {
  readonly #ids: readonly string[];
  readonly #states: StepState[];
  /** By part of a table, the places of the steps that are in it. */
  readonly #placesIn: ReadonlyMap<number, readonly number[]>;
  #parts: StepTable["parts"] = [];

  /** `ids`: the steps, by place. */
  constructor(ids: readonly string[]) {
    this.#ids = ids;
    this.#states = ids.map(() => UNTRIED);
    this.#placesIn = Map.groupBy(ids.keys(), (place) => partOf(ids[place] ?? ""));
  }

  /** By place, in the table that was looked at last. */
  get states(): readonly StepState[] {
    return this.#states;
  }

  /** The places of steps that stand otherwise than in the table before. */
  look({ parts }: StepTable): readonly number[] {
    const changed: number[] = [];
    for (const [at, places] of this.#placesIn) {
      const part = parts[at];
      if (part === this.#parts[at]) continue;
      for (const place of places) {
        const state = part?.[this.#ids[place] ?? ""]?.state ?? UNTRIED;
        if (state === this.#states[place]) continue;
        this.#states[place] = state;
        changed.push(place);
      }
    }
    this.#parts = parts;
    return changed;
  }
}
