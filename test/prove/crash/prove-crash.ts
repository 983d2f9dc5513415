import type { Ground } from "./ground.ts";
import type { Picture } from "./picture.ts";
import { type Case, type Chance, type Course, planCases, randomCase } from "./plan-cases.ts";
import { type CaseOutcome, runCase } from "./run-case.ts";

/** A case and what became of it. */
export interface DoneCase {
  readonly kills: Case;
  readonly outcome: CaseOutcome;
}

/** What a proof came to. */
export interface Proof {
  readonly course: Course;
  readonly cases: readonly DoneCase[];
}

/** How much is to be proven, and how. */
export interface ProofOptions {
  /** So many and no more than it takes; null: every place of the run once, and `LEAST_KILLS` at least. */
  readonly kills: number | null;
  readonly chance: Chance;
  /** Cases at the same time. */
  readonly jobs: number;
  /** These and no others; null: they are chosen. */
  readonly only: readonly Case[] | null;
  /** Hears of each case as it ends. */
  readonly onCase?: (done: DoneCase) => void;
}

const LEAST_KILLS = 1_000;

/** Kills runs and lets them go on. Throws where even a run that nobody kills does not hold. */
export async function proveCrash(ground: Ground, options: ProofOptions): Promise<Proof> {
  const { jobs, only, kills, chance, onCase } = options;
  const { course, picture } = await undisturbedRun(ground);
  const queue = [...(only ?? planCases(course, chance))];
  const cases: DoneCase[] = [];
  let [started, killed] = [1, 0];
  // Not by what is planned: a point may not be reached, an instant may come after the end.
  const next = () => {
    if (only === null && kills !== null && killed >= kills) return undefined;
    return queue.shift() ?? (only === null && killed < (kills ?? LEAST_KILLS) ? randomCase(course, chance) : undefined);
  };
  const worker = async () => {
    for (let one = next(); one !== undefined; one = next()) {
      started += 1;
      const outcome = await runCase(ground, nameOf(started), one, picture);
      killed += outcome.killed.length;
      cases.push({ kills: one, outcome });
      onCase?.({ kills: one, outcome });
    }
  };
  await Promise.all(Array.from({ length: jobs }, worker));
  return { course, cases };
}

/** Should ccp come to have its effects by other means, this says that they are no longer seen. */
const EFFECTS = [
  ...["journal.before", "journal.uncommitted", "journal.after", "lock.exec.after"],
  ...["send.before", "send.sent", "send.head", "send.first-byte", "send.mid", "send.last-byte", "spool.write.after"],
  ...["command.before", "command.during", "command.after", "git.write-tree.during", "git.update-ref.after"],
  ...["file.write.after", "file.rename.after", "artifact.rename.after", "record.rename.after", "latest.rename.after"],
];

/** Twice, for what differs between two such runs would be taken for the work of a crash. */
async function undisturbedRun(ground: Ground): Promise<{ readonly course: Course; readonly picture: Picture }> {
  const first = await runCase(ground, nameOf(0), [], null);
  const second = await runCase(ground, nameOf(1), [], first.picture);
  const names = new Set(second.last.hits.map((hit) => hit.replace(/:\d+$/, "")));
  const unseen = EFFECTS.filter((name) => !names.has(name)).map((name) => `no kill point saw ${name}`);
  const wrong = [...first.violations, ...second.violations, ...unseen];
  if (wrong.length > 0 || first.picture === null) {
    throw new Error(`a run that nobody killed is not as it should be:\n  ${wrong.join("\n  ")}`);
  }
  return { course: second.last, picture: first.picture };
}

function nameOf(number: number): string {
  return `world-${String(number).padStart(5, "0")}`;
}
