import { createHash } from "node:crypto";
import { lstatSync } from "node:fs";
import type { Diagnostic } from "../core/diagnostic.ts";
import { codeOf } from "../core/errors.ts";
import { canonicalJson, type Json } from "../core/json.ts";
import type { Policy, PolicyInForce, PolicyPlace } from "../core/policy.ts";
import {
  choosePolicy,
  type FoundPolicy,
  nextPolicyInstant,
  type PolicyAt,
  type PolicyChoice,
  policyInForce,
  type VerifiedPolicy,
} from "../core/policy-choice.ts";
import type { Policies } from "../core/ports.ts";
import { type PlainFile, readPlainFile } from "./plain-file.ts";
import { isSignedBy, keyFiles, type PolicyKey, readPolicyKeys } from "./policy-keys.ts";
import type { PolicyMemory } from "./policy-memory.ts";

/** One place in which a policy may be. */
export interface PolicySource {
  readonly place: PolicyPlace;
  /** As people find it. */
  readonly path: string;
  /** What is there, where it is no file that could change; missing: `path` is read. */
  readonly content?: PlainFile;
  /** Folders of the keys that may sign it. */
  readonly keyFolders: readonly string[];
  /** Its name in the memory. */
  readonly memoryName: string;
}

/** A signed policy whose form is right. */
export interface ReadPack {
  readonly policy: Policy;
  readonly signed: Json;
  readonly keyId: string;
  readonly signature: string;
}

/** What the policies of a machine, a user and a project are made of. */
export interface PoliciesOptions {
  readonly sources: readonly PolicySource[];
  /** Checks the form of a pack: JSON, schema. Never throws. */
  readonly readPack: (
    text: string,
    path: string,
  ) =>
    | { readonly ok: true; readonly pack: ReadPack }
    | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };
  readonly memory: PolicyMemory;
  /** Where providers are asked: those at other hosts than a policy names are refused. */
  readonly providers: readonly { readonly id: string; readonly baseUrl: string }[];
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Policies as they were when somebody last looked. */
interface Reading {
  readonly stamp: string;
  /** From this instant on it has to be decided again; null: never. */
  readonly until: number | null;
  readonly inForce: PolicyInForce;
}

/** The policies that are in force, looked at again whenever somebody asks: a few `lstat` where nothing has changed. */
export function openPolicies(options: PoliciesOptions): Policies {
  let last: Reading | null = null;
  return {
    now() {
      const stamp = stampOf(options.sources);
      const now = options.now();
      if (last === null || last.stamp !== stamp || (last.until !== null && now >= last.until))
        last = { stamp, ...decide(options, now) };
      return last.inForce;
    },
  };
}

function decide(options: PoliciesOptions, now: number): Omit<Reading, "stamp"> {
  const places = options.sources.map((source) => {
    const file = source.content ?? readPlainFile(source.path);
    const at = placeOf(source, file, options);
    const choice = choosePolicy(at, now);
    // The text that was verified, not what may be there by now.
    if (choice?.standing === "valid" && file.type === "read") keep(choice, file.text, source.memoryName, options);
    return { at, choice };
  });
  const choices = places.flatMap(({ choice }) => choice ?? []);
  const instants = nextPolicyInstant(
    places.map(({ at }) => at),
    now,
  );
  return { inForce: policyInForce(choices, options.providers), until: instants };
}

function placeOf(
  { place, path, keyFolders, memoryName }: PolicySource,
  file: PlainFile,
  options: PoliciesOptions,
): PolicyAt {
  if (file.type === "missing") return { place, path, found: { type: "missing" }, highest: null, good: null };
  const keys = keyFolders.flatMap((folder) => readPolicyKeys(folder).keys);
  const recalled = (text: string | null): VerifiedPolicy | null => {
    const again = text === null ? null : verified({ type: "read", text }, path, keys, options);
    return again?.type === "verified" ? again : null;
  };
  const highestOf = ({ keyId, policy }: VerifiedPolicy) => recalled(options.memory.highest(keyId, policy.name));
  const found = verified(file, path, keys, options);
  const last = recalled(options.memory.lastOf(memoryName));
  const highest = found.type === "verified" ? highestOf(found) : null;
  return { place, path, found, highest, good: last && (highestOf(last) ?? last) };
}

/** Verifies the text of a policy against keys. */
export function verified(
  file: Exclude<PlainFile, { type: "missing" }>,
  path: string,
  keys: readonly PolicyKey[],
  { readPack }: Pick<PoliciesOptions, "readPack">,
): Exclude<FoundPolicy, { type: "missing" }> {
  if (file.type === "refused") return { type: "unusable", problem: file.reason };
  const read = readPack(file.text, path);
  if (!read.ok) return { type: "unusable", problem: read.diagnostics.map(({ message }) => message).join("; ") };
  const { policy, signed, keyId, signature } = read.pack;
  const key = keys.find(({ id }) => id === keyId);
  if (key === undefined) return { type: "unusable", problem: `nobody here trusts the key that signed it, ${keyId}` };
  if (!isSignedBy(signed, signature, key.key))
    return { type: "unusable", problem: `its signature is not that of ${keyId}: it was changed after it was signed` };
  return { type: "verified", policy, keyId, digest: sha256(canonicalJson(signed)) };
}

/** A disk that does not take it is no reason to do without the policy: what cannot be remembered is remembered the next time. */
function keep({ chosen }: PolicyChoice, text: string, place: string, { memory }: PoliciesOptions): void {
  if (chosen === null) return;
  const { keyId, policy } = chosen;
  try {
    memory.keep({ text, keyId, name: policy.name, version: policy.version }, place);
  } catch (thrown) {
    if (codeOf(thrown) === null) throw thrown;
  }
}

/** Changes whenever a policy or a key may have. */
function stampOf(sources: readonly PolicySource[]): string {
  const paths = sources.flatMap(({ path, content }) => (content === undefined ? [path] : []));
  const folders = new Set(sources.flatMap(({ keyFolders }) => keyFolders));
  const files = [...paths, ...[...folders].flatMap(keyFiles)];
  return files.map((file) => `${file} ${stampOfFile(file)}`).join("\n");
}

function stampOfFile(path: string): string {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = lstatSync(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(".");
  } catch (thrown) {
    return codeOf(thrown) ?? "-";
  }
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
