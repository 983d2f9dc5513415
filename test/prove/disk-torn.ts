import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { StoredEvent } from "../../src/core/event.ts";
import { readJournal } from "./disk-journal.ts";
import { bringToEnd, complaintsAbout, type Mark, markOf } from "./disk-judge.ts";
import { type Arena, below, type DiskCase, type DiskKind, type Verdict } from "./disk-kind.ts";
import { atLine } from "./disk-moment.ts";
import { type DiskWorld, ended, openDiskWorld, runCommand } from "./disk-world.ts";

/** `tail`: beyond the last commit. `cut`: the log is shorter than what was committed. `page`: a committed page. */
const TEARS = ["tail", "cut", "page"] as const;
type Tear = (typeof TEARS)[number];

/** Pages of SQLite, and the header of each in its log. */
const [PAGE, FRAME_HEADER, LOG_HEADER] = [4096, 24, 32] as const;

/** The journal's files are damaged after its owner was killed. */
export const tornPages: DiskKind = {
  name: "torn",
  title: "torn and damaged pages",
  usualCases: 150,
  missing: () => null,
  async cases(arena, count, chance) {
    return Array.from({ length: count }, (_, index) =>
      caseOf(arena, TEARS[index % TEARS.length] ?? "tail", {
        line: 2 + below(arena.lines - 3, chance),
        chance: [chance(), chance(), chance()],
      }),
    );
  },
};

interface Draw {
  readonly line: number;
  readonly chance: readonly [number, number, number];
}

function caseOf(arena: Arena, tear: Tear, draw: Draw): DiskCase {
  return {
    label: `${tear}, line ${draw.line}, ${draw.chance.map((number) => number.toFixed(3)).join(" ")}`,
    async prove(folder) {
      const world = await openDiskWorld(folder, arena.template, arena.mock);
      try {
        const child = world.start(runCommand(world));
        const end = ended(child);
        // A pause closes the journal: then its pages are in the database itself.
        await atLine(child, draw.line, async () => void child.kill(tear === "page" ? "SIGINT" : "SIGKILL"));
        await end;
        return await STORIES[tear](world, arena, draw);
      } finally {
        await world.remove();
      }
    },
  };
}

type Story = (world: DiskWorld, arena: Arena, draw: Draw) => Promise<Verdict>;

const STORIES: Readonly<Record<Tear, Story>> = {
  async tail(world, arena, { chance }) {
    const before = world.journal();
    const log = join(stateDir(world), "ccp.db-wal");
    if (!existsSync(log)) return ENDED_BEFORE;
    const whole = readFileSync(log);
    writeFileSync(log, Buffer.concat([whole, tailOf(whole, chance)]));
    const after = world.journal();
    const marks = [markOf(world, before)];
    const violations = [
      ...(isSame(before.events, after.events)
        ? []
        : ["what lies beyond the last commit has changed what is on record"]),
      ...(await bringToEnd(world, arena.undisturbed, marks)),
    ];
    return { outcome: "killed", violations };
  },
  async cut(world, _arena, { chance }) {
    const before = world.journal();
    const log = join(stateDir(world), "ccp.db-wal");
    if (!existsSync(log)) return ENDED_BEFORE;
    truncateSync(log, Math.floor(statSync(log).size * chance[0]));
    const after = world.journal();
    const isBeginning = isSame(before.events.slice(0, after.events.length), after.events);
    const looked = await world.ccp(["runs", "--json"]);
    const violations = [
      ...(isBeginning ? [] : ["the log's beginning does not give the beginning of what was on record"]),
      ...(after.integrity === "ok" ? [] : [`integrity_check: ${after.integrity}`]),
      ...complaintsAbout(looked, world.folder),
      ...(looked.code === 0 ? [] : [`ccp runs ended with ${looked.code}`]),
    ];
    return { outcome: "killed", violations };
  },
  page: damagePage,
};

/** The run was faster than the kill: its journal is closed, and has no log any more. */
const ENDED_BEFORE: Verdict = { outcome: "unharmed", violations: [] };

