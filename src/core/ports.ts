import type { Reservation } from "./budget.ts";
import type { Confinement } from "./confinement.ts";
import type { ContextSettings } from "./context-plan.ts";
import type { Shortening } from "./context-view.ts";
import type { Reminder, Utterance } from "./conversation.ts";
import type { Base, CommandEnd, Delta, StoredEvent, TreeHash } from "./event.ts";
import type { FailedAttempt, FailureClass, RetryDecision } from "./failure.ts";
import type { Json, JsonSchema } from "./json.ts";
import type { LaneStanding } from "./lane.ts";
import type { Admission } from "./lane-health.ts";
import type {
  Asker,
  CallPurpose,
  ModelEvent,
  ModelFacts,
  ModelRef,
  ModelRequest,
  ToolCall,
  ToolSpec,
} from "./model.ts";
import type { PermissionRule, ToolEffect } from "./permission.ts";
import type { RoleName } from "./pipeline.ts";
import type { PolicyInForce } from "./policy.ts";
import type { Run } from "./run.ts";
import type { SeenFile, SeenFiles } from "./seen.ts";
import type { CallEnd } from "./settlement.ts";
import type { Owner } from "./store.ts";
import type { McpServer, ServerNetwork, StepServers } from "./tool-servers.ts";

/** Time, chance and names: the only way in which they enter a decision is as a value. */
export interface Chance {
  /** Milliseconds since 1970. */
  now(): number;
  /** Resolves after `ms`, or at once when the signal aborts. Never rejects. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Aborts after `ms`. It keeps no process alive. */
  alarm(ms: number): AbortSignal;
  /** From 0 (inclusive) to 1. */
  random(): number;
  /** A new rid: `r-` and six letters or digits. */
  rid(): string;
  /** The user's calendar day at an instant, as `2026-11-20`. */
  day(at: number): string;
  /** Minutes since the user's midnight at an instant. */
  minute(at: number): number;
}

// ── store: the port itself is in `store.ts` ──────────────────────────────────────────────────────────────────────

/** The processes of this machine that run ccp. */
export interface Peers {
  /** This process. */
  readonly self: Owner;
  /** False: that process is not there any more, or not on this machine. */
  signal(owner: Owner, signal: "SIGTERM" | "SIGKILL"): boolean;
  /** True: it ran on this machine, and does not any more. False also where that cannot be told. */
  hasEnded(owner: Owner): boolean;
}

/** The raw bytes of an answer while it streams in, beside the journal: a finished answer survives a crash before its commit. */
export interface Spool {
  /** Appends to the call's file at once, without a flush: a killed process loses nothing of it. */
  write(callId: string, bytes: Uint8Array): void;
  /** Null: nothing was kept. */
  read(callId: string): Uint8Array | null;
  remove(callId: string): void;
  /** What was removed stays removed when the power is cut. */
  flush(): void;
  /** Calls of which something is kept. */
  list(): readonly string[];
}

// ── models ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** Contract of `send`: one attempt; never throws for what a provider does; ends with exactly one `answered` or `failed`. */
export interface Models {
  /** What is known of a model; throws `CcpError("unknown_provider" | "missing_key" | …)` when it cannot be asked at all. */
  facts(ref: ModelRef): ModelFacts;
  /** Whom its calls go to, for those who look after that. Null: nobody has to. */
  standing(ref: ModelRef): LaneStanding | null;
  send(
    request: ModelRequest,
    call: {
      readonly callId: string;
      readonly signal: AbortSignal;
      /** What is held for the input: an estimate of its tokens is never above. Not given: the quick bound is the most. */
      readonly inputTokensHeld?: number;
      /** Which of several credentials is used, by its variable's name; null or missing: there is only one. */
      readonly credential?: string | null;
    },
  ): AsyncIterable<ModelEvent>;
  /** What was kept of a call that was under way when ccp died. No request is made. */
  recover(ref: ModelRef, callId: string, credential?: string | null): Promise<RecoveredCall>;
  /** An upper bound of the request's input tokens: quick, and about twice the truth. */
  inputBound(request: Omit<ModelRequest, "maxTokens">): number;
  /** The tightest bound that can be had, at some cost: for a call that would otherwise be cut short or not be made. */
  tightInputBound(request: Omit<ModelRequest, "maxTokens">, credential?: string | null): Promise<number>;
}

