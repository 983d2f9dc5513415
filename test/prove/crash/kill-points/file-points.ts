import fs, { type PathLike } from "node:fs";
import { around, aroundAsync, asOne, hit } from "./hit.ts";

type Call = (...given: unknown[]) => unknown;

/** The effects on files, by the name of Node's function; which of its arguments is the path that changes. */
const EFFECTS = {
  rename: 1,
  rm: 0,
  unlink: 0,
  rmdir: 0,
  mkdir: 0,
  mkdtemp: 0,
  writeFile: 0,
  appendFile: 0,
  copyFile: 1,
  symlink: 1,
} as const;

/** Every file that is created, written, renamed or removed, named by what it belongs to. */
export async function installFilePoints(): Promise<void> {
  for (const [name, at] of Object.entries(EFFECTS)) {
    replace(fs, `${name}Sync`, (original) => (...given) => {
      const place = placeOf(name, given[at]);
      return place === null ? original(...given) : around(place, () => original(...given));
    });
    replace(fs.promises, name, (original) => (...given) => {
      const place = placeOf(name, given[at]);
      const work = () => original(...given) as Promise<unknown>;
      return place === null ? work() : aroundAsync(place, work);
    });
  }
  installDescriptors();
  await installHandles();
}

/** Files that are opened and written by their descriptor. */
function installDescriptors(): void {
  const open = new Map<unknown, string>();
  replace(fs, "openSync", (original) => (path, flags, ...rest) => {
    const file = original(path, flags, ...rest);
    const area = areaOf(path);
    if (area === null || !isForWriting(flags)) return file;
    open.set(file, area);
    hit(`${area}.open.after`);
    return file;
  });
  replace(fs, "writeSync", (original) => (file, ...rest) => {
    const area = open.get(file);
    return area === undefined ? original(file, ...rest) : around(`${area}.write`, () => original(file, ...rest));
  });
  replace(fs, "closeSync", (original) => (file) => {
    open.delete(file);
    return original(file);
  });
}

/** `FileHandle` is not exported: one is opened to get at what all have in common. */
async function installHandles(): Promise<void> {
  const handle = await fs.promises.open("/dev/null", "r");
  const prototype = Object.getPrototypeOf(handle) as object;
  await handle.close();
  const open = new WeakMap<object, string>();
  replace(fs.promises, "open", (original) => async (path, flags, ...rest) => {
    const opened = (await original(path, flags, ...rest)) as object;
    const area = areaOf(path);
    if (area === null || !isForWriting(flags)) return opened;
    open.set(opened, area);
    hit(`${area}.open.after`);
    return opened;
  });
  for (const name of ["writeFile", "write"]) {
    replace(
      prototype,
      name,
      (original) =>
        function (this: object, ...given: unknown[]) {
          const area = open.get(this);
          const work = () => original.apply(this, given) as Promise<unknown>;
          return area === undefined ? work() : aroundAsync(`${area}.write`, work);
        },
    );
  }
}

function replace(on: object, name: string, by: (original: Call) => Call): void {
  const functions = on as Record<string, Call | undefined>;
  const original = functions[name];
  if (original) functions[name] = by(original);
}

/** Null: no effect of ccp's, or one without an effect (a file is removed that is not there). */
function placeOf(name: string, path: unknown): string | null {
  const area = areaOf(path);
  if (area === null) return null;
  const isThere = asOne(() => fs.existsSync(path as PathLike));
  if (["rm", "unlink", "rmdir"].includes(name)) return isThere ? `${area}.remove` : null;
  if (name === "mkdir" && isThere) return null;
  return `${area}.${name === "writeFile" || name === "appendFile" ? "write" : name}`;
}

/** What a path belongs to; the first that fits. Null: a descriptor, a device. */
const AREAS: readonly (readonly [RegExp, string | null])[] = [
  [/^\d+$|^\/dev\//, null],
  [/\/ccp\/spool(\/|$)/, "spool"],
  [/\/ccp\/locks(\/|$)/, "lock"],
  [/\/(exclude\.lock|info\/exclude)$/, "exclude"],
  [/\.git\/ccp\/runs(\/|$)/, "run-folder"],
  [/\.git\/ccp$/, "state-folder"],
  [/\.git\/worktrees\//, "registration"],
  [/^\/proc\/(self|\d+)\/fd\//, "file"],
  [/\/ccp\/worktrees(\/|$)/, "worktree"],
  [/\/ccp-output-/, "output"],
  [/\/results\/r-[^/]+\/\.?(run\.json|events\.ndjson|steps)/, "record"],
  [/\/results\/r-/, "artifact"],
  [/\/results(\/|$)/, "latest"],
];

function areaOf(path: unknown): string | null {
  const text = String(path);
  const found = AREAS.find(([pattern]) => pattern.test(text));
  return found === undefined ? "other" : found[1];
}

function isForWriting(flags: unknown): boolean {
  return typeof flags === "string" && /[wa+]/.test(flags);
}
