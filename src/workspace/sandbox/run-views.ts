import { realpathSync } from "node:fs";
import { userInfo } from "node:os";
import { basename, dirname, isAbsolute, join } from "node:path";
import type { Confinement } from "../../core/confinement.ts";
import { ccpFolder, isWorktreeOf } from "../layout.ts";
import { homeViews, isDirectory, isFileOrDirectory } from "./home-views.ts";
import { inOrder, isHidden, isWithin, type View } from "./views.ts";

/** Whose processes are to be held, and what belongs to them. */
export interface RunPlaces {
  readonly rid: string;
  readonly worktree: string;
  readonly userRoot: string;
  readonly commonDir: string;
  /** A directory for what is written to `/tmp`. */
  readonly temporary: string;
  /** A copy of the repository's configuration without credentials. */
  readonly gitConfig: string;
  /** What commands get of the user's environment; see `childEnvironment`. */
  readonly env: Readonly<Record<string, string>>;
  /** Where the user keeps the journal, when not in git's directory. */
  readonly stateDir: string | null;
}

/** Sockets of other programs, which act with the user's or the system's rights, and keys of the machine. */
const SYSTEM_DIRECTORIES = "/run /var/run /nix/var/nix/daemon-socket /etc/ssh /etc/ssl/private /var/tmp /mnt/wslg";
const SYSTEM_FILES = "/etc/shadow /etc/shadow- /etc/gshadow /etc/gshadow- /etc/sudoers /etc/krb5.keytab";

/** How a process of a run sees the disk. Looks at the disk, and changes nothing. */
export function runViews(places: RunPlaces, writes: Confinement["writes"]): readonly View[] {
  const { worktree, userRoot, commonDir, rid } = places;
  const homes = homesOf(places.env);
  const hidden: readonly View[] = [
    ...SYSTEM_DIRECTORIES.split(" ").filter(isRealDirectory).map(empty),
    ...SYSTEM_FILES.split(" ")
      .filter(isFileOrDirectory)
      .map((path): View => ({ path, kind: "blank" })),
    empty("/tmp"),
    ...homes.flatMap(homeViews),
    ...(homes.some((home) => isWithin(home, userRoot)) ? [] : [empty(userRoot)]),
    ...(isWorktreeOf(rid, worktree) ? [empty(dirname(dirname(worktree)))] : []),
    ...(places.stateDir !== null && isDirectory(places.stateDir) ? [empty(places.stateDir)] : []),
  ];
  const config = join(commonDir, "config");
  const own: readonly View[] = [
    ...namesOfHosts(),
    { path: commonDir, kind: "shown" },
    ...(isFileOrDirectory(config)
      ? [{ path: config, kind: "replaced", by: places.gitConfig, writable: false } as const]
      : []),
    ...[ccpFolder(commonDir)].filter(isDirectory).map(empty),
    { path: worktree, kind: writes === "worktree" ? "writable" : "shown" },
    ...(writes === "worktree" ? [{ path: join(worktree, ".git"), kind: "shown" } as const] : []),
  ];
  const views = [...hidden, ...toolchains(places, homes, hidden), ...own];
  return inOrder(views.map((view) => (view.path === "/tmp" ? temporaryView(views, places.temporary) : view)));
}

/** Files that a command is given by the names of variables: results of steps, keys that its step names. */
export function givenFiles(given: Readonly<Record<string, string>>, views: readonly View[]): readonly View[] {
  const files = Object.entries(given)
    .filter(([name, path]) => !name.startsWith("CCP_INPUT_") && isAbsolute(path))
    .filter(([, path]) => isHidden(path, views) && isFileOrDirectory(path) && !isDirectory(path));
  return files.map(([, path]) => ({ path, kind: "shown" }));
}

/** Where systemd keeps it below `/run`: without it an open network knows no names. */
function namesOfHosts(): readonly View[] {
  const path = "/etc/resolv.conf";
  return isFileOrDirectory(path) ? [{ path: realpathSync(path), kind: "shown" }] : [];
}

/** The home that programs are told, and the one that the system knows. */
function homesOf(env: Readonly<Record<string, string>>): readonly string[] {
  const homes = [env.HOME ?? "", systemHome()].filter((path) => isAbsolute(path) && isDirectory(path));
  return [...new Set(homes.map((path) => realpathSync(path)))].filter((path) => path !== "/");
}

function systemHome(): string {
  try {
    return userInfo().homedir;
  } catch {
    return "";
  }
}

/** Toolchains that the search path and the environment name, where nothing else would show them. */
function toolchains({ env, worktree }: RunPlaces, homes: readonly string[], hidden: readonly View[]): readonly View[] {
  const programs = (env.PATH ?? "").split(":").map((entry) => toolchainOf(entry, homes));
  const named = Object.entries(env).flatMap(([name, value]) => (NAMES_NO_TOOLCHAIN.test(name) ? [] : [value]));
  const away = [...programs, ...named].filter((path) => isAbsolute(path) && !isWithin(path, worktree));
  const paths = away.filter((path) => isHidden(path, hidden));
  return [...new Set(paths)].filter(isFileOrDirectory).map((path) => ({ path, kind: "shown" }));
}

const NAMES_NO_TOOLCHAIN = /^(PATH|HOME|XDG_\w+|TMPDIR|TEMP|TMP|SHELL)$/;

/** A program needs what is beside the folder that it is in: `~/.nvm/versions/node/v24/bin`, `node_modules/.bin`. */
function toolchainOf(entry: string, homes: readonly string[]): string {
  const parent = dirname(entry);
  const isBin = /^\.?(bin|sbin|shims)$/.test(basename(entry));
  const isTooMuch = ["/", "/tmp", ...homes, ...homes.map((home) => join(home, ".local"))].includes(parent);
  return isBin && !isTooMuch ? parent : entry;
}

/**
 * What a run leaves in `/tmp` stays for its next command, but where something else lies below it: a directory that a
 * command could swap for a symlink is no place to mount anything in.
 */
function temporaryView(views: readonly View[], temporary: string): View {
  const isPlain = !views.some(({ path }) => path !== "/tmp" && isWithin(path, "/tmp"));
  return isPlain ? { path: "/tmp", kind: "replaced", by: temporary, writable: true } : empty("/tmp");
}

function empty(path: string): View {
  return { path, kind: "empty" };
}

/** A symlink shows what it leads to, which has a view of its own. */
function isRealDirectory(path: string): boolean {
  return isDirectory(path) && realpathSync(path) === path;
}
