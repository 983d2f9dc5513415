import { cpSync } from "node:fs";
import type { StoredEvent } from "../../src/core/event.ts";
import { countOperations } from "./disk-failing.ts";
import { missingForFuse, mountPowerDisk } from "./disk-fuse.ts";
import type { Journal } from "./disk-journal.ts";
import { bringToEnd, type Mark, markOf } from "./disk-judge.ts";
import { type Arena, below, type DiskCase, type DiskKind, oneOf } from "./disk-kind.ts";
import { atLine } from "./disk-moment.ts";
import { type DiskWorld, endAll, ended, killGroup, openDiskWorld, runCommand } from "./disk-world.ts";

/** When the power goes, and what of the unflushed is on the platter then. */
interface Cut {
  /** `end`: when ccp has ended. */
  readonly operation: number | "end";
  /** A Ctrl-C once so many lines are written; more lines than there are: none. */
  readonly pauseAt: number;
  /** A share, from 0 to 1. */
  readonly keep: number;
  readonly names: "bare" | "journalled";
  readonly seed: number;
}

/** Nothing that was not flushed survives, or half of it, or nearly all. */
const SHARES = [0, 0, 0.5, 0.9] as const;

/** Cuts after which edits nobody had made were taken for a person's, or a file was missing. They are tried each time. */
const REMEMBERED: readonly (readonly Cut[])[] = [
  [{ operation: "end", pauseAt: 22, keep: 0.5, names: "journalled", seed: 231921 }],
  [{ operation: "end", pauseAt: 25, keep: 0, names: "bare", seed: 1 }],
  [
    { operation: "end", pauseAt: 14, keep: 0, names: "bare", seed: 67369 },
    { operation: "end", pauseAt: 41, keep: 0, names: "journalled", seed: 454136 },
  ],
];

/** The power is cut while repository, results and worktrees are on a disk that forgets what was not flushed. */
export const powerLoss: DiskKind = {
  name: "power",
  title: "power loss",
  usualCases: 300,
  missing: missingForFuse,
  async cases(arena, count, chance) {
    const operations = await countOperations(arena);
    const journals = [...operations].flatMap((letter, index) => ("js".includes(letter) ? [index + 1] : []));
    const operation = () => (chance() < 0.5 ? oneOf(journals, chance) : 1 + below(operations.length, chance));
    const draw = (): Cut => ({
      ...(chance() < 0.2
        ? { operation: "end", pauseAt: 1 + below(arena.lines + 5, chance) }
        : { operation: operation(), pauseAt: Number.POSITIVE_INFINITY }),
      keep: oneOf(SHARES, chance),
      names: oneOf(["bare", "journalled"] as const, chance),
      seed: below(1_000_000, chance),
    });
    const drawn = Array.from({ length: count }, () => (chance() < 0.25 ? [draw(), draw()] : [draw()]));
    return [...drawn, ...REMEMBERED].map((cuts) => caseOf(arena, cuts));
  },
};

function caseOf(arena: Arena, cuts: readonly Cut[]): DiskCase {
  return {
    label: cuts.map(labelOf).join("; then "),
    async prove(folder) {
      cpSync(arena.template, folder, { recursive: true, preserveTimestamps: true });
      const world = await openDiskWorld(folder, null, arena.mock);
      const [marks, complaints]: [Mark[], string[]] = [[], []];
      try {
        for (const cut of cuts) {
          const hit = await cutPower(world, cut, marks, complaints);
          // The run was faster: there is nothing left to cut.
          if (hit === null) break;
        }
        complaints.push(...(await bringToEnd(world, arena.undisturbed, marks)));
        return { outcome: "killed", violations: complaints };
      } finally {
        await world.remove();
      }
    },
  };
}

function labelOf({ operation, pauseAt, keep, names, seed }: Cut): string {
  const when = operation === "end" ? `after its end, a Ctrl-C at line ${pauseAt}` : `operation ${operation}`;
  return `${when}, ${keep * 100} % kept, ${names} names, seed ${seed}`;
}

/** Runs or resumes until the power goes. What was on the platter by then is what the folder holds afterwards. */
async function cutPower(world: DiskWorld, cut: Cut, marks: Mark[], complaints: string[]): Promise<string | null> {
  const { run } = world.journal();
  const argv = run === null ? runCommand(world) : ["resume", run.rid, "--json"];
  if (run?.status === "succeeded") return null;
  const { operation, pauseAt, keep, names, seed } = cut;
  const flags = ["--cut-at", operation, "--keep", keep, "--names", names, "--seed", seed].map(String);
  const power: { isGone: boolean; end: () => void } = { isGone: false, end: () => undefined };
  let told = "";
  const disk = await mountPowerDisk(world.folder, flags, () => {
    power.isGone = true;
    power.end();
  });
  try {
    const child = world.start(argv);
    power.end = () => killGroup(child.pid);
    if (power.isGone) power.end();
    const end = ended(child);
    await atLine(child, pauseAt, async () => void child.kill("SIGINT"));
    told = (await end).stdout;
    endAll(world.root);
  } finally {
    await disk.unmount();
  }
  const journal = world.journal();
  marks.push(markOf(world, journal));
  complaints.push(...forgotten(told, journal));
  return disk.hit();
}

/** What was told to others is on record: nobody hears of a fact that a power cut can take back. */
function forgotten(stdout: string, { events }: Journal): readonly string[] {
  const told = stdout
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Partial<StoredEvent>);
  const lost = told.filter(({ seq, type }) => seq !== undefined && events[seq - 1]?.type !== type);
  return lost.length === 0 ? [] : [`${lost.length} facts were told and are not on record, the first: ${lost[0]?.type}`];
}
