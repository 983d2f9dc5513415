import { execFileSync, spawnSync } from "node:child_process";
import { statfsSync } from "node:fs";

/** Only root may mount, and only where a mount namespace of one's own can be had. */
export const CAN_MOUNT =
  process.getuid?.() === 0 && spawnSync("unshare", ["-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]).status === 0;

/** Room enough for any run of these proofs. */
const ROOMY = "size=256m,nr_inodes=100000";

/** Mounts an empty disk, with room. */
export function mountRoom(path: string): void {
  mount("-t", "tmpfs", "-o", ROOMY, "tmpfs", path);
}

/** Leaves so much free and no more, at least one of each in all: none would mean any number. Null: room again. */
export function setRoom(path: string, left: { readonly pages?: number; readonly inodes?: number } | null): void {
  const { blocks, bfree, bsize, files, ffree } = statfsSync(path);
  const size = left?.pages === undefined ? null : `size=${Math.max(1, blocks - bfree + left.pages) * bsize}`;
  const inodes = left?.inodes === undefined ? null : `nr_inodes=${Math.max(1, files - ffree + left.inodes)}`;
  mount("-o", `remount,${[size, inodes].filter((option) => option !== null).join(",") || ROOMY}`, path);
}

/** Makes a folder a mount of its own, so that it can be made read-only. */
export function mountItself(path: string): void {
  mount("--bind", path, path);
}

/** Throws while somebody has a file open for writing there. */
export function setReadOnly(path: string, isReadOnly: boolean): void {
  mount("-o", `remount,bind,${isReadOnly ? "ro" : "rw"}`, path);
}

/** Whoever still has a file open there keeps it until it is closed. */
export function unmount(path: string): void {
  execFileSync("umount", ["--lazy", path], { stdio: "ignore" });
}

function mount(...args: readonly string[]): void {
  execFileSync("mount", args, { stdio: ["ignore", "ignore", "pipe"] });
}
