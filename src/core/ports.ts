import type { Headroom, Reservation, Scope, Spend } from "./budget.ts";
import type { Reminder, Utterance } from "./conversation.ts";
import type { Base, BlobRef, CommandEnd, Delta, Event, EventOf, StoredEvent, TreeHash } from "./event.ts";
import type { FailureClass } from "./failure.ts";
import type { Json, JsonSchema } from "./json.ts";
import type { ModelEvent, ModelFacts, ModelRef, ModelRequest, ToolCall, ToolSpec } from "./model.ts";
import type { PermissionRule, ToolEffect } from "./permission.ts";
import type { RoleName } from "./pipeline.ts";
import type { Run } from "./run.ts";
import type { CallEnd } from "./settlement.ts";

/** Time, chance and names: the only way in which they enter a decision is as a value. */
export interface Chance {
  /** Milliseconds since 1970. */
  now(): number;
  /** Resolves after `ms`, or at once when the signal aborts. Never rejects. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** From 0 (inclusive) to 1. */
  random(): number;
  /** A new rid: `r-` and six letters or digits. */
  rid(): string;
}

// ── store ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** What became of the events that were to be kept. */
export type AppendResult =
  | { readonly type: "appended"; readonly events: readonly StoredEvent[] }
  /** A reservation did not fit this scope: nothing at all was written. */
  | { readonly type: "over-budget"; readonly scope: Scope };

/** A line of `ccp runs`: kept beside the log so that a list need not fold every run. */
export interface RunSummary {
  readonly rid: string;
  readonly title: string;
  readonly pipelineName: string;
  readonly status: Run["status"];
  /** For a run that is `running`: false means that its owner died and that it can be resumed. */
  readonly owned: boolean;
  readonly createdAt: number;
  readonly lastAt: number;
  readonly settledNanos: number;
  readonly heldNanos: number;
}

/**
 * Where runs are remembered. Synchronous, as SQLite is: once `append` returns, its events are on disk, all or none,
 * and so is what they did to the ledger.
 * Contract: every write names the epoch it was claimed under; a write of an older epoch throws `CcpError("fenced")`.
 */
export interface Store {
  /** Begins a run with its first events, owned by this process, at epoch 1. Throws `owned` if the rid is taken. */
  create(rid: string, events: readonly Event[], at: number): readonly StoredEvent[];
  /** Takes the run for this process until `release` or death; returns the new epoch. Throws `CcpError("owned")`, exit 7. */
  claim(rid: string): number;
  release(rid: string): void;
  /** True while a living process, this one included, holds the run. */
  isOwned(rid: string): boolean;
  append(rid: string, epoch: number, events: readonly Event[], at: number): AppendResult;
  /** In order; empty for an unknown run. */
  events(rid: string, afterSeq?: number): readonly StoredEvent[];
  /** Newest first. */
  runs(): readonly RunSummary[];
  /** What the ledger says of a scope: must equal the fold's figure. */
  ledger(rid: string, scope: Scope): Spend;
  /** Kept once; on disk no later than the first event that is appended after it. */
  putBlob(bytes: Uint8Array): BlobRef;
  /** Throws a `CcpError("blob_missing")` when it is not there or its bytes do not match. */
  blob(ref: BlobRef): Uint8Array;
  close(): void;
}

/** The raw bytes of an answer while it streams in, beside the journal: a finished answer survives a crash before its commit. */
export interface Spool {
  /** Appends to the call's file at once, without a flush: a killed process loses nothing of it. */
  write(callId: string, bytes: Uint8Array): void;
  /** Null: nothing was kept. */
  read(callId: string): Uint8Array | null;
  remove(callId: string): void;
}

