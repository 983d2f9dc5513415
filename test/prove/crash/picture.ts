import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { Scope, Spend } from "../../../src/core/budget.ts";
import { canonicalEvents } from "../../../src/core/canonical.ts";
import type { StoredEvent } from "../../../src/core/event.ts";
import { SqliteStore } from "../../../src/store/sqlite-store.ts";
import { git } from "./ground.ts";
import { leftOver } from "./left-over.ts";
import { isOfTheProof, type World } from "./world.ts";

/** All that a run leaves behind, as it is to be compared with that of another. */
export interface Picture {
  readonly rid: string;
  readonly events: readonly StoredEvent[];
  readonly canonical: readonly string[];
  /** What is the same for every run: trees, documents, the worktree's files, the names of all files. */
  readonly left: Readonly<Record<string, string>>;
  readonly record: RunJson;
  /** By scope. */
  readonly ledger: Readonly<Record<string, Spend>>;
  /** Lines that say what should not be there, whatever the run did. */
  readonly leftOver: readonly string[];
}

/** What is read of run.json. */
export interface RunJson {
  readonly status: string;
  readonly cost_nanos: number;
  readonly tokens: number;
  readonly steps: readonly { readonly lost_calls: number }[];
}

/** Looks at a world whose last process has ended. */
export async function lookAt(world: World): Promise<Picture> {
  const { root, folder } = world;
  // First of all: whoever looks at a database or an index may leave files of his own.
  const files = filesIn(folder).filter((name) => !isOfTheProof(name));
  const store = new SqliteStore(join(root, ".git", "ccp"));
  try {
    const runs = store.runs();
    const rid = runs[0]?.rid ?? "";
    const events = store.events(rid);
    const owned = store.isOwned(rid) ? ["the run's lock"] : [];
    return {
      rid,
      events,
      canonical: canonicalEvents(events).map((event) => JSON.stringify(event)),
      left: leavings(world, rid, files),
      record: JSON.parse(read(join(root, "results", rid, "run.json"))) as RunJson,
      ledger: Object.fromEntries(scopesOf(events).map((scope) => [scope, store.ledger(rid, scope)])),
      leftOver: [...(runs.length === 1 ? [] : [`${runs.length} runs`]), ...owned, ...(await leftOver(world, files))],
    };
  } finally {
    store.close();
  }
}

function scopesOf(events: readonly StoredEvent[]): readonly Scope[] {
  const scopes = events.flatMap((event): readonly Scope[] =>
    event.type === "call.reserved" ? ["run", `role:${event.role}`, `step:${event.stepId}`] : [],
  );
  return [...new Set(scopes)];
}

/**
 * Not compared: git's objects (a crash may leave one that nothing names) and whether it packs its refs, the files that
 * locks are held on, the patches that a resume keeps of what it has undone, and what SQLite leaves beside the lanes' health
 * where a killed process was not quite gone yet.
 */
const OF_A_CRASH = /\/objects\/|\/packed-refs$|\/ccp\/locks\/|\/undone-\d+\.patch$|\/health\.db-(wal|shm)$/;
/** These are held against the journal instead. */
const OF_THE_JOURNAL = /\/(run\.json|events\.ndjson)$/;

function leavings({ root, home }: World, rid: string, files: readonly string[]): Readonly<Record<string, string>> {
  const [worktree, results] = [join(home, ".local", "state", "ccp", "worktrees", rid), join(root, "results")];
  const named = (text: string) => text.replaceAll(rid, "RID");
  const contents = (label: string, folder: string, names: readonly string[]) =>
    Object.fromEntries(names.map((name) => [named(`${label}/${name}`), named(read(join(folder, name)))]));
  return {
    committed: git(root, "rev-parse", `ccp/${rid}^{tree}`),
    "status of the user's tree": git(root, "status", "--porcelain"),
    "status of the worktree": git(worktree, "status", "--porcelain"),
    worktrees: named(worktreesOf(root).replaceAll(home, "HOME").replaceAll(root, "ROOT")),
    exclude: named(read(join(root, ".git", "info", "exclude"))),
    ...contents(
      "results",
      results,
      filesIn(results).filter((name) => !OF_A_CRASH.test(name) && !OF_THE_JOURNAL.test(name)),
    ),
    ...contents(
      "worktree",
      worktree,
      filesIn(worktree).filter((name) => name !== ".git"),
    ),
    files: files
      .filter((name) => !OF_A_CRASH.test(name))
      .map(named)
      .join("\n"),
  };
}

/** A commit's id depends on when it was made. */
function worktreesOf(root: string): string {
  return git(root, "worktree", "list", "--porcelain").replaceAll(/^HEAD .*\n/gm, "");
}

/** Paths of all files below a folder, sorted. */
function filesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

function read(path: string): string {
  return readFileSync(path, "latin1");
}