/** Zeros, noise, a torn frame, or a whole frame of before: what a disk may have of a write that was under way. */
function tailOf(log: Buffer, [kind, length, seed]: Draw["chance"]): Buffer {
  const size = 1 + Math.floor(length * 3 * (PAGE + FRAME_HEADER));
  const lastFrame = log.subarray(Math.max(LOG_HEADER, log.length - PAGE - FRAME_HEADER));
  if (kind < 0.25) return Buffer.alloc(size);
  if (kind < 0.5) return noise(size, seed);
  if (kind < 0.75) return Buffer.concat([lastFrame.subarray(0, FRAME_HEADER), noise(size, seed)]);
  return Buffer.from(lastFrame.subarray(0, Math.min(size, lastFrame.length)));
}

/** A committed page is zeroed, or filled with noise, in whole or by half; now and then the database is cut. */
async function damagePage(world: DiskWorld, arena: Arena, { chance }: Draw): Promise<Verdict> {
  const path = join(stateDir(world), "ccp.db");
  const whole = readFileSync(path);
  const marks = [markOf(world, world.journal())];
  const rid = world.journal().run?.rid ?? "";
  const page = Math.floor(chance[0] * (whole.length / PAGE));
  const damaged = damage(whole, page, chance);
  writeFileSync(path, damaged);
  const complaints: string[] = [];
  let outcome: Verdict["outcome"] = "stopped";
  for (const argv of [
    ["runs", "--json"],
    ["view", rid],
    ["resume", rid, "--json"],
  ]) {
    const seen = await world.ccp(argv);
    const of = `${argv[0]}, page ${page + 1} of ${whole.length / PAGE}`;
    complaints.push(...complaintsAbout(seen, world.folder).map((complaint) => `${of}: ${complaint}`));
    if (seen.code !== 0 && !isKept(world, damaged))
      complaints.push(`${of}: refused, and yet the damaged file was changed`);
    if (seen.code !== 0 || argv[0] !== "resume") continue;
    complaints.push(...(await unnoticed(world, arena, marks, of)));
    outcome = "unharmed";
  }
  return { outcome, violations: complaints };
}

function damage(whole: Buffer, page: number, [, kind, seed]: Draw["chance"]): Buffer {
  const [from, to] = [page * PAGE, (page + 1) * PAGE];
  if (kind < 0.15) return whole.subarray(0, from + (kind < 0.07 ? 0 : PAGE / 2));
  const end = kind < 0.55 ? to : from + PAGE / 2;
  const damaged = Buffer.from(whole);
  (seed < 0.5 ? Buffer.alloc(end - from) : noise(end - from, seed)).copy(damaged, from);
  return damaged;
}

/** A page that nothing reads may go unnoticed, if all else is right and the file is whole. */
async function unnoticed(
  world: DiskWorld,
  arena: Arena,
  marks: readonly Mark[],
  of: string,
): Promise<readonly string[]> {
  const { integrity } = readJournal(stateDir(world), `${world.folder}.copy`);
  const ends = await bringToEnd(world, arena.undisturbed, marks);
  const written = integrity === "ok" ? [] : [`a damaged journal was written to (${integrity.split("\n")[0]})`];
  return [...written, ...(integrity === "ok" ? ends : [])].map((complaint) => `${of}: ${complaint}`);
}

/** Where it lies, or set aside beside it. */
function isKept(world: DiskWorld, bytes: Buffer): boolean {
  const digest = (content: Buffer) => createHash("sha256").update(content).digest("hex");
  const files = readdirSync(stateDir(world), { withFileTypes: true }).filter((entry) => entry.isFile());
  return files.some(({ name }) => digest(readFileSync(join(stateDir(world), name))) === digest(bytes));
}

function isSame(a: readonly StoredEvent[], b: readonly StoredEvent[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function stateDir(world: DiskWorld): string {
  return join(world.root, ".git", "ccp");
}

/** Bytes that a number repeats. */
function noise(size: number, seed: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(size / 32) }, (_, index) =>
    createHash("sha256").update(`${seed} ${index}`).digest(),
  );
  return Buffer.concat(blocks).subarray(0, size);
}
