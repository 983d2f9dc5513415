import { cpSync, mkdirSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { linesOf } from "../support/killer.ts";
import { bringToEnd, complaintsAbout, markOf } from "./disk-judge.ts";
import { type Arena, below, type DiskCase, type DiskKind, oneOf, outcomeOf } from "./disk-kind.ts";
import { CAN_MOUNT, mountRoom, setRoom, unmount } from "./disk-mounts.ts";
import { type DiskWorld, ended, openDiskWorld, PLACES, type PlaceName, runCommand } from "./disk-world.ts";

/** What of a disk runs out. */
type Unit = "pages" | "inodes";

const PLACE_NAMES = Object.keys(PLACES) as PlaceName[];

/** A small disk under one of the places that a run writes to, with so little left that it is full at some moment. */
export const fullDisk: DiskKind = {
  name: "full",
  title: "full disk",
  usualCases: 240,
  missing: () => (CAN_MOUNT ? null : "needs root, to mount a small disk"),
  async cases(arena, count, chance) {
    const needed = await Promise.all(PLACE_NAMES.map((place) => measure(arena, place)));
    return Array.from({ length: count }, (_, index) => {
      const place = PLACE_NAMES[index % PLACE_NAMES.length] ?? "everything";
      const unit = chance() < 0.8 ? "pages" : "inodes";
      const left = below((needed[PLACE_NAMES.indexOf(place)]?.[unit] ?? 0) + 1, chance);
      return caseOf(arena, place, unit, left, oneOf([true, false], chance));
    });
  },
};

function caseOf(arena: Arena, place: PlaceName, unit: Unit, left: number, isTriedAgain: boolean): DiskCase {
  const label = `${place}, ${left} ${unit} left${isTriedAgain ? ", resumed on the full disk too" : ""}`;
  return {
    label,
    async prove(folder) {
      const { world, disk } = await openOn(arena, folder, place);
      try {
        setRoom(disk, { [unit]: left });
        const first = await world.ccp(runCommand(world));
        const complaints = [...complaintsAbout(first, folder)];
        const marks = [markOf(world, world.journal())];
        const { run } = world.journal();
        if (isTriedAgain && run !== null && run.status !== "succeeded") {
          const second = await world.ccp(["resume", run.rid, "--json"]);
          complaints.push(
            ...complaintsAbout(second, folder).map((complaint) => `resumed on the full disk: ${complaint}`),
          );
          marks.push(markOf(world, world.journal()));
        }
        setRoom(disk, null);
        complaints.push(...(await bringToEnd(world, arena.undisturbed, marks)));
        return { outcome: outcomeOf(first.code, first.stderr), violations: complaints };
      } finally {
        unmount(disk);
        await world.remove();
      }
    },
  };
}

async function openOn(arena: Arena, folder: string, place: PlaceName): Promise<{ world: DiskWorld; disk: string }> {
  const disk = join(folder, PLACES[place]);
  const isAll = place === "everything";
  if (!isAll) cpSync(arena.template, folder, { recursive: true, preserveTimestamps: true });
  mkdirSync(disk, { recursive: true });
  mountRoom(disk);
  if (place === "git") cpSync(join(arena.template, PLACES.git), disk, { recursive: true, preserveTimestamps: true });
  return { world: await openDiskWorld(folder, isAll ? arena.template : null, arena.mock), disk };
}

/** The most that a run has of a disk at the moments when it writes a line. */
async function measure(arena: Arena, place: PlaceName): Promise<Readonly<Record<Unit, number>>> {
  const { world, disk } = await openOn(arena, join(arena.base, `measured-${place}`), place);
  try {
    const before = used(disk);
    const most = { pages: 0, inodes: 0 };
    const child = world.start(runCommand(world));
    const end = ended(child);
    for await (const _line of linesOf(child)) {
      const now = used(disk);
      most.pages = Math.max(most.pages, now.pages - before.pages);
      most.inodes = Math.max(most.inodes, now.inodes - before.inodes);
    }
    await end;
    return most;
  } finally {
    unmount(disk);
    await world.remove();
  }
}

function used(disk: string): Readonly<Record<Unit, number>> {
  const { blocks, bfree, files, ffree } = statfsSync(disk);
  return { pages: blocks - bfree, inodes: files - ffree };
}
