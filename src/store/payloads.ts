import { hash } from "node:crypto";
import type { BlobRef } from "../core/event.ts";
import { type Packed, pack, unpack } from "./pack.ts";
import type { Statements } from "./statements.ts";

/** Payloads by the sha256 of their bytes. They wait for the transaction of an event: one flush for both. */
export class Payloads {
  readonly #statements: Statements;
  /** Not named by an event of this process yet. */
  readonly #waiting = new Map<string, Waiting>();

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  put(bytes: Uint8Array): BlobRef {
    const sha256 = hashOf(bytes);
    if (!this.#waiting.has(sha256)) this.#waiting.set(sha256, { packed: pack(bytes), kept: false });
    return { sha256, sizeBytes: bytes.length };
  }

  /**
   * Writes what is new, in a transaction of the caller's. What an event of `bodies` names is written whatever became of
   * it: as long as nothing named it, another process may have swept it out.
   */
  write(bodies: readonly string[]): void {
    for (const [sha256, { packed, kept }] of this.#waiting) {
      if (!kept || isNamed(sha256, bodies)) this.#statements.run(KEEP, sha256, packed.bytes, packed.packed);
    }
  }

  /** The transaction was committed: what its events name is safe. */
  settle(bodies: readonly string[]): void {
    for (const [sha256, { packed, kept }] of this.#waiting) {
      if (isNamed(sha256, bodies)) this.#waiting.delete(sha256);
      else if (!kept) this.#waiting.set(sha256, { packed, kept: true });
    }
  }

  /** Null: it is not there, or its bytes are not what they were. */
  read(sha256: string): Uint8Array | null {
    const packed =
      this.#waiting.get(sha256)?.packed ??
      this.#statements.get<Packed>("SELECT bytes, packed FROM blob WHERE sha256 = ?", sha256);
    const bytes = packed ? unpack(packed) : null;
    return bytes && hashOf(bytes) === sha256 ? bytes : null;
  }
}

const KEEP = "INSERT INTO blob (sha256, bytes, packed) VALUES (?, ?, ?) ON CONFLICT DO NOTHING";

/** `kept`: a transaction has written it, though no event named it. */
interface Waiting {
  readonly packed: Packed;
  readonly kept: boolean;
}

function isNamed(sha256: string, bodies: readonly string[]): boolean {
  return bodies.some((body) => body.includes(sha256));
}

function hashOf(bytes: Uint8Array): string {
  return hash("sha256", bytes, "hex");
}
