import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";

/** A process of this user, as the system knows it. */
export interface ProcessLine {
  readonly id: number;
  readonly parentId: number;
  readonly groupId: number;
  /** Dead and not yet collected: there is nothing left to end. */
  readonly isZombie: boolean;
}

/** All processes of this user; null where the system has no /proc to tell. */
export function readProcesses(): readonly ProcessLine[] | null {
  if (process.platform !== "linux") return null;
  const names = directoryNames("/proc");
  if (names === null) return null;
  return names.filter((name) => /^\d+$/.test(name)).flatMap((name) => readProcess(Number(name)));
}

/** The process itself and all above it. */
export function ancestorsOf(id: number, processes: readonly ProcessLine[]): ReadonlySet<number> {
  const parents = new Map(processes.map((line) => [line.id, line.parentId]));
  const found = new Set<number>();
  for (let at: number | undefined = id; at !== undefined && at > 0 && !found.has(at); at = parents.get(at))
    found.add(at);
  return found;
}

/** The name of the program that a process runs, its first 15 letters; null: it is gone, or it cannot be told. */
export function programOf(id: number): string | null {
  return readOrNull(`/proc/${id}/comm`)?.trimEnd() ?? null;
}

/** The environment that a process was given, `NAME=value` each; empty for one that is gone or not ours to read. */
export function environmentOf(id: number): readonly string[] {
  return (readOrNull(`/proc/${id}/environ`) ?? "").split("\0");
}

/** How many tasks (processes and threads) the whole system has; null where it has no /proc to tell. */
export function tasksOfSystem(): number | null {
  // `0.52 0.58 0.59 2/345 4711`
  const tasks = /\/(\d+) /.exec(readOrNull("/proc/loadavg") ?? "")?.[1];
  return tasks === undefined ? null : Number(tasks);
}

/** Bytes that processes have written to disks, those of their children that have ended counted; 0 where it cannot be told. */
export function writtenBytesOf(ids: readonly number[]): number {
  return ids.reduce((sum, id) => {
    const [, written] = /^write_bytes: (\d+)$/m.exec(readOrNull(`/proc/${id}/io`) ?? "") ?? [];
    return sum + Number(written ?? 0);
  }, 0);
}

/**
 * When a living process began, in a form that no other process of the same id shares; null: there is none, or it
 * cannot be told. Linux counts in ticks of 10 ms since the start of the system, whose id is part of the answer; `ps`,
 * which other systems have to be asked by, in seconds.
 */
export function startOf(id: number, platform: NodeJS.Platform = process.platform): string | null {
  if (!Number.isSafeInteger(id) || id <= 0) return null;
  return platform === "linux" ? startByProc(id) : startByPs(id);
}

/** Position of `starttime`, field 22 of `/proc/<pid>/stat`, among the fields after the name: the first is field 3. */
const START_TIME = 22 - 3;

function startByProc(id: number): string | null {
  const fields = statFields(id);
  const boot = readOrNull("/proc/sys/kernel/random/boot_id")?.trim();
  const ticks = fields?.[START_TIME];
  return fields === null || isDead(fields[0]) || !ticks || !boot ? null : `${boot}/${ticks}`;
}

/** `Ss   Fri Nov 20 09:12:07 2026`. */
function startByPs(id: number): string | null {
  const env = { PATH: "/usr/bin:/bin:/usr/sbin:/sbin", LC_ALL: "C", TZ: "UTC" };
  const args = ["-o", "stat=", "-o", "lstart=", "-p", String(id)];
  try {
    const said = execFileSync("ps", args, { env, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    const [, state, start] = /^\s*(\S+)\s+(\S.*?)\s*$/.exec(said) ?? [];
    return isDead(state) ? null : (start ?? null);
  } catch {
    return null;
  }
}

/** Position of the process group, and of that to which the terminal's keys go, among the fields after the name. */
const [GROUP, TERMINAL_GROUP] = [5 - 3, 8 - 3];

/** True where this process may read from its terminal: one in the background would be stopped for it. */
export function isInForeground(): boolean {
  const fields = process.platform === "linux" ? statFields(process.pid) : null;
  if (fields !== null) return fields[GROUP] === fields[TERMINAL_GROUP];
  try {
    const env = { PATH: "/usr/bin:/bin:/usr/sbin:/sbin", LC_ALL: "C" };
    const args = ["-o", "stat=", "-p", String(process.pid)];
    return execFileSync("ps", args, { env, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).includes("+");
  } catch {
    return false;
  }
}

/** A line that cannot be read is left out: the process has just ended. */
function readProcess(id: number): readonly ProcessLine[] {
  const fields = statFields(id);
  if (fields === null || ownerOf(id) !== process.getuid?.()) return [];
  const [state, parentId, groupId] = fields;
  return [{ id, parentId: Number(parentId), groupId: Number(groupId), isZombie: isDead(state) }];
}

/** `4711 (a name (even so)) S 1 4711 …`: state, parent and group stand after the last parenthesis. */
function statFields(id: number): readonly string[] | null {
  const text = readOrNull(`/proc/${id}/stat`);
  return text === null ? null : text.slice(text.lastIndexOf(")") + 2).split(" ");
}

function isDead(state: string | undefined): boolean {
  return state === undefined || /^[ZX]/.test(state);
}

function ownerOf(id: number): number | null {
  try {
    return statSync(`/proc/${id}`).uid;
  } catch {
    return null;
  }
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return null;
  }
}

function directoryNames(path: string): readonly string[] | null {
  try {
    return readdirSync(path);
  } catch {
    return null;
  }
}
