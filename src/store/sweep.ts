import type { Freed } from "../core/store.ts";
import { EVENT_IDS, LAST_SEQ } from "./event-log.ts";
import type { Statements } from "./statements.ts";

/** Below this share of the file it is left to be filled again: to give it back, all of the file has to be written anew. */
const WORTH_GIVING_BACK = 0.05;
const BLOB_REF = /"sha256":"([0-9a-f]{64})"/g;

/** What a look at the whole journal found, and how far each log was then. */
interface Mark {
  readonly seqs: ReadonlyMap<string, number>;
  readonly unnamed: ReadonlyMap<string, number>;
}

/**
 * Removes payloads that no event names. Looking through all logs takes long, so others may write meanwhile; what they
 * have written since is looked through with everybody else shut out, and then it is removed what nobody names even so.
 */
export function sweep(statements: Statements, dryRun: boolean): Freed {
  const mark = statements.read(() => markOf(statements));
  return dryRun ? freedBy(mark.unnamed) : statements.write(() => removeUnnamed(statements, mark));
}

/** Gives free pages of the file back to the disk, if they are many. Others who write wait until it is done. */
export function shrink(statements: Statements): void {
  const pages = (pragma: string) => statements.get<Record<string, number>>(`PRAGMA ${pragma}`)?.[pragma] ?? 0;
  if (pages("freelist_count") > pages("page_count") * WORTH_GIVING_BACK) statements.run("VACUUM");
}

/** Brings the write-ahead log into the database and empties it, as far as others do not read in it. */
export function emptyLog(statements: Statements): void {
  statements.all("PRAGMA wal_checkpoint(TRUNCATE)");
}

function markOf(statements: Statements): Mark {
  const named = new Set<string>();
  for (const { body } of statements.each<{ body: string }>("SELECT body FROM event")) gather(body, named);
  const blobs = statements.all<BlobRow>("SELECT sha256, length(bytes) AS size FROM blob");
  const unnamed = blobs.filter(({ sha256 }) => !named.has(sha256));
  return {
    seqs: new Map(lengths(statements).map(({ rid, seq }) => [rid, seq])),
    unnamed: new Map(unnamed.map(({ sha256, size }) => [sha256, size])),
  };
}

function removeUnnamed(statements: Statements, { seqs, unnamed }: Mark): Freed {
  const named = new Set<string>();
  for (const { rid, seq } of lengths(statements)) {
    const looked = seqs.get(rid) ?? 0;
    if (looked === seq) continue;
    // A log that is shorter now was removed and taken in anew.
    gatherLog(statements, { rid, after: looked < seq ? looked : 0 }, named);
  }
  const gone = new Map([...unnamed].filter(([sha256]) => !named.has(sha256)));
  for (const sha256 of gone.keys()) statements.run("DELETE FROM blob WHERE sha256 = ?", sha256);
  return freedBy(gone);
}

function gatherLog(
  statements: Statements,
  log: { readonly rid: string; readonly after: number },
  into: Set<string>,
): void {
  for (const { body } of statements.all<{ body: string }>(WRITTEN_SINCE, log.after, log.rid)) gather(body, into);
}

const WRITTEN_SINCE = `SELECT body FROM run JOIN event ON id BETWEEN ${EVENT_IDS} AND seq > ? WHERE rid = ?`;

function gather(body: string, into: Set<string>): void {
  for (const [, sha256 = ""] of body.matchAll(BLOB_REF)) into.add(sha256);
}

function lengths(statements: Statements): readonly { readonly rid: string; readonly seq: number }[] {
  return statements.all(`SELECT rid, ${LAST_SEQ} AS seq FROM run`);
}

function freedBy(blobs: ReadonlyMap<string, number>): Freed {
  return { blobs: blobs.size, sizeBytes: [...blobs.values()].reduce((sum, size) => sum + size, 0) };
}

interface BlobRow {
  readonly sha256: string;
  readonly size: number;
}
