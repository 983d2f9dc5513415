import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readPlainFile } from "./plain-file.ts";

/**
 * Policies that were in force, as they were signed: the highest version of each key and name, and the last of each
 * place. Its files prove nothing by themselves: whoever reads one verifies it again.
 */
export interface PolicyMemory {
  /** Null: none. */
  highest(keyId: string, name: string): string | null;
  /** Null: none. `place`: a name for it that is a file name. */
  lastOf(place: string): string | null;
  /** Throws where it cannot be written. */
  keep(
    pack: { readonly text: string; readonly keyId: string; readonly name: string; readonly version: number },
    place: string,
  ): void;
}

/** `folder`: made when something is kept. */
export function openPolicyMemory(folder: string): PolicyMemory {
  const folderOf = (keyId: string, name: string) =>
    join(folder, "versions", `${keyId.replace("ed25519:", "")}-${name}`);
  const last = (place: string) => join(folder, "last", `${place}.json`);
  return {
    highest(keyId, name) {
      const versions = versionsIn(folderOf(keyId, name));
      return textOf(join(folderOf(keyId, name), versions.at(-1) ?? ""));
    },
    lastOf: (place) => textOf(last(place)),
    keep({ text, keyId, name, version }, place) {
      const versions = folderOf(keyId, name);
      const file = `${String(version).padStart(10, "0")}.json`;
      const known = versionsIn(versions);
      // A file for each version: two processes that keep two of them cannot lose the higher one.
      if (!known.includes(file)) write(versions, file, text);
      for (const older of known.filter((one) => one < file)) rmSync(join(versions, older), { force: true });
      if (textOf(last(place)) !== text) write(join(folder, "last"), `${place}.json`, text);
    },
  };
}

function versionsIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => /^\d{10}\.json$/.test(name))
      .sort();
  } catch {
    return [];
  }
}

function textOf(path: string): string | null {
  const read = readPlainFile(path);
  return read.type === "read" ? read.text : null;
}

function write(folder: string, name: string, text: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const draft = join(folder, `.${process.pid}-${name}`);
  writeFileSync(draft, text, { mode: 0o600, flush: true });
  renameSync(draft, join(folder, name));
}
