import { openSync, writeSync } from "node:fs";

/** Every hit is written to this file, a line each, before anything else happens: the last line says where a kill came. */
export const LOG_VARIABLE = "CCP_KILL_POINTS_LOG";
/** Where this process ends: `NAME:N`, the Nth hit of that name, or `*:N`, the Nth of all. Missing: nowhere. */
export const TARGET_VARIABLE = "CCP_KILL_POINT";

const log = openLog(process.env[LOG_VARIABLE]);
const target = process.env[TARGET_VARIABLE] ?? null;
const counts = new Map<string, number>();
let all = 0;
let isSilent = false;

/** The process is at a place where its death should be without harm; it dies here if this is the one. */
export function hit(name: string): void {
  if (isSilent) return;
  const nth = (counts.get(name) ?? 0) + 1;
  counts.set(name, nth);
  all += 1;
  const place = `${name}:${nth}`;
  if (log !== null) write(log, `${place}\n`);
  if (target === place || target === `*:${all}`) process.kill(process.pid, "SIGKILL");
}

/** Runs synchronous work of which only the outside counts: what Node's functions call of each other is no effect of ccp's. */
export function asOne<T>(work: () => T): T {
  const before = isSilent;
  isSilent = true;
  try {
    return work();
  } finally {
    isSilent = before;
  }
}

/** A synchronous effect between two places. */
export function around<T>(name: string, work: () => T): T {
  hit(`${name}.before`);
  const result = asOne(work);
  hit(`${name}.after`);
  return result;
}

/** The same for one that takes its time. One that fails has no place after it. */
export async function aroundAsync<T>(name: string, work: () => Promise<T>): Promise<T> {
  hit(`${name}.before`);
  const result = await work();
  hit(`${name}.after`);
  return result;
}

/** Node's own function, kept before it is replaced. */
const write = writeSync;

function openLog(path: string | undefined): number | null {
  return path === undefined ? null : openSync(path, "a");
}