/** `answer`: its end, if it had fully arrived; else null. `text`: what had arrived of its text. */
export interface RecoveredCall {
  readonly answer: Extract<ModelEvent, { type: "answered" }> | null;
  readonly text: string;
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
      /** The paths that a file tool is given; missing: it is given none. */
      readonly paths?: readonly string[];
    }
  /** Text for the model: what was expected, where, what came. */
  | { readonly type: "malformed"; readonly text: string }
  /** It goes on in a circle, and was never looked at. */
  | { readonly type: "repeated"; readonly text: string }
  /** `asks`: a person may let it through; without one it is denied. */
  | {
      readonly type: "denied";
      readonly subject: string;
      readonly text: string;
      readonly asks?: { readonly ready: Extract<ToolCheck, { type: "ready" }>; readonly reason: string };
    };

/** A call of an answer, and what was found out about it. */
export interface ToolUse {
  readonly call: ToolCall;
  readonly check: ToolCheck;
}

/** What came of a tool call. */
export interface ToolResult {
  readonly status: "ok" | "error";
  /** For the model. */
  readonly text: string;
  /** All of it, where `text` is only a part; missing: it is all. */
  readonly full?: string;
  /** One line for people. */
  readonly summary: string;
  /** The finish value, from `finish` only. */
  readonly finish: Json | null;
  /** Files whose content the call has shown or made; of a tool that writes, those that it has changed. */
  readonly seen?: readonly SeenFile[];
  /** The job that goes on after the call. */
  readonly job?: string;
  /** True: the files are to be as they were before it. What it has left is too much to be kept. */
  readonly undone?: true;
}

/** What a tool may know of the conversation that calls it. */
export interface ToolSession {
  readonly seen: SeenFiles;
  /** The tree that the run started from, and the last one on record. */
  readonly trees: { readonly base: TreeHash; readonly now: TreeHash };
}

/** Where a tool is carried out, and what it may know of its step. */
export interface ToolPlace {
  readonly session: ToolSession;
  readonly workspace: Workspace;
  readonly signal: AbortSignal;
  readonly servers: StepServers;
  readonly jobs: StepJobs;
}

/** What a model may call, and how it is carried out. */
export interface Tools {
  /** What a model is shown of a grant: of the tools that change files, those that suit it. */
  specs(grant: ToolGrant, model?: Pick<ModelFacts, "edits">): readonly ToolSpec[];
  /** Parses the arguments, checks them against the schema, then asks the permission gate. Touches nothing. */
  check(call: ToolCall, grant: ToolGrant): ToolCheck;
  /** The same once more for a call that is ready, whose paths lead to these places: its own, symlinks followed. */
  checkPlaces(ready: Extract<ToolCheck, { type: "ready" }>, places: readonly string[], grant: ToolGrant): ToolCheck;
  /** Carries out a checked call. What goes wrong in it is an `error` result, not an exception. */
  run(ready: Extract<ToolCheck, { type: "ready" }>, place: ToolPlace): Promise<ToolResult>;
}

// ── servers of tools ───────────────────────────────────────────────────────────────────────────────────────────────

/** Which step asks, and where processes of its servers run. */
export interface ServerPlace {
  readonly stepId: string;
  readonly conversation: number;
  readonly workspace: Workspace;
  /** The user's values of the variables that servers name. */
  readonly variables: Readonly<Record<string, string>>;
}

/** Reaches servers of tools. Nothing is started by `open`. */
export interface ToolServers {
  open(servers: readonly McpServer[], place: ServerPlace): StepServers;
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
  /** Missing: no sandbox is active. */
  readonly confinement?: Confinement;
}

/** A program that is talked to: a server of tools. */
export interface ProgramRequest {
  /** Program and arguments; no shell reads them. */
  readonly command: readonly string[];
  /** Added to the allow-listed environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly network: ServerNetwork;
  /** Missing: no sandbox is active. */
  readonly confinement?: Confinement;
}

/** A program that runs beside the tools of a step. It sees the worktree, and changes nothing in it where a sandbox holds. */
export interface PipedProgram {
  /** For its standard input. Dropped once it has ended. */
  write(text: string): void;
  /** Its standard output, as it comes, until it ends. */
  readonly output: AsyncIterable<Uint8Array>;
  /** How it ended, with the last lines of its standard error. Never rejects. */
  readonly ended: Promise<string>;
  /** Ends it with all that it has started. */
  end(): Promise<void>;
}

