import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ProjectFacts } from "../core/ports.ts";

/** What one ecosystem says of a project; null: it is not of that kind. */
export type Facts = ProjectFacts | null;

/** The top of a project, read when asked for. */
export interface Top {
  readonly names: ReadonlySet<string>;
  has(path: string): boolean;
  /** Text of a file; empty when there is none. */
  read(path: string): Promise<string>;
  /** Names in a directory; empty when there is none. */
  list(path: string): Promise<readonly string[]>;
}

/** Only the names are read at once. */
export async function readTop(root: string): Promise<Top> {
  return {
    names: new Set(await readdir(root)),
    has: (path) => existsSync(join(root, path)),
    read: (path) => readFile(join(root, path), "utf8").catch(() => ""),
    list: (path) => readdir(join(root, path)).catch(() => []),
  };
}
