import { gzipSync } from "node:zlib";
import { CcpError, EXIT, hasCode } from "../core/errors.ts";
import { blobsNamedIn, type ExportHead, treesNamedIn } from "../core/exported-run.ts";
import type { Repository } from "../core/ports.ts";
import { readRun } from "../core/read-run.ts";
import type { Store } from "../core/store.ts";

/** A run as one file, and whether the trees are in it: without them it can be read elsewhere and not be gone on with. */
export interface ExportedFile {
  readonly bytes: Uint8Array;
  readonly hasTrees: boolean;
}

/**
 * Puts a run into one file: gzip of lines of JSON, first the head, then events, payloads, the git pack, and a last line
 * that says how many there were. Prompts, answers and code are in it in plain text.
 */
export async function exportRun(
  rid: string,
  about: { readonly ccpVersion: string; readonly now: number },
  parts: { readonly store: Store; readonly repository: Repository },
): Promise<ExportedFile> {
  const { store, repository } = parts;
  const run = readRun(rid, store);
  if (!run.created) throw new CcpError("unknown_run", EXIT.usage, `there is no run ${rid}`, { hint: "ccp runs" });
  const events = store.events(rid);
  const base = run.created.base.commit;
  const pack = await repository
    .openWorkspace(rid, run.workspace?.path ?? "")
    .pack(treesNamedIn(events), base)
    .catch(unlessGone);
  const head: ExportHead = {
    format: "ccp-run",
    v: 1,
    rid,
    ccpVersion: about.ccpVersion,
    exportedAt: about.now,
    base,
  };
  const lines = [
    { head },
    ...events.map((event) => ({ event })),
    ...blobsNamedIn(events).map((sha256) => ({ blob: base64(store.blob({ sha256, sizeBytes: 0 })) })),
    ...(pack ? [{ pack: base64(pack) }] : []),
  ];
  const text = [...lines, { end: lines.length }].map((line) => `${JSON.stringify(line)}\n`).join("");
  return { bytes: gzipSync(text), hasTrees: pack !== null };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

function unlessGone(thrown: unknown): null {
  if (hasCode(thrown, "tree_missing")) return null;
  throw thrown;
}
