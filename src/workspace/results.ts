import { existsSync, readFileSync, realpathSync, renameSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { CcpError, EXIT, hasCode } from "../core/errors.ts";
import type { Results } from "../core/ports.ts";
import { removeFile, writeAlone } from "./atomic.ts";
import { bundleFolder } from "./bundle.ts";
import { excludeFromGit } from "./exclude.ts";
import { createGit } from "./git.ts";
import { escapePattern } from "./ignored.ts";

/** Whose results, and where they go. */
export interface ResultsSpec {
  /** The user's working tree. */
  readonly root: string;
  readonly commonDir: string;
  /** The folder for results, from the root or absolute; it may lie outside the repository. */
  readonly dir: string;
  /** The user's environment, for asking git what it tracks. Without it git is looked for in the usual places. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

const USUAL_PLACES = { PATH: "/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin" };

/** What runs leave behind. Every path is excluded from git before anything is written to it. */
export function openResults(spec: ResultsSpec): Results {
  const dir = resolve(spec.root, spec.dir);
  refuseDetour(spec, dir);
  const git = createGit(spec.environment ?? USUAL_PLACES);
  const pathOf = (rid: string) => join(dir, safeName(rid));
  return {
    dir,
    pathOf,
    write: (rid, name, bytes) => {
      exclude(spec, dir, [`${rid}/`]);
      const file = join(pathOf(rid), safeName(name));
      writeAlone(file, bytes);
    },
    read: (rid, name) => readIfThere(join(pathOf(rid), safeName(name))),
    publish: (rid, name, bytes) => {
      const file = join(dir, safeName(name));
      if (existsSync(dir) && git.tracks(dir, name)) return false;
      if (bytes === null) {
        removeFile(file);
        return true;
      }
      exclude(spec, dir, [name]);
      // By way of the run's folder, which git ignores: what a crash leaves of it is not seen, and is the next one's to sweep.
      const own = join(pathOf(rid), `latest-${safeName(name)}`);
      writeAlone(own, bytes);
      renameSync(own, file);
      return true;
    },
    bundle: async (rid, target) => {
      const name = `${safeName(rid)}.tar.gz`;
      if (target === null) exclude(spec, dir, [name]);
      await bundleFolder(pathOf(rid), target ?? join(dir, name));
      return target ?? join(dir, name);
    },
  };
}

/** A symlink that came with the repository must not decide where ccp writes; only the user may, by an absolute path. */
function refuseDetour(spec: ResultsSpec, dir: string): void {
  const isInside = (path: string, root: string) => path === root || path.startsWith(root + sep);
  if (!isInside(dir, resolve(spec.root)) || isInside(realDirectory(dir), realpathSync(spec.root))) return;
  throw new CcpError("results_elsewhere", EXIT.usage, `${dir} leads out of the repository, to ${realDirectory(dir)}`, {
    hint: "nothing was written; if that is wanted, name the place: --results-dir /absolute/path",
  });
}

/** Nothing to exclude outside the working tree: the user's git does not look there. */
function exclude(spec: ResultsSpec, dir: string, names: readonly string[]): void {
  const folder = relative(spec.root, realDirectory(dir));
  if (folder === ".." || folder.startsWith(`..${sep}`) || isAbsolute(folder)) return;
  const prefix = folder === "" ? "/" : `/${folder.split(sep).map(escapePattern).join("/")}/`;
  excludeFromGit(
    spec.commonDir,
    names.map((name) => prefix + (name.endsWith("/") ? `${escapePattern(name.slice(0, -1))}/` : escapePattern(name))),
  );
}

/** The directory with its symlinks resolved, as far as it is there yet: git excludes where files really are. */
function realDirectory(path: string): string {
  return existsSync(path) ? realpathSync(path) : join(realDirectory(dirname(path)), basename(path));
}

function readIfThere(path: string): Uint8Array | null {
  try {
    return readFileSync(path);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return null;
    throw error;
  }
}

/** A name with at most one folder in it that stays where it is put. */
function safeName(name: string): string {
  const segments = name.split("/");
  const isSafe =
    segments.length <= 2 && segments.every((part) => !/^(\.{0,2}|\.git)$/i.test(part) && !/[\0\\]/.test(part));
  if (!isSafe) throw new Error(`not a name of a result: ${JSON.stringify(name)}`);
  return name;
}