// ── models ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** Contract of `send`: one attempt; never throws for what a provider does; ends with exactly one `answered` or `failed`. */
export interface Models {
  /** What is known of a model; throws `CcpError("unknown_provider" | "missing_key" | …)` when it cannot be asked at all. */
  facts(ref: ModelRef): ModelFacts;
  send(
    request: ModelRequest,
    call: { readonly callId: string; readonly signal: AbortSignal },
  ): AsyncIterable<ModelEvent>;
  /** The end of a call whose answer had fully arrived when ccp died; null when it had not. No request is made. */
  recover(ref: ModelRef, callId: string): Promise<Extract<ModelEvent, { type: "answered" }> | null>;
  /** An upper bound of the request's input tokens: quick, and about twice the truth. */
  inputBound(request: Omit<ModelRequest, "maxTokens">): number;
  /** The tightest bound that can be had, at some cost: for a call that would otherwise be cut short or not be made. */
  tightInputBound(request: Omit<ModelRequest, "maxTokens">): Promise<number>;
}

// ── tools ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** What one role may do with tools. */
export interface ToolGrant {
  readonly tools: readonly string[];
  readonly permissions: readonly PermissionRule[];
  /** The shape of the role's finish value. */
  readonly finish: JsonSchema;
}

/** What is known of a tool call before anything of it is carried out. */
export type ToolCheck =
  /** `arguments` are valid against the tool's schema. */
  | {
      readonly type: "ready";
      readonly tool: string;
      readonly arguments: Json;
      readonly subject: string;
      readonly effect: ToolEffect;
    }
  /** Text for the model: what was expected, where, what came. */
  | { readonly type: "malformed"; readonly text: string }
  | { readonly type: "denied"; readonly subject: string; readonly text: string };

/** What came of a tool call. */
export interface ToolResult {
  readonly status: "ok" | "error";
  /** For the model. */
  readonly text: string;
  /** One line for people. */
  readonly summary: string;
  /** The finish value, from `finish` only. */
  readonly finish: Json | null;
}

/** What a model may call, and how it is carried out. */
export interface Tools {
  specs(grant: ToolGrant): readonly ToolSpec[];
  /** Parses the arguments, checks them against the schema, then asks the permission gate. Touches nothing. */
  check(call: ToolCall, grant: ToolGrant): ToolCheck;
  /** Carries out a checked call. What goes wrong in it is an `error` result, not an exception. */
  run(ready: Extract<ToolCheck, { type: "ready" }>, workspace: Workspace, signal: AbortSignal): Promise<ToolResult>;
}

// ── workspace ────────────────────────────────────────────────────────────────────────────────────────────────────

