import { availableParallelism } from "node:os";

/**
 * What a command of a run may take of the machine. Commands of a pipeline's author are under them as well: they run what
 * an agent has written. The numbers are far above what builds and test runs take, and below what hurts a machine.
 */
export interface Limits {
  /** Processes of one command at once. */
  readonly processes: number;
  /** Bytes that one command may write to standard output and error together. */
  readonly outputBytes: number;
  /** Bytes of one file. */
  readonly fileBytes: number;
  /** Bytes that one command may write to disks in all. */
  readonly writtenBytes: number;
  /** The disks that it can write to keep so many bytes free, … */
  readonly freeBytes: number;
  /** … or this part of their size, where that is less. */
  readonly freePart: number;
  /** Files that one process may have open, at most. */
  readonly openFiles: number;
  /** Threads and processes that its user may have beyond those of the whole system. Root is not held to it. */
  readonly tasks: number;
}

/** A parallel build has a handful of processes for each processor. */
const PROCESSES_PER_PROCESSOR = 16;

/** The limits of every command. */
export const COMMAND_LIMITS: Limits = {
  processes: Math.max(512, PROCESSES_PER_PROCESSOR * availableParallelism()),
  outputBytes: 64 * 1024 ** 2,
  fileBytes: 16 * 1024 ** 3,
  writtenBytes: 16 * 1024 ** 3,
  freeBytes: 512 * 1024 ** 2,
  freePart: 0.02,
  openFiles: 65_536,
  tasks: 16_384,
};

/**
 * Program and arguments that run a command in a shell under those limits that the system itself can keep. One that it
 * does not know, or that is above one which holds already, is passed over. No core dumps: they hold what was in memory.
 * Where memory runs out, it is the command that goes, not ccp. No limit on addresses: node, Go and the sanitizers
 * reserve terabytes of them.
 */
export function limited(shell: string, command: string, limits: Limits): readonly [string, ...string[]] {
  const { fileBytes, openFiles, tasks } = limits;
  const words = [
    "ulimit -c 0",
    `ulimit -f ${Math.floor(fileBytes / FILE_BLOCK_BYTES)}`,
    `ulimit -Hn ${openFiles} || ulimit -n ${openFiles}`,
    `read -r _ _ _ tasks _ < /proc/loadavg && ulimit -u $((\${tasks#*/} + ${tasks}))`,
    `echo ${OOM_SCORE} > /proc/self/oom_score_adj`,
  ];
  const prelude = words.map((word) => `{ ${word}; } 2>/dev/null\n`).join("");
  return [shell, "-c", `${prelude}exec "$0" -c -- "$1"`, shell, command];
}

/** The unit of `ulimit -f` in bash; dash has half of it, and so half of the limit. */
const FILE_BLOCK_BYTES = 1024;
/** Of at most 1,000: what goes first where memory runs out. */
const OOM_SCORE = 500;
