import { existsSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import type { FileOutcome, Workspace } from "../core/ports.ts";
import { OUTPUT_FOLDER } from "../core/tool-output.ts";
import { makeDirectory, writeAtomically } from "./atomic.ts";
import { refuse, show } from "./paths.ts";

type Files = Pick<
  Workspace,
  "whereIs" | "readFile" | "writeFile" | "removeFile" | "moveFile" | "list" | "glob" | "grep"
>;

/** Where whole outputs are: under which root they are asked for, which folder has them, and its files. */
export interface OutputPlace {
  readonly root: string;
  /** Absolute; outside of the worktree, so that no snapshot and no patch ever has them. */
  readonly folder: string;
  readonly files: Files;
}

/** The files of a worktree, and below a name of their own the outputs that were too long to be shown: to be read alone. */
export function withOutputs(
  files: Files,
  { root, folder, files: outputs }: OutputPlace,
): Files & Pick<Workspace, "keepOutput"> {
  const inside = (path: string) => outputName(root, path);
  const isOurs = (path: string) => inside(path) !== null;
  return {
    whereIs: async (path) => {
      const name = inside(path);
      return name === null ? files.whereIs(path) : { ok: true, value: below(name) };
    },
    readFile: (path) => read(path, inside(path), files.readFile, outputs.readFile),
    writeFile: (path, bytes) => (isOurs(path) ? reserved(path) : files.writeFile(path, bytes)),
    removeFile: (path) => (isOurs(path) ? reserved(path) : files.removeFile(path)),
    moveFile: (from, to) =>
      isOurs(from) || isOurs(to) ? reserved(isOurs(from) ? from : to) : files.moveFile(from, to),
    list: async (path) => mapped(await read(path, inside(path), files.list, outputs.list), inside(path), withPath),
    glob: async (pattern, path) => {
      const name = inside(path);
      return name === null ? files.glob(pattern, path) : mapped(await outputs.glob(pattern, name), name, below);
    },
    grep: async (query) => {
      const name = inside(query.path);
      return name === null ? files.grep(query) : mapped(await outputs.grep({ ...query, path: name }), name, withPath);
    },
    async keepOutput(path, bytes) {
      const target = join(folder, inside(path) ?? "");
      if (existsSync(target)) return;
      makeDirectory(folder, 0o700);
      writeAtomically(target, bytes);
    },
  };
}

/** The path below the folder of outputs, `.` for the folder itself; null: a path of the worktree. */
function outputName(root: string, path: string): string | null {
  if (isAbsolute(path) && !path.startsWith(`${root}/`)) return null;
  const relative = isAbsolute(path) ? path.slice(root.length) : path;
  const [first, ...rest] = relative.split("/").filter((segment) => segment !== "" && segment !== ".");
  return first === OUTPUT_FOLDER ? rest.join("/") || "." : null;
}

function read<T>(
  path: string,
  name: string | null,
  fromFiles: (path: string) => Promise<FileOutcome<T>>,
  fromOutputs: (path: string) => Promise<FileOutcome<T>>,
): Promise<FileOutcome<T>> {
  return name === null ? fromFiles(path) : fromOutputs(name);
}

/** What was found among the outputs, by the path under which it was asked for. */
function mapped<T>(
  outcome: FileOutcome<readonly T[]>,
  name: string | null,
  renamed: (found: T) => T,
): FileOutcome<readonly T[]> {
  return outcome.ok && name !== null ? { ok: true, value: outcome.value.map(renamed) } : outcome;
}

function withPath<T extends { readonly path: string }>(found: T): T {
  return { ...found, path: below(found.path) };
}

function below(path: string): string {
  return `${OUTPUT_FOLDER}/${path}`;
}

async function reserved(path: string): Promise<FileOutcome<void>> {
  return refuse(`${show(path)} is kept by ccp, to be read alone; write elsewhere`);
}
