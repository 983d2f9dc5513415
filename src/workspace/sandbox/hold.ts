import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Confinement } from "../../core/confinement.ts";
import { CcpError, EXIT } from "../../core/errors.ts";
import { runFolder } from "../layout.ts";
import type { SandboxDriver } from "./driver.ts";
import { type FoundSandbox, findSandbox } from "./find-sandbox.ts";
import { redactedConfig } from "./git-config.ts";
import { givenFiles, type RunPlaces, runViews } from "./run-views.ts";
import type { View } from "./views.ts";

/** A program as it is started, held or not. */
export interface Launch {
  readonly program: string;
  readonly args: readonly string[];
  /** In the place of the environment's own, or beside it. */
  readonly env: Readonly<Record<string, string>>;
  /** True: it writes one line to its descriptor 3 when it has begun, and closes it. Otherwise it has no such descriptor. */
  readonly announces: boolean;
}

/** What is to be started. */
export interface Unheld {
  /** Program and arguments. */
  readonly command: readonly string[];
  /** What it gets beside the environment of all. */
  readonly given: Readonly<Record<string, string>>;
  /** `shell`: what it leaves running may end by itself for a moment. `program`: takes the place of the launcher. */
  readonly kind: "shell" | "program";
  /** Missing: nothing holds it. */
  readonly confinement?: Confinement | undefined;
  /** Paths that it sees, to read, wherever they are. */
  readonly shown?: readonly string[];
}

/** Makes of what is to be started what is started. Throws `CcpError("sandbox_unavailable")`. */
export type Hold = (unheld: Unheld) => Launch;

/** Who is held, but for what is found out when it is first needed. */
export type HoldSpec = Omit<RunPlaces, "temporary" | "gitConfig"> & {
  /** The user's environment: where programs are looked for. */
  readonly environment: Readonly<Record<string, string | undefined>>;
};

/** Starts nothing and looks at nothing before the first process that is to be held. */
export function createHold(spec: HoldSpec): Hold {
  const known = new Map<Confinement["writes"], readonly View[]>();
  return ({ command, given, kind, confinement, shown = [] }) => {
    if (confinement === undefined) return unheld(command);
    const driver = driverOf(findSandbox(spec.environment));
    const views = known.get(confinement.writes) ?? runViews(prepare(spec, confinement.writes), confinement.writes);
    known.set(confinement.writes, views);
    const all = [...views, ...givenFiles(given, views), ...shown.map((path) => ({ kind: "shown", path }) as const)];
    const announced = [...launcher(kind === "shell" ? WAITING : REPLACED), ...command];
    const held = { confinement, views: all, cwd: spec.worktree, command: announced };
    return {
      program: driver.program,
      args: driver.argumentsFor(held),
      env: environmentOf(driver),
      announces: true,
    };
  };
}

/** The same where there may be nothing to hold with: what is to be held is not started then. */
export function launchOf(hold: Hold | undefined, asked: Unheld): Launch {
  if (hold !== undefined) return hold(asked);
  if (asked.confinement === undefined) return unheld(asked.command);
  throw sandboxFailed("there is none here");
}

function unheld([program = "", ...args]: readonly string[]): Launch {
  return { program, args, env: {}, announces: false };
}

/** A sandbox that did not begin is no failure of what was to run in it. `words`: what it said. */
export function sandboxFailed(words: string): CcpError {
  const reason = words.trim().split("\n", 1)[0] || "it does not say why";
  return new CcpError("sandbox_failed", EXIT.credentials, `the sandbox could not be started: ${reason}`, {
    hint: "the command was not run and counts as never begun; look: ccp doctor",
  });
}

/** What a launcher writes to its descriptor 3. */
export const BEGUN = "begun";
const ANNOUNCE = `echo ${BEGUN} >&3; exec 3>&-;`;
const REPLACED = `${ANNOUNCE} exec "$@"`;

/**
 * With its first process all others of a name space end. What a shell leaves behind gets 150 ms to end by itself: the
 * tail of a pipeline, say. Two processes are always there, the first and this one. Asked to end, this one waits for what
 * it runs to do so.
 */
const WAITING = `trap : TERM; ${ANNOUNCE} "$@"; code=$?; left=15
while [ $left -gt 0 ]; do set -- /proc/[0-9]*; [ $# -gt 2 ] || break; sleep 0.01; left=$((left - 1)); done
exit $code`;

/**
 * A descriptor that ccp was started with and knows nothing of is handed on to whatever it starts, and may be a way out:
 * a directory, say. Of all shells only bash can close those above 9.
 */
function launcher(script: string): readonly string[] {
  const bash = ["/bin/bash", "/usr/bin/bash"].find((path) => existsSync(path));
  if (bash === undefined || process.platform !== "linux") return ["/bin/sh", "-c", script, "sh"];
  const close = 'for d in /proc/self/fd/*; do d=${d##*/}; [ "$d" -le 3 ] || eval "exec $d>&-"; done';
  return [bash, "--norc", "--noprofile", "-c", `${close}\n${script}`, "sh"];
}

function driverOf(found: FoundSandbox): SandboxDriver {
  if (found.driver !== null) return found.driver;
  throw new CcpError("sandbox_unavailable", EXIT.credentials, `the sandbox is gone: ${found.detail}`, {
    hint: found.hint,
  });
}

/** Readers and writers share no `/tmp`: nothing that a reader leaves there misleads a writer. */
function prepare(spec: HoldSpec, writes: Confinement["writes"]): RunPlaces {
  const folder = runFolder(spec.commonDir, spec.rid).path;
  const temporary = join(folder, writes === "worktree" ? "tmp" : "tmp-of-readers");
  mkdirSync(temporary, { recursive: true, mode: 0o700 });
  const [config, gitConfig] = [join(spec.commonDir, "config"), join(folder, "git-config")];
  if (existsSync(config)) writeFileSync(gitConfig, redactedConfig(readFileSync(config, "utf8")));
  return { ...spec, temporary, gitConfig };
}

/** Caches that tools must be able to write go where the run keeps what is temporary; what is at home is only read. */
function environmentOf({ name }: SandboxDriver): Readonly<Record<string, string>> {
  if (name !== "bubblewrap") return {};
  const caches = Object.entries(CACHES).map(([variable, folder]) => [variable, `/tmp/.cache/${folder}`] as const);
  return { TMPDIR: "/tmp", TEMP: "/tmp", TMP: "/tmp", ...Object.fromEntries(caches) };
}

const CACHES = {
  GOCACHE: "go-build",
  PIP_CACHE_DIR: "pip",
  UV_CACHE_DIR: "uv",
  YARN_CACHE_FOLDER: "yarn",
  npm_config_cache: "npm",
  npm_config_store_dir: "pnpm",
} as const;
