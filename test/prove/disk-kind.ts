import type { LLMock } from "@copilotkit/aimock";
import { callOf } from "../support/doors.ts";
import { leavings } from "../support/kill-world.ts";
import type { UndisturbedEnd } from "./disk-judge.ts";
import { openDiskWorld, runCommand } from "./disk-world.ts";

/** What all cases share. */
export interface Arena {
  readonly mock: LLMock;
  /** A world before its run, to be copied from. */
  readonly template: string;
  /** Holds the template and the folders of the workers. */
  readonly base: string;
  readonly undisturbed: UndisturbedEnd;
  /** Lines that the undisturbed run wrote. */
  readonly lines: number;
  /** Requests that it sent. */
  readonly calls: readonly string[];
}

/**
 * How a case went. `unharmed`: ccp went through, the fault was never met or did no harm. `stopped`: it stopped with a
 * clear word. `not started`: it did so before anything had begun. `killed`: the case itself ended it.
 */
export type Outcome = "unharmed" | "stopped" | "not started" | "killed";

export interface Verdict {
  readonly outcome: Outcome;
  /** Each a sentence; none: all is as it should be. */
  readonly violations: readonly string[];
}

/** One fault at one moment. */
export interface DiskCase {
  /** Says all that was drawn. */
  readonly label: string;
  /** `folder` is not there yet, and gone afterwards. */
  prove(folder: string): Promise<Verdict>;
}

/** A kind of fault. */
export interface DiskKind {
  readonly name: string;
  readonly title: string;
  /** How many cases the proof takes without being told. */
  readonly usualCases: number;
  /** What is missing here to try it, in a few words; null: nothing. */
  missing(): string | null;
  /** Draws that many cases. */
  cases(arena: Arena, count: number, chance: () => number): Promise<readonly DiskCase[]>;
}

/** Runs once without any fault, to know what every end is compared with. */
export async function openArena(base: string, template: string, mock: LLMock): Promise<Arena> {
  const world = await openDiskWorld(`${base}/undisturbed`, template, mock);
  try {
    const { code, stdout, stderr } = await world.ccp(runCommand(world));
    if (code !== 0) throw new Error(`the undisturbed run ended with ${code}\n${stderr}`);
    const undisturbed = leavings(world.root, world.journal().run?.rid ?? "");
    const calls = world.doors.exchanges.map(callOf);
    return { mock, template, base, undisturbed, lines: stdout.trimEnd().split("\n").length, calls };
  } finally {
    await world.remove();
  }
}

/** A whole number from 0 up to but not including `count`. */
export function below(count: number, chance: () => number): number {
  return Math.floor(chance() * count);
}

/** One of them. */
export function oneOf<T>(all: readonly T[], chance: () => number): T {
  const drawn = all[below(all.length, chance)];
  if (drawn === undefined) throw new Error("there is nothing to draw from");
  return drawn;
}

/** How it went by the way ccp ended. */
export function outcomeOf(code: number | null, stderr: string): Outcome {
  if (code === 0) return "unharmed";
  return /nothing was started/.test(stderr) ? "not started" : "stopped";
}
