import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { CcpError, EXIT } from "../core/errors.ts";
import type { StoredEvent } from "../core/event.ts";
import { blobsNamedIn, type ExportedRun, type ExportHead, misplaced } from "../core/exported-run.ts";
import { isJsonObject, type Json } from "../core/json.ts";
import type { Pipeline } from "../core/pipeline.ts";

/** No run of ours comes near it; what unpacks to more is an attack or a mistake. */
const MOST_BYTES = 2 * 1024 ** 3;

/**
 * The content of a file that `exportRun` made, checked in itself. Throws `CcpError`: `damaged_export`, `newer_export`.
 */
export function readExport(bytes: Uint8Array): ExportedRun {
  const lines = linesOf(bytes);
  const head = headOf(lines[0]);
  const events = lines.flatMap((line) => (isEvent(line.event) ? [line.event] : []));
  const blobs = lines.flatMap((line) => ("blob" in line ? [Buffer.from(String(line.blob), "base64")] : []));
  const packs = lines.flatMap((line) => ("pack" in line ? [Buffer.from(String(line.pack), "base64")] : []));
  if (lines.at(-1)?.end !== lines.length - 1) throw damaged("it is cut short");
  if (events.some(({ seq }, index) => seq !== index + 1)) throw damaged("its events are not in order");
  const [first] = events;
  if (first?.type !== "run.created" || first.rid !== head.rid) throw damaged("it does not begin with a run");
  const there = new Set(blobs.map(sha256Of));
  const missing = blobsNamedIn(events).find((sha256) => !there.has(sha256));
  if (missing !== undefined) throw damaged(`payload ${missing.slice(0, 12)} is not in it, or is not what it was`);
  const fault = attempted("its events make no sense", () => misplaced({ head, events }, pipelinesOf(events, blobs)));
  if (fault !== null) throw damaged(`it names ${fault}`);
  return { head, events, blobs, pack: packs[0] ?? null };
}

function isEvent(value: unknown): value is StoredEvent {
  return isJsonObject(value as Json);
}

/** Every plan that the run has followed. */
function pipelinesOf(events: readonly StoredEvent[], blobs: readonly Uint8Array[]): readonly Pipeline[] {
  const bySha256 = new Map(blobs.map((blob) => [sha256Of(blob), blob]));
  return events.flatMap((event) =>
    "pipeline" in event ? [JSON.parse(new TextDecoder().decode(bySha256.get(event.pipeline.sha256))) as Pipeline] : [],
  );
}

/** What cannot be read as what it should be was not written by ccp. */
function attempted<T>(why: string, read: () => T): T {
  try {
    return read();
  } catch {
    throw damaged(why);
  }
}

function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function linesOf(bytes: Uint8Array): readonly Readonly<Record<string, unknown>>[] {
  const lines = attempted("it is no file that `ccp export` made, or not whole", () =>
    gunzipSync(bytes, { maxOutputLength: MOST_BYTES })
      .toString("utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Json),
  );
  return lines.filter(isJsonObject);
}

function headOf(line: Readonly<Record<string, unknown>> | undefined): ExportHead {
  const head = line?.head as Partial<ExportHead> | undefined;
  if (head?.format !== "ccp-run") throw damaged("it is no file that `ccp export` made");
  if (head.v !== 1) {
    const version = /^[\w.+-]{1,40}$/.test(String(head.ccpVersion)) ? ` (${head.ccpVersion})` : "";
    throw new CcpError("newer_export", EXIT.usage, `the file was written by a newer ccp${version}`, {
      hint: "nothing was changed; update ccp",
    });
  }
  if (!/^r-[a-z0-9]{4,16}$/.test(head.rid ?? "") || !/^[0-9a-f]{40,64}$/.test(head.base ?? "")) {
    throw damaged("it names no run or no commit");
  }
  return head as ExportHead;
}

/** Such a file is refused. `why`: what is wrong with it. */
export function damaged(why: string): CcpError {
  return new CcpError("damaged_export", EXIT.usage, `the file cannot be imported: ${why}`, {
    hint: "nothing was changed; export the run again where it comes from: ccp export <rid>",
  });
}
