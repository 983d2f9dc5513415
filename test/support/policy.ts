import { createPrivateKey } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Json } from "../../src/core/json.ts";
import { newPolicyKeys, signedPack } from "../../src/guards/policy-keys.ts";

/** A policy of nobody in particular that holds for the whole of our time; `more` on top. */
export function policy(more: Readonly<Record<string, Json>> = {}): { readonly [key: string]: Json } {
  return { name: "acme", version: 1, not_before: "2020-01-01T00:00:00Z", expires: "2120-01-01T00:00:00Z", ...more };
}

/** Somebody who signs policies. */
export interface Signer {
  readonly id: string;
  /** The public half, as PEM. */
  readonly shared: string;
  readonly secret: string;
  /** The text of a signed policy. */
  sign(policy: Json): string;
  /** Puts the public half among the trusted keys of a folder like `/etc/ccp`. */
  trustIn(folder: string): void;
}

export function signer(): Signer {
  const { id, shared, secret } = newPolicyKeys();
  return {
    id,
    shared,
    secret,
    sign: (signed) => signedPack(signed, createPrivateKey(secret)),
    trustIn: (folder) => put(join(folder, "policy-keys", `${id.slice(-8)}.pub`), shared),
  };
}

/** Writes a file and the folders above it. */
export function put(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
