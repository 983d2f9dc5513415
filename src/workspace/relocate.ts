import { existsSync } from "node:fs";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";

/** No script, path file or finder is larger; what is, is a program. */
const LARGEST_TEXT_BYTES = 1024 * 1024;
/** The kernel reads no more of a `#!` line (Linux cuts at 256 bytes, older ones and macOS sooner). */
const LONGEST_SHEBANG = 127;

/**
 * Makes copied dependencies speak of the worktree where they spoke of the user's tree: in a Python virtual environment
 * its scripts, its configuration and the files by which editable installs are found; in `node_modules` the programs.
 * Without that, tests in the worktree would import and judge the user's sources.
 */
export async function relocate(path: string, fromRoot: string, toRoot: string): Promise<void> {
  for (const file of await filesThatNamePlaces(path)) await rewrite(file, fromRoot, toRoot);
}

async function filesThatNamePlaces(path: string): Promise<readonly string[]> {
  if (basename(path) === "node_modules") return listFiles(join(path, ".bin"));
  const environments = existsSync(join(path, "pyvenv.cfg")) ? [path] : await nestedEnvironments(path);
  return (await Promise.all(environments.map(environmentFiles))).flat();
}

/** Environments one level down: `.tox/py312`, `.venvs/dev`. */
async function nestedEnvironments(path: string): Promise<readonly string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  const directories = entries.filter((entry) => entry.isDirectory()).map((entry) => join(path, entry.name));
  return directories.filter((directory) => existsSync(join(directory, "pyvenv.cfg")));
}

async function environmentFiles(environment: string): Promise<readonly string[]> {
  const lib = join(environment, "lib");
  const versions = (await readdir(lib).catch(() => [])).filter((name) => /^(python|pypy)/.test(name));
  const packages = await Promise.all(versions.map((version) => listFiles(join(lib, version, "site-packages"))));
  const finders = packages.flat().filter((file) => /(\.pth|\.egg-link|\/__editable__[^/]*\.py)$/.test(file));
  return [join(environment, "pyvenv.cfg"), ...(await listFiles(join(environment, "bin"))), ...finders];
}

/** Regular files of a directory, links left out. */
async function listFiles(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map((entry) => join(directory, entry.name));
}

async function rewrite(file: string, fromRoot: string, toRoot: string): Promise<void> {
  if ((await stat(file)).size > LARGEST_TEXT_BYTES) return;
  const bytes = await readFile(file);
  if (bytes.includes(0)) return;
  // As Latin-1, so that bytes of whatever encoding come through unchanged.
  const text = bytes.toString("latin1");
  const from = Buffer.from(fromRoot).toString("latin1");
  const to = Buffer.from(toRoot).toString("latin1");
  const changed = text.replace(new RegExp(`${literal(from)}(?=[/\\\\"'\`\\s:;,)\\]}]|$)`, "g"), () => to);
  if (changed !== text) await writeFile(file, Buffer.from(withSafeShebang(changed), "latin1"));
}

/** An interpreter whose path has a space in it or is too long is started by way of the shell, as pip does it. */
function withSafeShebang(text: string): string {
  const [line = "", interpreter = ""] = /^#!(\/.*\/(?:python|pypy)[\d.]*)\n/.exec(text) ?? [];
  if (line === "" || (line.length <= LONGEST_SHEBANG && !interpreter.includes(" "))) return text;
  return `#!/bin/sh\n'''exec' "${interpreter}" "$0" "$@"\n' '''\n${text.slice(line.length)}`;
}

function literal(text: string): string {
  return text.replace(/[.*+?^$()|[\]\\{}]/g, "\\$&");
}
