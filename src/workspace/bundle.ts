import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { CcpError, EXIT } from "../core/errors.ts";
import { flushDirectory, isTemporary, temporaryBeside } from "./atomic.ts";
import { fileFailure } from "./git-errors.ts";

/** Packs a folder as `.tar.gz`, the folder's name in front: the same files give the same bytes, whoever packs them and when. */
export async function bundleFolder(folder: string, target: string): Promise<void> {
  const files = await filesIn(folder);
  if (files.length === 0) {
    throw new CcpError("nothing_to_bundle", EXIT.usage, `there is nothing in ${folder}`, {
      hint: "`ccp runs` lists the runs and `ccp view` shows what one has left",
    });
  }
  const temporary = temporaryBeside(resolve(target));
  try {
    await mkdir(dirname(temporary), { recursive: true });
    await pack(
      dirname(folder),
      files.map((file) => `${basename(folder)}/${file}`),
      temporary,
    );
    await flushFile(temporary);
    await rename(temporary, target);
    await flushDirectory(dirname(temporary));
  } catch (error) {
    await rm(temporary, { force: true });
    throw fileFailure(error);
  }
}

/** Paths of regular files, `/` between segments, sorted by their code units. */
async function filesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile() && !isTemporary(entry.name))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split("\\").join("/"))
    .sort((a, b) => (a < b ? -1 : 1));
}

async function pack(cwd: string, files: readonly string[], file: string): Promise<void> {
  const tar = await import("tar");
  await tar.create(
    {
      cwd,
      file,
      portable: true,
      strict: true,
      noDirRecurse: true,
      mtime: new Date(0),
      gzip: { level: 9 },
      onWriteEntry: (entry) => {
        if (entry.stat) entry.stat.mode = (entry.stat.mode & ~0o777) | 0o644;
      },
    },
    [...files],
  );
}

async function flushFile(path: string): Promise<void> {
  const file = await open(path, "r+");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
