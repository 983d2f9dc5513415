import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as turnOfTheLoop } from "node:timers/promises";
import { bringToEnd, complaintsAbout, type Mark, markOf } from "./disk-judge.ts";
import { type Arena, below, type DiskCase, type DiskKind, outcomeOf, type Verdict } from "./disk-kind.ts";
import { atLine } from "./disk-moment.ts";
import { CAN_MOUNT, mountItself, setReadOnly, unmount } from "./disk-mounts.ts";
import { type DiskWorld, type Ended, ended, openDiskWorld, PLACES, type PlaceName, runCommand } from "./disk-world.ts";

/** When the disk becomes read-only: before the run, in the middle of it, or between its death and the resume. */
const MOMENTS = ["from the beginning", "in the middle", "before the resume"] as const;
type Moment = (typeof MOMENTS)[number];

/** The journal is open for writing all the time, so that a mount of it cannot be made read-only: `disk-failing` does it. */
const PLACES_IN_THE_MIDDLE: readonly PlaceName[] = ["results", "worktrees"];
const ALL_PLACES = Object.keys(PLACES) as PlaceName[];

/** A disk that becomes read-only. */
export const readOnlyDisk: DiskKind = {
  name: "read-only",
  title: "read-only disk",
  usualCases: 60,
  missing: () => (CAN_MOUNT ? null : "needs root, to mount a disk read-only"),
  async cases(arena, count, chance) {
    return Array.from({ length: count }, (_, index) => {
      const moment = MOMENTS[index % MOMENTS.length] ?? "from the beginning";
      const places = moment === "in the middle" ? PLACES_IN_THE_MIDDLE : ALL_PLACES;
      const place = places[Math.floor(index / MOMENTS.length) % places.length] ?? "results";
      return caseOf(arena, place, moment, 1 + below(arena.lines - 1, chance));
    });
  },
};

function caseOf(arena: Arena, place: PlaceName, moment: Moment, line: number): DiskCase {
  return {
    label: `${place}, ${moment}${moment === "from the beginning" ? "" : `, line ${line}`}`,
    async prove(folder) {
      const world = await openDiskWorld(folder, arena.template, arena.mock);
      const disk = join(folder, PLACES[place]);
      try {
        mkdirSync(disk, { recursive: true });
        mountItself(disk);
        const marks: Mark[] = [];
        const first = await STORIES[moment](world, disk, line, marks);
        marks.push(markOf(world, world.journal()));
        setReadOnly(disk, false);
        const complaints = [...complaintsAbout(first, folder), ...(await bringToEnd(world, arena.undisturbed, marks))];
        return { outcome: outcomeOf(first.code, first.stderr), violations: complaints } satisfies Verdict;
      } finally {
        unmount(disk);
        await world.remove();
      }
    },
  };
}

/** Each ends with a ccp that met the read-only disk, and with the disk read-only. */
const STORIES: Readonly<
  Record<Moment, (world: DiskWorld, disk: string, line: number, marks: Mark[]) => Promise<Ended>>
> = {
  async "from the beginning"(world, disk) {
    setReadOnly(disk, true);
    return world.ccp(runCommand(world));
  },
  async "in the middle"(world, disk, line) {
    const child = world.start(runCommand(world));
    const end = ended(child);
    await atLine(child, line, () => untilReadOnly(disk, child));
    return end;
  },
  async "before the resume"(world, disk, line, marks) {
    const child = world.start(runCommand(world));
    const end = ended(child);
    await atLine(child, line, async () => void child.kill("SIGKILL"));
    await end;
    marks.push(markOf(world, world.journal()));
    setReadOnly(disk, true);
    const { run } = world.journal();
    return world.ccp(run === null || run.status !== "running" ? runCommand(world) : ["resume", run.rid, "--json"]);
  },
};

/** As soon as nobody is writing a file there; ccp may be faster, and done. */
async function untilReadOnly(disk: string, child: { readonly exitCode: number | null }): Promise<void> {
  for (;;) {
    try {
      setReadOnly(disk, true);
      return;
    } catch {
      if (child.exitCode !== null) return;
      await turnOfTheLoop();
    }
  }
}
