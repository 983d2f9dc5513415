import { deflateRawSync, inflateRawSync } from "node:zlib";

/** A payload as it lies in the journal. `packed`: 1: deflated; 0: as it is. */
export interface Packed {
  readonly bytes: Uint8Array;
  readonly packed: 0 | 1;
}

/**
 * A quarter of a page of the database. To set a deflate up takes some 30 µs, a fifth of a flushed commit, however short the
 * payload is; longer ones fill pages badly, for what is left of a page may not hold another.
 */
const WORTH_BYTES = 1_024;

/** Prompts, answers and outputs are text: at the quickest level they are less than half as long. */
export function pack(bytes: Uint8Array): Packed {
  if (bytes.length < WORTH_BYTES) return { bytes, packed: 0 };
  const deflated = deflateRawSync(bytes, { level: 1 });
  return deflated.length < bytes.length ? { bytes: deflated, packed: 1 } : { bytes, packed: 0 };
}

/** What was packed; null: the bytes have been damaged since. */
export function unpack({ bytes, packed }: Packed): Uint8Array | null {
  if (packed === 0) return bytes;
  try {
    return inflateRawSync(bytes);
  } catch {
    return null;
  }
}
