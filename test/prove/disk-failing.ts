import { cpSync } from "node:fs";
import { join } from "node:path";
import { missingForFuse, mountPowerDisk } from "./disk-fuse.ts";
import { bringToEnd, complaintsAbout, markOf } from "./disk-judge.ts";
import { type Arena, below, type DiskCase, type DiskKind, oneOf, outcomeOf } from "./disk-kind.ts";
import { openDiskWorld, runCommand } from "./disk-world.ts";

/** The nth operation on the disk fails, of ccp's and of git's: from then on, or only it. */
interface Failure {
  readonly nth: number;
  readonly errno: "EIO" | "ENOSPC" | "EROFS";
  readonly isLasting: boolean;
}

/** A disk on which repository, results and worktrees all are, and that fails at some moment. */
export const failingDisk: DiskKind = {
  name: "failing",
  title: "failing disk, git's writes too",
  usualCases: 300,
  missing: missingForFuse,
  async cases(arena, count, chance) {
    const operations = await countOperations(arena);
    return Array.from({ length: count }, (_, index) => {
      const errno = (["EIO", "ENOSPC", "EROFS"] as const)[index % 3] ?? "EIO";
      // A disk that was made read-only stays so.
      const isLasting = errno === "EROFS" || oneOf([true, false], chance);
      return caseOf(arena, { nth: 1 + below(operations.length, chance), errno, isLasting });
    });
  },
};

const counted = new WeakMap<Arena, Promise<string>>();

/** What a run does to the disk that changes something: a letter each. Counted once. */
export function countOperations(arena: Arena): Promise<string> {
  const operations = counted.get(arena) ?? count(arena);
  counted.set(arena, operations);
  return operations;
}

async function count(arena: Arena): Promise<string> {
  const folder = join(arena.base, "counted");
  cpSync(arena.template, folder, { recursive: true, preserveTimestamps: true });
  const disk = await mountPowerDisk(folder, []);
  const world = await openDiskWorld(folder, null, arena.mock);
  const { code, stderr } = await world.ccp(runCommand(world));
  const operations = await disk.unmount();
  await world.remove();
  if (code !== 0) throw new Error(`the run on the disk in memory ended with ${code}\n${stderr}`);
  return operations;
}

function caseOf(arena: Arena, { nth, errno, isLasting }: Failure): DiskCase {
  return {
    label: `${errno} at operation ${nth}${isLasting ? " and all after it" : ""}`,
    async prove(folder) {
      cpSync(arena.template, folder, { recursive: true, preserveTimestamps: true });
      const flags = ["--fail-at", String(nth), "--errno", errno, ...(isLasting ? ["--lasting"] : [])];
      const disk = await mountPowerDisk(folder, flags);
      const world = await openDiskWorld(folder, null, arena.mock);
      try {
        const first = await world.ccp(runCommand(world));
        await disk.unmount();
        const marks = [markOf(world, world.journal())];
        const complaints = [...complaintsAbout(first, folder), ...(await bringToEnd(world, arena.undisturbed, marks))];
        const violations = complaints.map((complaint) => `${complaint} [${disk.hit() ?? "never met"}]`);
        return { outcome: outcomeOf(first.code, first.stderr), violations };
      } finally {
        await disk.unmount();
        await world.remove();
      }
    },
  };
}
