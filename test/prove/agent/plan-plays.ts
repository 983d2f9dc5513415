import { WIRES } from "./answers.ts";
import { BROKEN_STREAMS, type Habit, HOPELESS, RECOVERABLE } from "./habits.ts";
import { OWN_TASKS } from "./own-tasks.ts";
import type { Play } from "./play.ts";
import { sharedTasks } from "./shared-tasks.ts";
import type { Task } from "./task.ts";

/** A part of the proof, and what share of it must end green. */
export interface Part {
  readonly name: string;
  readonly plays: readonly Play[];
  /** From 0 to 1; null: none may. */
  readonly green: number | null;
}

/** Everything that is played. `shared`: how many of the shared tasks, evenly spread. */
export function planPlays(shared: number): readonly Part[] {
  const [none, ...recoverable] = RECOVERABLE;
  if (!none) throw new Error("there is no model without a habit");
  return [
    { name: "own tasks, all roles, every wire", plays: cross(OWN_TASKS, none, "all"), green: 1 },
    { name: "shared tasks (HumanEval)", plays: rotated(spread(sharedTasks(), shared), none), green: 1 },
    { name: "difficult models", plays: difficult([...recoverable, ...BROKEN_STREAMS]), green: 0.95 },
    { name: "models that never get there", plays: difficult(HOPELESS), green: null },
  ];
}

function cross(tasks: readonly Task[], habit: Habit, roles: Play["roles"]): readonly Play[] {
  return tasks.flatMap((task) => WIRES.map((wire) => ({ task, wire, habit, roles })));
}

/** Each task once, on the wires in turn. */
function rotated(tasks: readonly Task[], habit: Habit): readonly Play[] {
  return tasks.map((task, index) => ({ task, wire: at(WIRES, index), habit, roles: "doer" }));
}

/** Each habit on every wire, with the tasks in turn. */
function difficult(habits: readonly Habit[]): readonly Play[] {
  return habits.flatMap((habit, number) =>
    WIRES.map((wire, index) => ({ task: at(OWN_TASKS, number + index), wire, habit, roles: "doer" as const })),
  );
}

function spread<T>(all: readonly T[], count: number): readonly T[] {
  if (count >= all.length) return all;
  return Array.from({ length: count }, (_, index) => at(all, Math.floor((index * all.length) / count)));
}

function at<T>(all: readonly T[], index: number): T {
  return all[index % all.length] as T;
}
