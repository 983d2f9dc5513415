import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LLMock } from "@copilotkit/aimock";
import type { StoredEvent } from "../../src/core/event.ts";
import type { RunSummary, Store } from "../../src/core/store.ts";
import { SqliteStore } from "../../src/store/sqlite-store.ts";
import { bareEnvironment } from "./cli.ts";
import { type DoorOptions, type Doors, openDoors } from "./doors.ts";
import { git } from "./git.ts";
import { tempDir } from "./temp.ts";
import { LANE_KEYS } from "./wire-run.ts";

/** A copy of a repository with a home, a state folder and a door to the models of its own. */
export interface KillWorld {
  readonly root: string;
  readonly env: Readonly<Record<string, string>>;
  readonly doors: Doors;
  /** Reads the journal in a copy of it, so that what a crash left is not touched before the resume. */
  journal(): Journal;
  /** Gone before the test is: fifty of them are many. */
  remove(): Promise<void>;
}

export interface Journal {
  readonly run: RunSummary | null;
  readonly events: readonly StoredEvent[];
}

export async function openKillWorld(template: string, mock: LLMock, options: DoorOptions = {}): Promise<KillWorld> {
  const folder = tempDir("ccp-kill");
  const [root, home] = [join(folder, "repo"), join(folder, "home")];
  cpSync(template, root, { recursive: true });
  mkdirSync(home);
  const doors = await openDoors(mock.url, ["anthropic"], options);
  const keys = { ANTHROPIC_API_KEY: LANE_KEYS.anthropic ?? "", ANTHROPIC_BASE_URL: doors.url("anthropic") };
  return {
    root,
    env: { ...bareEnvironment(home), ...keys },
    doors,
    journal: () => readCopy(join(root, ".git", "ccp"), join(folder, "copy")),
    async remove() {
      await doors.close();
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

function readCopy(stateDir: string, copy: string): Journal {
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(copy, { recursive: true });
  for (const name of readdirSync(stateDir).filter((entry) => entry.startsWith("ccp.db"))) {
    writeFileSync(join(copy, name), readFileSync(join(stateDir, name)));
  }
  const store = new SqliteStore(copy);
  try {
    const run = store.runs()[0] ?? null;
    return { run, events: run === null ? [] : store.events(run.rid) };
  } finally {
    store.close();
  }
}

/** What a run leaves behind, whatever happened on the way. */
export function leavings(root: string, rid: string): Readonly<Record<string, string>> {
  const read = (name: string) => readFileSync(join(root, "results", rid, name), "utf8");
  const record = JSON.parse(read("run.json")) as { readonly status: string; readonly tree: string };
  return {
    status: record.status,
    tree: record.tree,
    committed: git(root, "rev-parse", `ccp/${rid}^{tree}`).trim(),
    plan: read("PLAN.md"),
    patch: read("Diff.patch"),
    review: read("REVIEW.md"),
    latest: ["PLAN.md", "Diff.patch", "REVIEW.md"].map((name) => read(`../${name}`)).join(""),
    usersTree: git(root, "status", "--porcelain"),
  };
}

/** What should be gone once a run is over: each a line that says what is still there. */
export function leftOver(world: KillWorld, rid: string, store: Store): readonly string[] {
  const { root } = world;
  const worktrees = git(root, "worktree", "list", "--porcelain").split("\n\n").filter(Boolean);
  const broken = worktrees.filter((text) => text.includes("prunable"));
  const admin = join(root, ".git", "ccp");
  const files = readdirSync(root, { recursive: true, encoding: "utf8" });
  return [
    ...processesOf(rid).map((id) => `process ${id}`),
    ...(worktrees.length === 2 ? [] : [`${worktrees.length} worktrees`]),
    ...broken.map((text) => `broken worktree: ${text}`),
    ...(store.isOwned(rid) ? ["the run's lock"] : []),
    ...files
      .filter((file) => /\.lock$/.test(file) && !file.startsWith(".git/ccp/locks/"))
      .map((file) => `lock ${file}`),
    ...files.filter((file) => /\.tmp$/.test(file)).map((file) => `temporary file ${file}`),
    ...readdirSync(join(admin, "spool")).map((file) => `spooled answer ${file}`),
  ];
}

/** Processes that carry the run's mark in their environment. */
export function processesOf(rid: string): readonly string[] {
  return readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      return readFileSync(`/proc/${name}/environ`, "latin1").split("\0").includes(`CCP_RUN=${rid}`);
    } catch {
      return false;
    }
  });
}
