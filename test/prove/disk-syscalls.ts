import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { bringToEnd, complaintsAbout, markOf } from "./disk-judge.ts";
import { type Arena, below, type DiskCase, type DiskKind, outcomeOf } from "./disk-kind.ts";
import { openDiskWorld, runCommand } from "./disk-world.ts";

/**
 * What ccp's own thread asks of the disk: the writes of SQLite, the flushes of journal and results, the names. A plain
 * `write` is not among them, for pipes and wake-ups go through it too; files that are written so are met by `failing`.
 */
const CALLS = ["pwrite64", "fsync", "rename", "ftruncate", "mkdir", "unlink"] as const;
type Call = (typeof CALLS)[number];

/** `once`: that call alone. `lasting`: it and all later ones of its name. */
interface Injection {
  readonly call: Call;
  readonly nth: number;
  readonly errno: "EIO" | "ENOSPC";
  readonly isLasting: boolean;
}

/** A removal needs no room. */
const NEVER_FULL: readonly Call[] = ["unlink"];

/** An error for each system call in turn that writes, flushes or names: the real binary under strace. */
export const failingCalls: DiskKind = {
  name: "syscalls",
  title: "EIO, ENOSPC at each call",
  usualCases: Number.POSITIVE_INFINITY,
  missing: () => (spawnSync("strace", ["-qq", "true"]).status === 0 ? null : "needs strace"),
  async cases(arena, count, chance) {
    const counts = await countCalls(arena);
    const all = CALLS.flatMap((call) => injections(call, counts[call], chance));
    if (count >= all.length) return all.map((injection) => caseOf(arena, injection));
    // Each call of its own name as often as the others: there are twenty times as many writes as renames.
    return Array.from({ length: count }, (_, index) => {
      const ofOne = all.filter(({ call }) => call === CALLS[index % CALLS.length]);
      return caseOf(arena, ofOne[below(ofOne.length, chance)] ?? (all[0] as Injection));
    });
  },
};

function injections(call: Call, count: number, chance: () => number): readonly Injection[] {
  const errors = NEVER_FULL.includes(call) ? (["EIO"] as const) : (["EIO", "ENOSPC"] as const);
  return Array.from({ length: count }, (_, index) => index + 1).flatMap((nth) =>
    errors.map((errno) => ({ call, nth, errno, isLasting: chance() < 0.5 })),
  );
}

/** How often each is called in a run that nothing disturbs. */
async function countCalls(arena: Arena): Promise<Readonly<Record<Call, number>>> {
  const world = await openDiskWorld(join(arena.base, "counted"), arena.template, arena.mock);
  const log = join(arena.base, "counted.log");
  try {
    await world.ccp(runCommand(world), ["strace", "-qq", "-o", log, "-e", `trace=${CALLS.join(",")}`]);
    const lines = readFileSync(log, "utf8").split("\n");
    const count = (call: Call) => lines.filter((line) => line.startsWith(`${call}(`)).length;
    return Object.fromEntries(CALLS.map((call) => [call, count(call)])) as Record<Call, number>;
  } finally {
    await world.remove();
  }
}

function caseOf(arena: Arena, { call, nth, errno, isLasting }: Injection): DiskCase {
  const when = `${nth}${isLasting ? "+" : ""}`;
  return {
    label: `${errno} at ${call} ${when}`,
    async prove(folder) {
      const world = await openDiskWorld(folder, arena.template, arena.mock);
      try {
        const inject = ["-e", `trace=${call}`, "-e", `inject=${call}:error=${errno}:when=${when}`];
        const first = await world.ccp(runCommand(world), ["strace", "-qq", "-o", "/dev/null", ...inject]);
        const marks = [markOf(world, world.journal())];
        const complaints = [...complaintsAbout(first, folder), ...(await bringToEnd(world, arena.undisturbed, marks))];
        return { outcome: outcomeOf(first.code, first.stderr), violations: complaints };
      } finally {
        await world.remove();
      }
    },
  };
}