/** How a command ended and what it wrote, before secrets are redacted in it. */
export interface CommandResult extends Omit<CommandEnd, "output" | "stdout"> {
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
}

/** What a command that was started has come to. */
export interface JobNews {
  /** Null: it still runs. */
  readonly end: Pick<CommandEnd, "exitCode" | "endedBy" | "durationMs"> | null;
  /** What it has written since it was last asked: whole lines while it runs; of much, the first and the last part. */
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
}

/** Commands of one conversation that go on while its other tools are used. Nothing of them outlives it. */
export interface StepJobs {
  /**
   * Runs a command. One that has not ended after `patienceMs` goes on as a job, and then only `kill`, `end` and its
   * limits end it. `id` null: it has ended. Throws where there is no place for its output.
   */
  run(request: CommandRequest, patienceMs: number): Promise<{ readonly id: string | null; readonly news: JobNews }>;
  /** What is new of a job, once it has ended or `waitMs` have passed. Null: there is no such job. */
  read(id: string, how: { readonly waitMs: number; readonly signal: AbortSignal }): Promise<JobNews | null>;
  /** Ends a job with all that it has started. Null: there is no such job. */
  kill(id: string): Promise<JobNews | null>;
  /** Ids of the jobs that there are, and which of them still run. */
  list(): readonly { readonly id: string; readonly isRunning: boolean }[];
  /** True for a job of this conversation that was ended since: by `end`, or because ccp was stopped. */
  isGone(id: string): boolean;
  /** Ends them all. */
  end(): Promise<void>;
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

/** What file operations answer when they cannot: `reason` is safe to show to the model. `isMissing`: nothing is there. */
export type FileOutcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: string; readonly isMissing?: true };

/** Files and commands of one worktree. Contract: no path leaves the worktree (symlinks followed), and none enters `.git`. */
export interface Workspace {
  readonly path: string;
  /** Where a path really leads, from the worktree's root, symlinks followed; what is not there yet counts as it is named. */
  whereIs(path: string): Promise<FileOutcome<string>>;
  /** A directory is an error. */
  readFile(path: string): Promise<FileOutcome<Uint8Array>>;
  /** Atomic; creates directories; keeps the mode of a file that is there. */
  writeFile(path: string, bytes: Uint8Array): Promise<FileOutcome<void>>;
  /** Deletes a file. Directories and symlinks are refused. */
  removeFile(path: string): Promise<FileOutcome<void>>;
  /** Gives a file another name, its mode kept; creates directories. A name that is taken is refused. */
  moveFile(from: string, to: string): Promise<FileOutcome<void>>;
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
  /** Keeps what was too long to be shown, to be read under this path (`OUTPUT_FOLDER`) and never a part of the tree. */
  keepOutput(path: string, bytes: Uint8Array): Promise<void>;
  /**
   * Runs in the worktree's root, in a process group of its own; nothing of it survives the call. Throws
   * `CcpError("sandbox_failed" | "sandbox_unavailable")` where what is to hold it does not: then it has not run.
   */
  run(request: CommandRequest): Promise<CommandResult>;
  /** Jobs of a conversation, which has begun so many before. While a tree is recorded they stand still. */
  openJobs(begun: number): StepJobs;
  /** Starts a program in the worktree's root. One that cannot be started has ended at once. */
  open(request: ProgramRequest): Promise<PipedProgram>;
  /** The next snapshot reads every file again: after a power cut what was known of them may not be what is on disk. */
  forgetIndex(): Promise<void>;
  /** Hash of the tree of all tracked and unignored files, now. Objects go to a private directory, flushed. */
  snapshot(): Promise<TreeHash>;
  /** Makes the files equal to a tree that `snapshot` returned. Ignored files stay. */
  restore(tree: TreeHash): Promise<void>;
  /**
   * Makes the empty directories those that were there when `tree` was last seen: no tree knows of them. `restore` does
   * it, too; before a snapshot, so that what a crash has left of them does not come to belong to that tree.
   */
  restoreHollows(tree: TreeHash): Promise<void>;
  /** Makes durable what a snapshot sees: a power cut after it takes nothing back of the files as they are now. */
  flush(): Promise<void>;
  /** `git diff --binary` between two trees; `below`: of this file or directory alone. */
  diff(from: TreeHash, to: TreeHash, below?: string): Promise<Uint8Array>;
  diffStat(from: TreeHash, to: TreeHash): Promise<DiffStat>;
  /** One commit of `tree` on the run's branch, whatever the branch was; its objects go to the user's repository. */
  commit(tree: TreeHash, parent: string, message: string): Promise<string>;
  /** Ends processes of this run that outlived their owner; returns how many there were. */
  killSurvivors(): Promise<number>;
  /**
   * Brings the objects of a recorded tree into this run's own store, from wherever ccp has them. Throws
   * `CcpError("tree_missing")` when nobody has: the run that had it was discarded or removed.
   */
  adopt(tree: TreeHash): Promise<void>;
  /** One pack of all objects of these trees that the base commit has not: with it they can be adopted elsewhere. */
  pack(trees: readonly TreeHash[], base: string): Promise<Uint8Array>;
  /** Takes such a pack in. Throws `CcpError("damaged_export")` for what is none. */
  unpack(pack: Uint8Array): Promise<void>;
}

