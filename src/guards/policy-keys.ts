import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { canonicalJson, type Json } from "../core/json.ts";
import { readPlainFile } from "./plain-file.ts";

/** The public half of a key whose policies count. */
export interface PolicyKey {
  readonly id: string;
  readonly path: string;
  readonly key: KeyObject;
}

/** Trusted keys, and which files beside them are none. */
export interface PolicyKeys {
  readonly keys: readonly PolicyKey[];
  readonly problems: readonly string[];
}

const MOST_KEY_BYTES = 4096;

/** The `*.pub` files of a folder; none where there is no such folder. */
export function readPolicyKeys(folder: string): PolicyKeys {
  const keys: PolicyKey[] = [];
  const problems: string[] = [];
  for (const path of keyFiles(folder)) {
    const read = readPlainFile(path, MOST_KEY_BYTES);
    const key = read.type === "read" ? publicKeyOf(read.text) : null;
    if (key !== null) keys.push({ id: keyIdOf(key), path, key });
    else
      problems.push(`${path} is no key: ${read.type === "refused" ? read.reason : "it holds no Ed25519 public key"}`);
  }
  return { keys, problems };
}

/** Paths of the key files of a folder, sorted. */
export function keyFiles(folder: string): readonly string[] {
  try {
    const names = readdirSync(folder).filter((name) => name.endsWith(".pub"));
    return names.sort().map((name) => join(folder, name));
  } catch {
    return [];
  }
}

/** `ed25519:` and 32 hex digits of the sha256 of the public key (SPKI, DER). */
export function keyIdOf(key: KeyObject): string {
  const digest = createHash("sha256").update(key.export({ type: "spki", format: "der" }));
  return `ed25519:${digest.digest("hex").slice(0, 32)}`;
}

/** Null: the text is no public key of Ed25519. A private one is refused as well: it is in the wrong place. */
export function publicKeyOf(pem: string): KeyObject | null {
  try {
    if (pem.includes("PRIVATE")) return null;
    const key = createPublicKey(pem);
    return key.asymmetricKeyType === "ed25519" ? key : null;
  } catch {
    return null;
  }
}

/** Null: the text is no private key of Ed25519 that can be read without a passphrase. */
export function privateKeyOf(pem: string): KeyObject | null {
  try {
    const key = createPrivateKey(pem);
    return key.asymmetricKeyType === "ed25519" ? key : null;
  } catch {
    return null;
  }
}

/** A new pair. `secret` is for a file that only its owner reads, and never for a terminal. */
export function newPolicyKeys(): { readonly id: string; readonly secret: string; readonly shared: string } {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return {
    id: keyIdOf(publicKey),
    secret: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    shared: publicKey.export({ type: "spki", format: "pem" }).toString(),
  };
}

/** The signed pack of a policy, as it is written to its file. */
export function signedPack(policy: Json, secret: KeyObject): string {
  const signature = sign(null, signedBytes(policy), secret).toString("base64");
  return `${canonicalJson({ policy, key_id: keyIdOf(createPublicKey(secret)), signature })}\n`;
}

/** True: this key has signed this policy. */
export function isSignedBy(policy: Json, signature: string, key: KeyObject): boolean {
  const bytes = Buffer.from(signature, "base64");
  // The last letter of base64 has bits to spare: of two spellings of one signature only ours is one.
  return bytes.toString("base64") === signature && verify(null, signedBytes(policy), key, bytes);
}

/** Its first line keeps the signature of a policy from being one of anything else. */
function signedBytes(policy: Json): Uint8Array {
  return new TextEncoder().encode(`ccp-policy-v1\n${canonicalJson(policy)}`);
}
