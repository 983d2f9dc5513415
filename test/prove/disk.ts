import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ROOT } from "../smoke/smoke.ts";
import { seeded } from "../support/killer.ts";
import { startMockModels } from "../support/mock-server.ts";
import { failingDisk } from "./disk-failing.ts";
import { fullDisk } from "./disk-full.ts";
import { type Arena, type DiskKind, openArena, type Verdict } from "./disk-kind.ts";
import { CAN_MOUNT, mountRoom, unmount } from "./disk-mounts.ts";
import { powerLoss } from "./disk-power.ts";
import { readOnlyDisk } from "./disk-read-only.ts";
import { type Figures, figuresOf, type Proven, reportOf } from "./disk-report.ts";
import { TURNS } from "./disk-scenario.ts";
import { failingCalls } from "./disk-syscalls.ts";
import { tornPages } from "./disk-torn.ts";
import { writeTemplate } from "./disk-world.ts";

const KINDS: readonly DiskKind[] = [fullDisk, readOnlyDisk, failingCalls, failingDisk, tornPages, powerLoss];
const WORKERS = 2;

const { values: flags } = parseArgs({
  options: {
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    /** Of each kind; default: as many as each thinks right. */
    cases: { type: "string" },
    /** Names with commas between. */
    kinds: { type: "string" },
    /** The number of one case, from 1: the same seed, count and kind draw it again. */
    only: { type: "string" },
    out: { type: "string", default: join(ROOT, "results", "prove", "disk.json") },
    inside: { type: "boolean", default: false },
  },
});

process.exitCode = CAN_MOUNT && !flags.inside ? inNamespace() : await prove();

/** Again, where everything that is mounted or started is gone when this process is, whatever becomes of it. */
function inNamespace(): number {
  const again = [process.execPath, fileURLToPath(import.meta.url), ...process.argv.slice(2), "--inside"];
  // The shell collects what the killed leave behind: a process of the number 1 has to.
  const shell = ["bash", "-c", '"$@"; exit $?', "bash", ...again];
  const options = ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
  return spawnSync("unshare", [...options, ...shell], { stdio: "inherit" }).status ?? 1;
}

/** The exit code: 0, or 1 where anything is not as it should be. */
async function prove(): Promise<number> {
  const base = realpathSync(mkdtempSync(join(tmpdir(), "ccp-disk-")));
  if (CAN_MOUNT) mountRoom(base);
  const mock = await startMockModels(TURNS);
  try {
    writeTemplate(join(base, "template"));
    const arena = await openArena(base, join(base, "template"), mock);
    const wanted = flags.kinds?.split(",");
    const figures: Figures[] = [];
    for (const kind of KINDS.filter(({ name }) => wanted?.includes(name) ?? true)) {
      const missing = kind.missing();
      const proven = missing === null ? await proveKind(kind, arena) : [];
      figures.push(figuresOf(kind, missing, proven));
    }
    process.stdout.write(reportOf(flags.seed, figures));
    save({ at: new Date().toISOString(), seed: Number(flags.seed), kinds: figures });
    return figures.every(({ violations }) => violations.length === 0) ? 0 : 1;
  } finally {
    await mock.stop();
    if (CAN_MOUNT) unmount(base);
    rmSync(base, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function proveKind(kind: DiskKind, arena: Arena): Promise<readonly Proven[]> {
  const count = flags.cases === undefined || flags.cases === "all" ? kind.usualCases : Number(flags.cases);
  const cases = await kind.cases(arena, count, seeded(Number(flags.seed)));
  const all = cases.map((one, index) => ({ one, number: index + 1 }));
  const waiting = flags.only === undefined ? all : all.filter(({ number }) => number === Number(flags.only));
  const proven: Proven[] = [];
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const { one, number } = next;
      const verdict = await one.prove(join(arena.base, `case-${number}`)).catch(brokenBy);
      proven.push({ number, label: one.label, ...verdict });
      progress(kind, proven, cases.length);
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, worker));
  return proven.toSorted((a, b) => a.number - b.number);
}

/** The others are tried all the same. */
function brokenBy(thrown: unknown): Verdict {
  return {
    outcome: "stopped",
    violations: [`the proof itself broke: ${thrown instanceof Error ? thrown.stack : thrown}`],
  };
}

function progress(kind: DiskKind, proven: readonly Proven[], count: number): void {
  const { number, label, violations } = proven.at(-1) ?? { number: 0, label: "", violations: [] };
  for (const violation of violations) {
    process.stderr.write(`VIOLATION ${kind.name} ${number} (${label}): ${violation}\n`);
  }
  if (proven.length % 50 === 0) process.stderr.write(`${kind.name}: ${proven.length} of ${count}\n`);
}

function save(figures: unknown): void {
  const file = resolve(flags.out);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(figures, null, 2)}\n`);
}