/** The worktree to be made: whose it is and where it starts. */
export interface WorkspaceSpec {
  readonly rid: string;
  readonly base: Base;
}

/** The policies that are in force here. */
export interface Policies {
  /** What holds at this moment: cheap enough to be asked before every call. Never throws for what is in a policy. */
  now(): PolicyInForce;
}

/** What one run has on disk: a worktree, a folder or a branch of ccp's. */
export interface Remains {
  readonly rid: string;
  readonly sizeBytes: number;
  /** When something of it was changed last, as far as that shows at its top (ms since 1970); null: it is a branch alone. */
  readonly changedAt: number | null;
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
  /** A file as a commit has it, of at most so many bytes; a symlink or a folder is none. */
  fileAt(commit: string, path: string, mostBytes: number): Promise<FileOutcome<Uint8Array>>;
  /** A snapshot of the user's tracked and unignored files, index untouched. Its objects are in the user's repository. */
  dirtyBase(): Promise<Base>;
  /** Creates the worktree and its branch, or finds what a crash left of them. Throws `CcpError("worktree_taken")`. */
  createWorkspace(
    spec: WorkspaceSpec,
  ): Promise<{ readonly path: string; readonly branch: string; readonly notices: readonly string[] }>;
  /** True for the root of a working tree of this repository, and for one that is no longer there: it was moved. */
  isOurs(root: string): boolean;
  /** False: somebody has removed the worktree, it is another repository's, or not restored yet. `createWorkspace` makes it again. */
  hasWorkspace(path: string): boolean;
  /** Brings untracked dependencies into the worktree; a path that is there already is left. Returns what was copied. */
  copyDependencies(path: string, globs: readonly string[]): Promise<readonly string[]>;
  openWorkspace(rid: string, path: string): Workspace;
  /** Removes worktree (`""`: where it would be made), branch and private objects. What is gone already is not missed. */
  removeWorkspace(rid: string, path: string): Promise<void>;
  /** Removes the worktree (`""`: where it would be made) and the private objects, and leaves the branch with the run's one commit. */
  retireWorkspace(rid: string, path: string): Promise<void>;
  /** What there is of runs here, whatever the journal says. */
  remains(): Promise<readonly Remains[]>;
  /** True when the repository has this commit. */
  hasCommit(commit: string): Promise<boolean>;
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
  /** The copy beside the run's folder, or (null) its removal, unless git tracks a file there; returns false then. */
  publish(rid: string, name: string, bytes: Uint8Array | null): boolean;
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
  /** What a request may have in it; missing: what the model's window leaves. */
  readonly context?: ContextSettings;
  /** Sentences for nudges and the like, by name. */
  readonly messages: Readonly<Record<string, string>>;
}

/** How an agent left its step. */
export type AgentOutcome =
  | { readonly type: "finished"; readonly value: Json }
  | { readonly type: "failed"; readonly class: FailureClass; readonly reason: string }
  /** At a boundary, conversation open: it can go on. */
  | { readonly type: "stopped"; readonly why: StopWhy; readonly reason: string };

/**
 * Why a drive ends before its run does. `window`: the user's ceiling for the day or the week. `lost`: a call was lost,
 * and the pipeline wants a person to be asked. `consent`: a tool call waits for a person's. `policy`: what would come next
 * is refused by a policy.
 */
