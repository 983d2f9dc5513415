import type { EventOf, StoredEvent } from "../core/event.ts";
import type { StopWhy } from "../core/ports.ts";
import {
  type ExpectedFact,
  isResumed,
  type RecordedCourse,
  type RecordedDrive,
  standstillKind,
} from "./replay-drives.ts";
import { conversationName, done, FactNames, isOfTool } from "./replay-names.ts";
import { type Patience, USUAL_PATIENCE, Waiters } from "./replay-waiters.ts";

/** The replay has come to where a crash, or somebody who stopped it, had ended a drive: it dies there as well. */
export class CutOff extends Error {}

/** The replay does what the run did not do: it cannot be followed any further. */
export class Astray extends Error {}

/** Why a run stood still, and what was said of it. */
export interface Standstill {
  readonly kind: StopWhy;
  readonly end: EventOf<"run.ended">;
}

const NEVER = Number.POSITIVE_INFINITY;

/**
 * How far a replay has come along a run. Whoever carries out what has an effect waits here for its turn, so that all
 * comes in the order in which it came then, and learns here where the run was cut off.
 */
export class Course {
  readonly names = new FactNames();
  readonly #drives: readonly RecordedDrive[];
  readonly #facts: readonly ExpectedFact[];
  readonly #places: ReadonlyMap<string, number>;
  readonly #placesOf: ReadonlyMap<string | null, readonly number[]>;
  /** How far each step has come in its own facts. */
  readonly #heads = new Map<string | null, number>();
  readonly #there = new Set<string>();
  readonly #waiters: Waiters;
  readonly #onStandstill: () => void;
  #failure: Error | null = null;
  #drive = -1;
  /** The first fact that is not there. */
  #pointer = 0;
  #isTold = false;

  /** `onStandstill`: called when all of a drive is there that somebody has stopped, in the middle of what brings it about. */
  constructor({ drives, facts }: RecordedCourse, onStandstill: () => void, patience: Patience = USUAL_PATIENCE) {
    this.#drives = drives;
    this.#facts = facts;
    this.#places = new Map(facts.map(({ name }, place) => [name, place]));
    this.#placesOf = Map.groupBy(facts.keys(), (place) => facts[place]?.stepId ?? null);
    this.#onStandstill = onStandstill;
    this.#waiters = new Waiters(patience, () => this.giveUp(new Astray("it waits for something that does not come")));
  }

  /** Null: it was not given up. */
  get failure(): Error | null {
    return this.#failure;
  }

  /** True: the present drive did not come to an end that was the run's. */
  get isCut(): boolean {
    return this.#drives[this.#drive]?.end === null || this.#drives.slice(this.#drive + 1).some(isResumed);
  }

  /** Goes on to the next drive, at first to the first one; null: there is none. */
  next(): RecordedDrive | null {
    this.#drive += 1;
    this.#isTold = false;
    const begins = this.#drives[this.#drive] ?? null;
    if (begins) this.#settle();
    return begins;
  }

