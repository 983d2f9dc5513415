import { systemChance } from "../../src/cli/system-chance.ts";
import { NO_POLICY } from "../../src/core/policy.ts";
import type { Repository, Results, Workspace } from "../../src/core/ports.ts";
import { NO_JOBS } from "../../src/core/step-jobs.ts";
import type { UserLedger } from "../../src/core/store.ts";
import type { Control } from "../../src/engine/deps.ts";
import type { EngineParts, Listener } from "../../src/engine/engine.ts";
import { liveExecutor } from "../../src/engine/executor.ts";
import { NO_HEALTH } from "../../src/engine/replay-world.ts";
import { openSpool } from "../../src/store/spool.ts";
import { SqliteStore } from "../../src/store/sqlite-store.ts";

/** Git's tree without a file. */
export const EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
const NOTHING = new Uint8Array();

/**
 * Parts of an engine of which the store is real and whose workspace does nothing: no git, no process, no file but the
 * journal's. `tree`: what the workspace says that it holds.
 */
export function idleParts(stateDir: string, tree = EMPTY_TREE): EngineParts & { readonly store: SqliteStore } {
  const tools = { specs: never, check: never, checkPlaces: never, run: never };
  return {
    store: new SqliteStore(stateDir),
    userLedger: NO_CEILINGS,
    health: NO_HEALTH,
    peers: { self: { pid: process.pid, host: "bench", startedAt: null }, signal: never, hasEnded: never },
    servers: { open: never },
    executor: liveExecutor(tools, []),
    spool: openSpool(stateDir),
    repository: idleRepository(stateDir, tree),
    results: noResults(stateDir),
    models: { facts: never, standing: never, send: never, recover: never, inputBound: never, tightInputBound: never },
    tools,
    agent: { run: never, ask: never },
    chance: systemChance,
    secrets: [],
    variables: {},
    policies: async () => ({ now: () => NO_POLICY }),
    sandbox: () => "none",
  };
}

/** Steers nothing. */
export function unhurried(publish: Listener["publish"] = () => undefined): Listener {
  const control: Control = {
    signal: new AbortController().signal,
    pauseRequested: () => false,
    exitCode: () => 130,
  };
  return { publish, tell: () => undefined, control };
}

function idleRepository(root: string, tree: string): Repository {
  const workspace = idleWorkspace(root, tree);
  return {
    root,
    commonDir: root,
    dirtyFiles: never,
    resolveBase: never,
    fileAt: never,
    dirtyBase: never,
    createWorkspace: async () => ({ path: root, branch: "ccp/bench", notices: [] }),
    isOurs: () => true,
    hasWorkspace: () => true,
    copyDependencies: async () => [],
    openWorkspace: () => workspace,
    removeWorkspace: never,
    retireWorkspace: never,
    remains: never,
    hasCommit: never,
    applyPatch: never,
    project: never,
  };
}

function idleWorkspace(path: string, tree: string): Workspace {
  return {
    path,
    whereIs: never,
    readFile: never,
    writeFile: never,
    removeFile: never,
    moveFile: never,
    list: never,
    glob: never,
    grep: never,
    keepOutput: never,
    open: never,
    run: async () => ({ exitCode: 0, endedBy: null, durationMs: 0, stdout: NOTHING, stderr: NOTHING }),
    openJobs: () => NO_JOBS,
    forgetIndex: async () => undefined,
    snapshot: async () => tree,
    restore: async () => undefined,
    restoreHollows: async () => undefined,
    flush: async () => undefined,
    diff: async () => NOTHING,
    diffStat: async () => ({ files: [], added: 0, removed: 0 }),
    commit: async () => "0".repeat(40),
    killSurvivors: async () => 0,
    adopt: async () => undefined,
    pack: never,
    unpack: never,
  };
}

const NO_CEILINGS: UserLedger = {
  ceilings: {},
  hold: () => ({ type: "held" }),
  settle: () => undefined,
  release: () => undefined,
  open: () => [],
  spend: never,
  calibration: never,
  keepCalibration: () => undefined,
  close: () => undefined,
};

function noResults(dir: string): Results {
  return {
    dir,
    pathOf: () => dir,
    write: () => undefined,
    read: () => null,
    publish: () => true,
    bundle: never,
  };
}

function never(): never {
  throw new Error("a part that the bench leaves out was asked for something");
}