/** A command to be run in a worktree. */
export interface CommandRequest {
  /** Text for `bash -c`. */
  readonly command: string;
  /** Added to the allow-listed environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number | null;
  readonly signal: AbortSignal;
}

/** How a command ended and what it wrote, before secrets are redacted in it. */
export interface CommandResult extends Omit<CommandEnd, "output"> {
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
}

/** One line of a directory. */
export interface FileEntry {
  /** From the worktree's root, `/` between segments. */
  readonly path: string;
  readonly kind: "file" | "directory" | "symlink" | "other";
  readonly sizeBytes: number;
}

/** One line that matched; `line` counts from 1. */
export interface GrepMatch {
  readonly path: string;
  readonly line: number;
  readonly text: string;
}

/** What lies between two trees: the files (of a renamed one both names) and the lines in all of them; binary ones count none. */
export interface DiffStat {
  readonly files: readonly string[];
  readonly added: number;
  readonly removed: number;
}

/** What file operations answer when they cannot: `reason` is safe to show to the model. */
export type FileOutcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

/** Files and commands of one worktree. Contract: no path leaves the worktree (symlinks followed), and none enters `.git`. */
export interface Workspace {
  readonly path: string;
  /** A directory is an error. */
  readFile(path: string): Promise<FileOutcome<Uint8Array>>;
  /** Atomic; creates directories; keeps the mode of a file that is there. */
  writeFile(path: string, bytes: Uint8Array): Promise<FileOutcome<void>>;
  list(path: string): Promise<FileOutcome<readonly FileEntry[]>>;
  /** Tracked and untracked files that are not ignored, sorted. */
  glob(pattern: string, path: string): Promise<FileOutcome<readonly string[]>>;
  grep(query: {
    readonly pattern: string;
    readonly path: string;
    readonly glob: string | null;
    readonly ignoreCase: boolean;
    readonly maxMatches: number;
  }): Promise<FileOutcome<readonly GrepMatch[]>>;
  /** Runs in the worktree's root, in a process group of its own; nothing of it survives the call. */
  run(request: CommandRequest): Promise<CommandResult>;
  /** Hash of the tree of all tracked and unignored files, now. Objects go to a private directory, flushed. */
  snapshot(): Promise<TreeHash>;
  /** Makes the files equal to a tree that `snapshot` returned. Ignored files stay. */
  restore(tree: TreeHash): Promise<void>;
  /** `git diff --binary` between two trees. */
  diff(from: TreeHash, to: TreeHash): Promise<Uint8Array>;
  diffStat(from: TreeHash, to: TreeHash): Promise<DiffStat>;
  /** One commit of `tree` on the run's branch, whatever the branch was; its objects go to the user's repository. */
  commit(tree: TreeHash, parent: string, message: string): Promise<string>;
  /** Ends processes of this run that outlived their owner; returns how many there were. */
  killSurvivors(): Promise<number>;
}

/** The worktree to be made: whose it is and where it starts. */
export interface WorkspaceSpec {
  readonly rid: string;
  readonly base: Base;
}

/** The user's repository. Nothing in the user's tree or index is ever cleaned, reset or deleted. */
export interface Repository {
  /** Absolute path of the working tree's root. */
  readonly root: string;
  /** Absolute path of git's common directory. */
  readonly commonDir: string;
  /** Paths of uncommitted work, untracked files counted, ccp's own results not. */
  dirtyFiles(): Promise<readonly string[]>;
  /** Throws `CcpError("unknown_revision" | "no_commit")`. */
  resolveBase(revision: string): Promise<Base>;
  /** A snapshot of the user's tracked and unignored files, index untouched. Its objects are in the user's repository. */
  dirtyBase(): Promise<Base>;
  /** Creates the worktree and its branch, or finds what a crash left of them. */
  createWorkspace(
    spec: WorkspaceSpec,
  ): Promise<{ readonly path: string; readonly branch: string; readonly notices: readonly string[] }>;
  /** True for the root of a working tree of this repository, and for one that is no longer there: it was moved. */
  isOurs(root: string): boolean;
  /** False: somebody has removed the worktree. `createWorkspace` makes it again. */
  hasWorkspace(path: string): boolean;
  /** Brings untracked dependencies into the worktree; a path that is there already is left. Returns what was copied. */
  copyDependencies(path: string, globs: readonly string[]): Promise<readonly string[]>;
  openWorkspace(rid: string, path: string): Workspace;
  /** Removes worktree, branch and private objects. What is gone already is not missed. */
  removeWorkspace(rid: string, path: string): Promise<void>;
  /** Applies a patch to the user's tree, whole or not at all. */
  applyPatch(patch: Uint8Array): Promise<ApplyOutcome>;
  /** What the project looks like: how it is tested, what a worktree of it needs. */
  project(): Promise<ProjectFacts>;
}

/** `reason`: what does not fit, in git's words. */
export type ApplyOutcome = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** What the files of a project tell about it. */
export interface ProjectFacts {
  /** Null: none was found. */
  readonly testCommand: string | null;
  /** The file that it was read from. */
  readonly testCommandSource: string | null;
  /** Globs of untracked paths that a new worktree needs. */
  readonly copy: readonly string[];
  /** A command that would install what is missing; only ever proposed. */
  readonly setup: string | null;
}

/** `results/<rid>/` and the latest artifacts, in the user's tree, excluded from git one by one. */
export interface Results {
  /** Absolute path of the folder that holds the runs' folders. */
  readonly dir: string;
  /** Absolute path of the run's folder. */
  pathOf(rid: string): string;
  /** Atomic. `name` may have one folder in it. */
  write(rid: string, name: string, bytes: Uint8Array): void;
  read(rid: string, name: string): Uint8Array | null;
  /**
   * The copy beside the run's folder, or (null) its removal, unless git tracks a file there; returns false then.
   */
  publish(name: string, bytes: Uint8Array | null): boolean;
  /**
   * `.tar.gz` of the run's folder: the same files give the same bytes. `target` null: beside the run's folder. Returns
   * where it was written.
   */
  bundle(rid: string, target: string | null): Promise<string>;
}

// ── agent ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** What an agent is asked to do. It knows nothing of pipelines. */
export interface Assignment {
  readonly stepId: string;
  readonly role: RoleName;
  readonly conversation: number;
  readonly system: string;
  /** The route, resolved; the first that answers wins. Never empty. */
  readonly candidates: readonly ModelFacts[];
  readonly grant: ToolGrant;
  readonly maxTurns: number;
  /** Ceiling of one answer, in tokens; a model's own may be lower. */
  readonly maxOutputTokens: number;
  /** Sentences for nudges and the like, by name. */
  readonly messages: Readonly<Record<string, string>>;
}

/** How an agent left its step. */
export type AgentOutcome =
  | { readonly type: "finished"; readonly value: Json }
  | { readonly type: "failed"; readonly class: FailureClass; readonly reason: string }
  /** At a boundary, conversation open: it can go on. */
  | { readonly type: "stopped"; readonly why: StopWhy; readonly reason: string };

/** Why a drive ends before its run does. */
export type StopWhy = "paused" | "aborted" | "budget" | "time" | "unavailable" | "credentials" | "unpriced";

/** A model call that an agent wants made. */
export interface CallIntent {
  readonly model: ModelFacts;
  readonly request: Omit<ModelRequest, "maxTokens">;
  readonly inputTokensBound: number;
  readonly wantedOutputTokens: number;
}

/** What the budget says to a call that is wanted. */
export type IntendResult =
  /** On record and held: now it may be sent. */
  | {
      readonly type: "held";
      readonly callId: string;
      readonly maxTokens: number;
      readonly reservation: Extract<Reservation, { type: "fits" }>;
    }
  | { readonly type: "refused"; readonly why: "budget" | "unpriced"; readonly reason: string };

/** All that an agent may do, each word on record before the next. Only the engine appends. */
export interface StepPort {
  readonly models: Models;
  readonly tools: Tools;
  readonly workspace: Workspace;
  readonly chance: Chance;
  /** Aborted: stop at once. */
  readonly signal: AbortSignal;
  /** Non-null: stop at the next boundary, for this reason. */
  stopRequested(): StopWhy | null;
  /** The conversation so far, in order. */
  utterances(): readonly Utterance[];
  /** A call of this step that was sent and has no outcome on record. */
  openCall(): EventOf<"call.reserved"> | null;
  headroom(): Headroom;
  /** Reserves the worst case in the transaction that records the intent. */
  intend(intent: CallIntent): Promise<IntendResult>;
  settle(callId: string, end: CallEnd, model: ModelFacts): void;
  lose(callId: string, reason: string): void;
  say(why: Reminder, text: string): void;
  /** Records the call and its end, bracketing what changes files with snapshots. */
  useTool(call: ToolCall, check: ToolCheck): Promise<void>;
  tell(delta: Delta): void;
}

/** One role doing one step. Never throws for what a model or a tool does. */
export interface Agent {
  run(assignment: Assignment, port: StepPort): Promise<AgentOutcome>;
}

// ── ui ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Hears of facts that are stored. It never calls back. */
export interface Screen {
  event(event: StoredEvent, run: Run): void;
  delta(delta: Delta): void;
  /** A word to the person at the terminal that is no fact of the run. */
  notice(text: string): void;
  /** Leaves the terminal as it was found; nothing that was shown is cleared. */
  close(): void;
}
