import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, renameSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { CAN_MOUNT, unmount } from "./disk-mounts.ts";

const PROGRAM = join(import.meta.dirname, "power-fs.py");
/** Debian's own: its package python3-fusepy is not seen by another. */
const PYTHON = "/usr/bin/python3";

/** What the disk in memory says on its standard output. */
interface Message {
  readonly event: "ready" | "cut" | "failed" | "end";
  readonly name?: string;
  readonly path?: string;
  /** With `end`: a letter for each operation that changed something; see power-fs.py. */
  readonly operations?: string;
}

/** A folder that is for a while on a disk of `power-fs.py`. */
export interface PowerDisk {
  /** What failed, or was cut: the operation and its path; null: nothing. */
  readonly hit: () => string | null;
  /** Takes the disk away, once, and leaves in the folder what it had on its platter. Gives the letters of its operations. */
  unmount(): Promise<string>;
}

/** What is missing to mount one; null: nothing. */
export function missingForFuse(): string | null {
  if (!CAN_MOUNT) return "needs root, to mount";
  if (!existsSync("/dev/fuse")) return "needs FUSE (/dev/fuse)";
  return spawnSync(PYTHON, [PROGRAM, "--help"]).status === 0 ? null : "needs FUSE for Python (python3-fusepy)";
}

/** Puts a folder and all that is in it on such a disk. `onCut` is called once, when the power is gone. */
export async function mountPowerDisk(
  folder: string,
  flags: readonly string[],
  onCut: () => void = () => undefined,
): Promise<PowerDisk> {
  const [before, after] = [`${folder}.before`, `${folder}.after`];
  for (const path of [before, after]) rmSync(path, { recursive: true, force: true });
  renameSync(folder, before);
  mkdirSync(folder);
  const daemon = spawn(PYTHON, [PROGRAM, folder, "--from", before, "--into", after, ...flags], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const closed = once(daemon, "close");
  let [hit, operations]: [string | null, string] = [null, ""];
  const ready = new Promise<void>((resolve, reject) => {
    void closed.then(() => reject(new Error("the disk in memory was not mounted")));
    createInterface({ input: daemon.stdout }).on("line", (line) => {
      const { event, name, path, ...rest } = JSON.parse(line) as Message;
      if (event === "ready") resolve();
      if (event === "end") operations = rest.operations ?? "";
      if (event === "cut" || event === "failed") hit ??= `${name} ${path}`;
      if (event === "cut") onCut();
    });
  });
  await ready;
  let isMounted = true;
  return {
    hit: () => hit,
    async unmount() {
      if (!isMounted) return operations;
      isMounted = false;
      unmount(folder);
      await closed;
      rmdirSync(folder);
      renameSync(after, folder);
      rmSync(before, { recursive: true, force: true });
      return operations;
    },
  };
}
