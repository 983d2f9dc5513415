import { existsSync, readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe } from "vitest";
import { findSandbox } from "../../src/workspace/sandbox/find-sandbox.ts";
import { tempDir } from "./temp.ts";

/** What holds processes on this machine. */
export const SANDBOX = findSandbox(process.env).driver?.name ?? "none";

/** Tests that need bubblewrap; elsewhere they are passed over, with a word. */
export function heldDescribe(name: string, body: () => void): void {
  const isThere = SANDBOX === "bubblewrap";
  describe.skipIf(!isThere)(isThere ? name : `${name} (passed over: bubblewrap does not work here)`, body);
}

/** A folder with all programs of the system but these, to be a search path of its own. */
export function programsWithout(...names: readonly string[]): string {
  const folder = tempDir("ccp-programs");
  for (const directory of ["/bin", "/usr/bin", "/usr/local/bin"]) {
    for (const name of existsSync(directory) ? readdirSync(directory) : []) {
      if (names.includes(name) || existsSync(join(folder, name))) continue;
      try {
        symlinkSync(join(directory, name), join(folder, name));
      } catch {
        // A link that leads nowhere is there already.
      }
    }
  }
  return folder;
}