export type StopWhy =
  | "paused"
  | "aborted"
  | "budget"
  | "window"
  | "time"
  | "unavailable"
  | "credentials"
  | "unpriced"
  | "lost"
  | "consent"
  | "policy";

/** A model call that an agent wants made. */
export interface CallIntent {
  readonly model: ModelFacts;
  readonly request: Omit<ModelRequest, "maxTokens">;
  readonly wantedOutputTokens: number;
  /** Which of several credentials it was admitted with; null or missing: there is only one. */
  readonly credential?: string | null;
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
  | { readonly type: "refused"; readonly why: "budget" | "window" | "unpriced" | "lost"; readonly reason: string }
  /** The quota of the model's provider does not hold it: another may be asked. */
  | { readonly type: "spent"; readonly reason: string };

/** Estimates of what is sent to a model, before and after it was made smaller, in tokens. */
export interface ContextSizes {
  readonly before: number;
  readonly after: number;
}

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
  /** Puts on record which policies hold by now, where they are others. To be asked before each attempt, before `rerouted`. */
  heedPolicies(): Promise<void>;
  /** Why the policies on record do not let a model be asked; null: they do. */
  refusalOf(model: ModelFacts): string | null;
  /** Puts an outcome on record of a call of this step that was sent before a crash, if there is one. */
  closeOpenCall(): Promise<void>;
  /**
   * None of these models may be asked now, and this drive has asked none of them in vain: true where one may be tried
   * all the same, for only we had guessed how long it rests.
   */
  lastResort(models: readonly ModelRef[]): boolean;
  /** Non-null: others are to be asked from here on than were when this was asked last. To be asked before each attempt. */
  rerouted(): Promise<readonly ModelFacts[] | null>;
  /** Whom to ask what is no turn of the conversation; null: whom the conversation asks. `maxOutputTokens`: the longest answer wanted. */
  candidatesBeside(
    request: Omit<ModelRequest, "maxTokens">,
    maxOutputTokens: number,
  ): Promise<readonly ModelFacts[] | null>;
  /**
   * Asks whether a model may be asked now, and through which of its credentials: none of `except`. Whoever is told to go
   * goes on with `intend`.
   */
  admit(wanted: CallIntent, except?: readonly string[]): Admission;
  /** Reserves the worst case in the transaction that records the intent. */
  intend(intent: CallIntent): Promise<IntendResult>;
  /** `text`: what arrived of the answer's text; kept where the call failed. */
  settle(callId: string, end: CallEnd, model: ModelFacts, text: string): void;
  lose(callId: string, reason: string, text: string): void;
  /** What to do about an attempt that gave no answer. In a replay: what was done then. */
  afterFailure(failed: FailedCall, asker: Asker): RetryDecision;
  say(why: Reminder, text: string): void;
  /** Puts on record that what the model is sent was made smaller. */
  shorten(change: Shortening, tokens: ContextSizes): void;
  /**
   * Carries the calls out side by side and records their ends in call order, bracketing what changes files with
   * snapshots. Contract: a call that may change files comes alone.
   */
  useTools(uses: readonly ToolUse[]): Promise<void>;
  tell(delta: Delta): void;
}

/** An attempt that gave no answer, as the agent knows of it: whom it asked, and who is left. */
export interface FailedCall extends Omit<FailedAttempt, "msLeft" | "random"> {
  readonly candidate: ModelFacts;
  readonly ahead: readonly ModelFacts[];
}

/** One role doing one step. Never throws for what a model or a tool does. */
export interface Agent {
  run(assignment: Assignment, port: StepPort): Promise<AgentOutcome>;
  /** Asks one question, without tools and beside any talk. Null: the answer is on record; else why there is none. */
  ask(assignment: Assignment, question: AgentQuestion, port: StepPort): Promise<AgentOutcome | null>;
}

/** A question that is a conversation of its own. */
export interface AgentQuestion {
  readonly purpose: CallPurpose;
  readonly text: string;
  readonly maxOutputTokens: number;
}

// ── ui ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Hears of facts that are stored. It never calls back. */
export interface Screen {
  event(event: StoredEvent, run: Run): void;
  delta(delta: Delta): void;
  /** A word to the person at the terminal that is no fact of the run. */
  notice(text: string): void;
  /** A person has typed a line at the terminal, which has shown it. */
  typed(): void;
  /** Leaves the terminal as it was found; nothing that was shown is cleared. */
  close(): void;
}
