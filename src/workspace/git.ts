import { execFileSync } from "node:child_process";
import { delimiter, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { SimpleGitOptions } from "simple-git";
import { isExecutable } from "./executable.ts";
import { gitFailure, gitIsMissing, isInTheWay, isMissingBinary } from "./git-errors.ts";

/** Variables of a user's environment that git may see: where things are and who the user is. Nothing that moves git elsewhere. */
const PASSED_ON = [
  "PATH",
  "HOME",
  "USER",
  "LOGNAME",
  "TMPDIR",
  "XDG_CONFIG_HOME",
  "SystemRoot",
  "USERPROFILE",
  "EMAIL",
  "GIT_CONFIG_GLOBAL",
  "GIT_CONFIG_SYSTEM",
  "GIT_CONFIG_NOSYSTEM",
  "GIT_AUTHOR_NAME",
  "GIT_AUTHOR_EMAIL",
  "GIT_COMMITTER_NAME",
  "GIT_COMMITTER_EMAIL",
] as const;

/** For every call: no hook, no daemon, no housekeeping in the user's repository, nothing that waits for a person. */
const CONFIG = [
  "core.hooksPath=/dev/null",
  "core.fsmonitor=false",
  "core.safecrlf=false",
  "core.fsync=objects,derived-metadata,reference",
  "core.fsyncMethod=fsync",
  // Git's own are 100 ms and 1 s, in which a machine that is busy with other runs may not get to it.
  "core.filesRefLockTimeout=10000",
  "core.packedRefsTimeout=10000",
  "gc.auto=0",
  "maintenance.auto=false",
  "submodule.recurse=false",
  "worktree.useRelativePaths=false",
  "i18n.commitEncoding=UTF-8",
  "i18n.logOutputEncoding=UTF-8",
  "advice.addEmbeddedRepo=false",
  "advice.detachedHead=false",
];

/** Pointers of git-lfs stay pointers where the program is not installed. Its filter is `required`, so git would fail otherwise. */
const WITHOUT_LFS = ["filter.lfs.process=", "filter.lfs.smudge=", "filter.lfs.clean=", "filter.lfs.required=false"];

/** No call of ours takes longer on a healthy machine: checking out or hashing tens of gigabytes. */
const LONGEST_CALL_MS = 15 * 60_000;

/** How often a call is made that a signal ended: a person may press Ctrl-C more than once. */
const MOST_TRIES = 5;

/** Git holds its locks for moments: who has one for longer is not about to let go of it. */
const LOCK_PATIENCE_MS = 10_000;
const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 250;

/** One call of git. */
export interface GitRequest {
  /** Must exist. */
  readonly cwd: string;
  readonly args: readonly string[];
  /** For this call only: `GIT_DIR`, `GIT_INDEX_FILE` and the like. */
  readonly env?: Readonly<Record<string, string>>;
  /** For this call only, `key=value`. */
  readonly config?: readonly string[];
  /** Standard input; never empty, for an empty one would stay open. */
  readonly input?: Uint8Array | string;
  /** Exit codes that are answers and not failures, besides 0. */
  readonly answers?: readonly number[];
}

/** What a call of git came to. */
export interface GitResult {
  readonly exitCode: number;
  /** As git wrote it, byte for byte. */
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Calls git in a clean environment of its own. Throws a `CcpError` for every exit code that is not among the answers. */
export interface Git {
  run(request: GitRequest): Promise<GitResult>;
  /** Standard output as text, its last line feed taken off. */
  text(request: GitRequest): Promise<string>;
  /** The parts of an output that `-z` ended with NUL. */
  list(request: GitRequest): Promise<readonly string[]>;
  /** Where git looks for the user's own ignore rules when the configuration names no file; null: nowhere. */
  readonly defaultIgnoreFile: string | null;
  /** Whether git tracks a path; true as well when git cannot be asked. Synchronous, for the one port that is. */
  tracks(cwd: string, path: string): boolean;
}

/** `environment` is all that git can see of the user's environment; what is not on the list above is dropped. */
export function createGit(environment: Readonly<Record<string, string | undefined>>): Git {
  const env = gitEnvironment(environment);
  const config = hasProgram("git-lfs", environment.PATH ?? "") ? CONFIG : [...CONFIG, ...WITHOUT_LFS];
  const run = (request: GitRequest) => callAgain(request, env, config);
  const text = async (request: GitRequest) => (await run(request)).stdout.toString().replace(/\n$/, "");
  return {
    run,
    text,
    list: async (request) => (await run(request)).stdout.toString().split("\0").slice(0, -1),
    defaultIgnoreFile: ignoreFile(environment),
    tracks: (cwd, path) => isTracked(cwd, path, env, config),
  };
}

/**
 * A Ctrl-C reaches every process of the terminal, git's too. What becomes of the run is not decided by that: git takes
 * its locks away when it is ended, and the call is made again. So it is when this one meets another git, of another run
 * or the user's: it gives up before it has changed anything.
 */
async function callAgain(request: GitRequest, ...settings: Settings): Promise<GitResult> {
  const giveUpAt = performance.now() + LOCK_PATIENCE_MS;
  let pauseMs = FIRST_PAUSE_MS;
  for (let tries = 1; ; ) {
    const { exitCode, stdout, stderr } = await call(request, ...settings);
    if (exitCode === null) {
      if (tries++ === MOST_TRIES) throw new Error(`git ${request.args[0]} was ended by a signal`);
    } else if (exitCode > 0 && isInTheWay(stderr) && performance.now() < giveUpAt) {
      await wait(pauseMs);
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    } else {
      if (exitCode !== 0 && !request.answers?.includes(exitCode)) throw gitFailure(request.args, stderr);
      return { exitCode, stdout, stderr };
    }
  }
}

type Settings = readonly [env: Readonly<Record<string, string>>, config: readonly string[]];

/** `exitCode` null: git did not come to an end of its own. */
async function call(
  request: GitRequest,
  ...[base, config]: Settings
): Promise<Omit<GitResult, "exitCode"> & { readonly exitCode: number | null }> {
  const { simpleGit } = await import("simple-git");
  const env = { ...base, ...request.env };
  const outcome = { exitCode: 0 as number | null, stdout: [] as Buffer[], stderr: [] as Buffer[] };
  const options = optionsFor(request, env, config, (exitCode) => {
    outcome.exitCode = exitCode;
  });
  const git = simpleGit(options).env(env);
  git.outputHandler((_command, stdout, stderr) => {
    stdout.on("data", (chunk: Buffer) => outcome.stdout.push(chunk));
    stderr.on("data", (chunk: Buffer) => outcome.stderr.push(chunk));
    // simple-git waits 50 ms longer for the output of a command that has written nothing; an empty chunk ends that.
    queueMicrotask(() => stdout.emit("data", Buffer.alloc(0)));
  });
  await git.raw([...request.args]);
  const { exitCode } = outcome;
  if (exitCode !== null && isMissingBinary(exitCode)) throw gitIsMissing();
  return { exitCode, stdout: Buffer.concat(outcome.stdout), stderr: Buffer.concat(outcome.stderr).toString() };
}

function optionsFor(
  request: GitRequest,
  env: Readonly<Record<string, string>>,
  config: readonly string[],
  exited: (exitCode: number | null) => void,
): Partial<SimpleGitOptions> {
  const { input } = request;
  return {
    baseDir: request.cwd,
    config: [...config, ...(request.config ?? [])],
    allowEnvironment: Object.keys(env).filter((name) => name.startsWith("GIT_")),
    // Each of these is set by us above, to switch the thing off or to follow the user's own setting.
    unsafe: {
      allowUnsafeHooksPath: true,
      allowUnsafeFsMonitor: true,
      allowUnsafeFilter: true,
      allowUnsafeConfigPaths: true,
    },
    completion: { onClose: true, onExit: false },
    timeout: { block: LONGEST_CALL_MS, stdOut: false, stdErr: false },
    ...(input === undefined ? {} : { input: () => Buffer.from(input as string) }),
    // An exit code is judged by the caller. What has none and no error of simple-git's was ended by a signal from outside.
    errors: (error, { exitCode }) => {
      if (typeof exitCode !== "number" && error) return error;
      exited(exitCode ?? null);
      return undefined;
    },
  };
}

function gitEnvironment(environment: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  const passedOn = PASSED_ON.map((name) => [name, environment[name]] as const).filter(
    (entry): entry is readonly [(typeof PASSED_ON)[number], string] => entry[1] !== undefined,
  );
  return {
    ...Object.fromEntries(passedOn),
    LC_ALL: "C",
    GIT_TERMINAL_PROMPT: "0",
    GIT_OPTIONAL_LOCKS: "0",
    GIT_LFS_SKIP_SMUDGE: "1",
  };
}

function ignoreFile({ XDG_CONFIG_HOME, HOME }: Readonly<Record<string, string | undefined>>): string | null {
  if (XDG_CONFIG_HOME) return join(XDG_CONFIG_HOME, "git", "ignore");
  return HOME ? join(HOME, ".config", "git", "ignore") : null;
}

function isTracked(
  cwd: string,
  path: string,
  env: Readonly<Record<string, string>>,
  config: readonly string[],
): boolean {
  const settings = config.flatMap((setting) => ["-c", setting]);
  const args = [...settings, "--literal-pathspecs", "ls-files", "-z", "--", path];
  try {
    return execFileSync("git", args, { cwd, env, stdio: ["ignore", "pipe", "ignore"] }).length > 0;
  } catch (error) {
    // Outside any repository nothing is tracked. Where git cannot be asked, nothing may be taken for untracked.
    return !(error instanceof Error && "status" in error && error.status === 128);
  }
}

/** True when a program of this name is on the search path. */
function hasProgram(name: string, searchPath: string): boolean {
  return searchPath.split(delimiter).some((directory) => isExecutable(join(directory, name)));
}
