import { type FileHandle, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inWords } from "./git-errors.ts";
import { ownName, sweepOfTheDead } from "./sweep.ts";

/** Where a command writes: two files outside the worktree that have no name, and are gone when nobody has them open. */
export interface Output {
  readonly stdout: FileHandle;
  readonly stderr: FileHandle;
  close(): Promise<void>;
}

/** Bytes of each stream that are handed on; of more, the first and the last half. */
const MOST_KEPT_BYTES = 1024 * 1024;

/** Opened for appending: a command that opens `/dev/stderr` itself, and so empties the file, leaves no hole behind. */
export function openOutput(rid: string): Promise<Output> {
  return inWords(() => makeOutput(rid), tmpdir());
}

/** Removes what runs of the same name that were killed at the wrong instant have left of theirs. */
export function sweepOutputs(rid: string): Promise<void> {
  return sweepOfTheDead(tmpdir(), kindOf(rid));
}

/** In the system's own place: on some network disks a file that is open cannot lose its name. */
async function makeOutput(rid: string): Promise<Output> {
  const directory = await mkdtemp(join(tmpdir(), ownName(kindOf(rid))));
  const stdout = await open(join(directory, "stdout"), "ax+", 0o600);
  const stderr = await open(join(directory, "stderr"), "ax+", 0o600);
  // At once, and not in the end: a ccp that is killed leaves no output of a command lying about.
  await rm(directory, { recursive: true, force: true });
  const close = async () => {
    await Promise.all([stdout.close(), stderr.close()]);
  };
  return { stdout, stderr, close };
}

function kindOf(rid: string): string {
  return `ccp-output-${rid}-`;
}

/** Bytes on disk of both streams. */
export async function sizeOf(output: Output): Promise<number> {
  const [stdout, stderr] = await Promise.all([output.stdout.stat(), output.stderr.stat()]);
  return stdout.size + stderr.size;
}

/** What was written to both streams; of more than `MOST_KEPT_BYTES` the first and the last half. */
export async function readOutput(
  output: Output,
): Promise<{ readonly stdout: Uint8Array; readonly stderr: Uint8Array }> {
  const [stdout, stderr] = await Promise.all([readBounded(output.stdout), readBounded(output.stderr)]);
  return { stdout, stderr };
}

/** How far each stream was read. */
export interface Offsets {
  readonly stdout: number;
  readonly stderr: number;
}

/** What was written since; while more may come, whole lines only, so that no word is torn in two. */
export async function readNews(output: Output, from: Offsets, isWhole: boolean) {
  const [stdout, stderr] = await Promise.all([
    readOn(output.stdout, from.stdout, isWhole),
    readOn(output.stderr, from.stderr, isWhole),
  ]);
  return { stdout: stdout.bytes, stderr: stderr.bytes, to: { stdout: stdout.to, stderr: stderr.to } };
}

/** A line, or a private key, that is longer than this is not waited for. */
const MOST_HELD_BYTES = 16 * 1024;

async function readOn(file: FileHandle, from: number, isWhole: boolean) {
  const { size } = await file.stat();
  const to = isWhole ? size : await endOfNews(file, from, size);
  return { bytes: await readBounded(file, from, to), to };
}

async function endOfNews(file: FileHandle, from: number, size: number): Promise<number> {
  const held = Math.min(size - from, MOST_HELD_BYTES);
  const last = (await readAt(file, size - held, held)).toString("latin1");
  const lines = last.slice(0, last.lastIndexOf("\n") + 1);
  const key = lines.lastIndexOf("-----BEGIN ");
  const whole = key >= 0 && !lines.includes("-----END ", key) ? key : lines.length;
  return whole === 0 && held === MOST_HELD_BYTES ? size : size - held + whole;
}

async function readBounded(file: FileHandle, from = 0, to?: number): Promise<Uint8Array> {
  const size = (to ?? (await file.stat()).size) - from;
  if (size <= MOST_KEPT_BYTES) return readAt(file, from, size);
  const head = withoutCutEnd(await readAt(file, from, MOST_KEPT_BYTES / 2));
  const tail = withoutCutStart(await readAt(file, from + size - MOST_KEPT_BYTES / 2, MOST_KEPT_BYTES / 2));
  const leftOut = size - head.length - tail.length;
  return Buffer.concat([head, Buffer.from(`\n… ${leftOut} bytes left out …\n`), tail]);
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

/** A character of UTF-8 has at most four bytes; all but its first begin with the bits 10. */
function withoutCutEnd(bytes: Uint8Array): Uint8Array {
  let start = bytes.length - 1;
  while (start > bytes.length - 4 && isContinuation(bytes[start])) start--;
  return withoutWordAt((bytes[start] ?? 0) >= 0xc0 ? bytes.subarray(0, start) : bytes, "end");
}

function withoutCutStart(bytes: Uint8Array): Uint8Array {
  let start = 0;
  while (start < 3 && isContinuation(bytes[start])) start++;
  return withoutWordAt(bytes.subarray(start), "start");
}

/** Bytes of a word that is left out whole: half a key would not be known for one. A longer one is no key. */
const LONGEST_WORD = 200;

function withoutWordAt(bytes: Uint8Array, side: "start" | "end"): Uint8Array {
  const isEnd = side === "end";
  for (let length = 0; length <= LONGEST_WORD; length++) {
    const byte = bytes[isEnd ? bytes.length - 1 - length : length];
    if (byte !== undefined && byte <= 0x20)
      return isEnd ? bytes.subarray(0, bytes.length - length) : bytes.subarray(length);
  }
  return bytes;
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