  /** Something is on record of the replay. */
  reached(event: StoredEvent): void {
    const name = this.names.of(event);
    if (name === null) return;
    const place = this.#places.get(name);
    const skipped = this.#missing(this.#facts[place ?? NEVER]?.stepId ?? null, place ?? NEVER, {
      toolsAside: event.type === "tool.started",
    });
    this.#there.add(name);
    if (place === undefined) this.giveUp(new Astray(`${name} is not on record`));
    else if (skipped) this.giveUp(new Astray(`${name} comes before ${skipped.name}`));
    this.#settle();
  }

  /** Throws where no more may be put on record: `CutOff`, or why the replay was given up. */
  mayRecord(): void {
    const reason = this.#reason();
    if (reason !== null) throw reason;
  }

  /** Resolves when all that came before the fact of this name is there; false: the signal was aborted. Rejects as `mayRecord` throws. */
  turn(
    name: string,
    { stepId, signal }: { readonly stepId: string | null; readonly signal: AbortSignal },
  ): Promise<boolean> {
    const place = this.#places.get(name);
    const isNow = place !== undefined && this.#facts[place]?.drive === this.#drive;
    const skipped = this.#missing(stepId, isNow ? place : NEVER, { toolsAside: isOfTool(name) });
    if (skipped) this.giveUp(new Astray(`${name} comes before ${skipped.name}`));
    if (place === undefined && !this.isCut && !this.#standstill()) this.giveUp(new Astray(`${name} is not on record`));
    // What is not on record of a run that stood still is never done: whoever wants to do it hears of it in the end.
    return isNow ? this.#wait(place, true, signal) : this.end(signal);
  }

  /** Calls `act` when all that came before the fact of this name is there, in the middle of what brings it about. */
  atTurn(name: string, act: () => void): void {
    const place = this.#places.get(name);
    if (place === undefined) return;
    this.#waiters.add({ place, mayOvertake: false, go: act, give: () => undefined });
    this.#settle();
  }

  /** Resolves when all of this drive is there; false: the signal was aborted. Rejects as `mayRecord` throws. */
  end(signal: AbortSignal): Promise<boolean> {
    return this.#wait(this.isCut ? NEVER : this.#facts.length, false, signal);
  }

  /** Resolves (false) when the signal is aborted: for what came to no end. Rejects as `mayRecord` throws. */
  never(signal: AbortSignal): Promise<boolean> {
    return this.#wait(NEVER, false, signal);
  }

  /** True: the fact of this name belongs to the present drive. */
  isOfThisDrive(name: string): boolean {
    return this.#facts[this.#places.get(name) ?? -1]?.drive === this.#drive;
  }

  /** The fact of this name, from any drive; undefined: there is none. */
  find(name: string): StoredEvent | undefined {
    return this.#facts[this.#places.get(name) ?? -1]?.event;
  }

  /** The fact that has to come next of a step in the present drive; undefined: none does. */
  due(stepId: string): ExpectedFact | undefined {
    return this.#missing(stepId, NEVER);
  }

  /** True: a step has come to all that it came to in this drive, which ended before the run did. */
  isThrough(stepId: string): boolean {
    return (this.isCut || this.#standstill() !== null) && !this.#missing(stepId, NEVER);
  }

  /** Why the present drive ends before the run does, once all else of it is there; null: it does not, or not yet. */
  standstill(): Standstill | null {
    return this.#isOver() && !this.isCut ? this.#standstill() : null;
  }

  /** True: a step ran out of its own time in this conversation. */
  ranOutOfTime(stepId: string, conversation: number): boolean {
    const end = this.find(done(conversationName(stepId, conversation)));
    return end?.type === "step.finished" && end.outcome.status === "failed" && end.outcome.class === "timeout";
  }

  /** The replay is given up; the first reason stays. */
  giveUp(reason: Error): void {
    this.#failure ??= reason;
    this.#settle();
  }

  close(): void {
    this.#waiters.close();
  }

  #settle(): void {
    while (this.#there.has(this.#facts[this.#pointer]?.name ?? "")) this.#pointer += 1;
    const reason = this.#reason();
    if (reason !== null) {
      this.#waiters.sendAway(reason);
      return;
    }
    if (this.#isOver() && !this.#isTold) {
      this.#isTold = true;
      this.#onStandstill();
    }
    this.#waiters.letGo(this.#pointer);
  }

  #wait(place: number, mayOvertake: boolean, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return resolve(false);
      const waiter = { place, mayOvertake, go: () => resolve(true), give: reject };
      signal.addEventListener("abort", () => this.#waiters.remove(waiter) && resolve(false), { once: true });
      this.#waiters.add(waiter);
      this.#settle();
    });
  }

  #reason(): Error | null {
    return this.#failure ?? (this.#isOver() && this.isCut ? new CutOff("the run was cut off here") : null);
  }

  /** True when all of the present drive is there. */
  #isOver(): boolean {
    return (this.#facts[this.#pointer]?.drive ?? NEVER) > this.#drive;
  }

  #standstill(): Standstill | null {
    const end = this.#drives[this.#drive]?.end ?? null;
    const kind = end && standstillKind(end);
    return end && kind ? { kind, end } : null;
  }

  /**
   * What has to come next of a step (null: of the run itself) in the present drive, if it comes before this place.
   * `toolsAside`: tools of an answer are under way side by side, and whoever waits for its place among them skips none.
   */
  #missing(
    stepId: string | null,
    before: number,
    { toolsAside }: { readonly toolsAside: boolean } = { toolsAside: false },
  ): ExpectedFact | undefined {
    const ofStep = this.#placesOf.get(stepId) ?? [];
    const isThere = (at: number) => this.#there.has(this.#nameAt(ofStep[at]));
    let head = this.#heads.get(stepId) ?? 0;
    while (isThere(head)) head += 1;
    this.#heads.set(stepId, head);
    while (toolsAside && (isThere(head) || isOfTool(this.#nameAt(ofStep[head])))) head += 1;
    const place = ofStep[head] ?? NEVER;
    const fact = this.#facts[place];
    return place < before && fact?.drive === this.#drive ? fact : undefined;
  }

  #nameAt(place: number | undefined): string {
    return this.#facts[place ?? NEVER]?.name ?? "";
  }
}
