import type { Budget, Scope, Window } from "./budget.ts";
import type { Sandbox } from "./confinement.ts";
import type { Saying } from "./conversation.ts";
import type { ExitCode } from "./errors.ts";
import type { EscalationAction, Means, Signal, Tactic } from "./escalation-terms.ts";
import type { FailureClass } from "./failure.ts";
import type { CallPurpose, ModelFailure, StopReason } from "./model.ts";
import type { ToolEffect } from "./permission.ts";
import type { InputValue, RoleName, SandboxMode } from "./pipeline.ts";
import type { PolicyName } from "./policy.ts";
import type { TaskKind } from "./route-rules.ts";
import type { SeenFile } from "./seen.ts";
import type { Usage } from "./usage.ts";

/** A payload, stored once under the sha256 (hex) of its bytes. */
export interface BlobRef {
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** A git tree id (hex). */
export type TreeHash = string;

/** How a command ended. */
export interface CommandEnd {
  /** Null when a signal or ccp ended it. */
  readonly exitCode: number | null;
  /** Why ccp ended it; null when it ended by itself. The limits are those of `workspace/limits.ts`. */
  readonly endedBy: "timeout" | "abort" | "output-limit" | "process-limit" | "disk-limit" | null;
  readonly durationMs: number;
  /** What it wrote, standard output and error together, as it was kept (secrets redacted). */
  readonly output: BlobRef;
  /** Of that, standard output alone. */
  readonly stdout: BlobRef;
}

/** How a try of a step ended. */
export type StepOutcome =
  | {
      readonly status: "succeeded";
      /** What `${steps.id.output}` means: an agent's summary or the tail of a command's output. */
      readonly output: BlobRef;
      /** The finish value of an agent, as JSON; null for a command. */
      readonly finish: BlobRef | null;
      /** What a doer, or a planner, says of its own work, from 0 to 1; missing: nothing. */
      readonly confidence?: number;
      readonly uncertainty?: number;
    }
  | {
      readonly status: "failed";
      readonly class: FailureClass;
      readonly reason: string;
      readonly finish: BlobRef | null;
    };

/** How a run stands when nobody drives it. */
export type EndStatus = "succeeded" | "failed" | "paused" | "budget_reached" | "provider_down" | "blocked";

/** Where the work starts. */
export interface Base {
  readonly commit: string;
  /** The commit's tree, or a snapshot of the user's uncommitted work on top of it. */
  readonly tree: TreeHash;
  readonly dirty: boolean;
  /** Null: detached. */
  readonly branch: string | null;
}

/**
 * What a try of a step was given, as sha256 (hex) of each part: a step that succeeded is reused only where all three
 * are the same. `own`: its definition and its role's; `inputs`: the task and the inputs that it uses; `upstream`: what
 * the steps before it handed over.
 */
export interface Fingerprint {
  readonly own: string;
  readonly inputs: string;
  readonly upstream: string;
}

/** The policies that hold, as an event names them. */
export interface PolicyOnRecord {
  /** `PolicyInForce`, as canonical JSON. */
  readonly rules: BlobRef;
  readonly packs: readonly PolicyName[];
}

/** What a command was run for: to prepare the worktree, to judge the base, a try or the final tree, or as a step of its own. */
export type CommandPurpose = "setup" | "baseline" | "until" | "step" | "final";

/**
 * A fact about a run, past tense. Stored first, folded second, told third. Payloads are blobs, so that an event
 * stays small; instants and sequence numbers are added by the store's caller (`StoredEvent`).
 */
export type Event =
  | {
      readonly type: "run.created";
      readonly rid: string;
      readonly ccpVersion: string;
      /** The expanded pipeline, canonical JSON; its sha256 is the pipeline's digest. */
      readonly pipeline: BlobRef;
      readonly pipelineName: string;
      readonly task: BlobRef;
      /** First line of the task. */
      readonly title: string;
      readonly inputs: Readonly<Record<string, InputValue>>;
      readonly base: Base;
      /** Absolute path of the user's working tree. */
      readonly repository: string;
      /** Absolute path under which `<rid>/` and the latest artifacts are written. */
      readonly resultsDir: string;
      readonly budgets: Readonly<Partial<Record<Scope, Budget>>>;
      readonly sandbox: { readonly asked: SandboxMode; readonly active: Sandbox };
      /** The policies that it begins under; missing: there were none. */
      readonly policy?: PolicyOnRecord;
      /** The run that this one comes after: it starts from that one's tree (`--on`), or does the same again (`rerun`). */
      readonly parent: string | null;
    }
  | {
      readonly type: "run.resumed";
      readonly epoch: number;
      /** What holds its processes from here on; missing: the same as before. */
      readonly sandbox?: Sandbox;
      /** The policies that hold from here on; missing: the same as at its beginning. */
      readonly policy?: PolicyOnRecord;
    }
  | {
      readonly type: "run.ended";
      readonly status: EndStatus;
      readonly exitCode: ExitCode;
      readonly reason: string | null;
      readonly hint: string | null;
    }
  | { readonly type: "run.applied"; readonly tree: TreeHash }
  | { readonly type: "run.discarded" }
  /** The run was brought from another repository or machine. Its worktree is made again when it is driven. */
  | { readonly type: "run.imported"; readonly repository: string; readonly resultsDir: string }
  /** These steps are to be done again, on this tree: it is put back before the next of them. `to`: the first of them. */
  | {
      readonly type: "run.rewound";
      readonly to: string;
      readonly steps: readonly string[];
      readonly tree: TreeHash;
    }
  /** From here on the run follows another plan: somebody resumed it with an edited pipeline. */
  | {
      readonly type: "pipeline.changed";
      readonly pipeline: BlobRef;
      readonly pipelineName: string;
      /** The run's own values, and those of inputs that the other plan did not have. */
      readonly inputs: Readonly<Record<string, InputValue>>;
    }
  | { readonly type: "budget.raised"; readonly scope: Scope; readonly budget: Budget }
  | { readonly type: "budget.warned"; readonly scope: Scope | Window; readonly percent: number }
  /** Other policies hold for a step from here on: a file has changed, or one has expired. Another step finds out for itself. */
  | { readonly type: "policy.changed"; readonly stepId: string; readonly policy: PolicyOnRecord }
  /** A person has named other models for a role: no rule counts for it from here on. */
  | {
      readonly type: "route.changed";
      readonly role: RoleName;
      readonly models: readonly string[];
      /** The step before whose call a word that was left for the driver was taken up; missing: nobody drove the run. */
      readonly stepId?: string;
      /** That word's number in the store; missing with `stepId`. */
      readonly request?: number;
    }
  /** Rules have said whom a conversation asks, or what is asked beside it. */
  | {
      readonly type: "route.decided";
      readonly stepId: string;
      readonly conversation: number;
      readonly task: TaskKind;
      /** By its name; null: none matched, and the role's own route holds. */
      readonly rule: string | null;
      /** `provider/model`, in order; empty where no rule matched. */
      readonly candidates: readonly string[];
    }
  | {
      readonly type: "workspace.created";
      readonly path: string;
      readonly branch: string;
      readonly notices: readonly string[];
    }
  | { readonly type: "workspace.prepared"; readonly tree: TreeHash; readonly copied: readonly string[] }
  /** The files are another tree than the last on record: a person has worked there while nobody drove the run, or a job had. */
  | { readonly type: "workspace.edited"; readonly tree: TreeHash }
  /** The files are a recorded tree again. `kept`: name of the patch in the run's folder that holds what was undone; null: nothing. */
  | { readonly type: "workspace.restored"; readonly tree: TreeHash; readonly kept: string | null }
  /** The tree is no longer the one that these steps judged: they judge again. */
  | { readonly type: "judgements.voided"; readonly tree: TreeHash; readonly steps: readonly string[] }
  | {
      readonly type: "command.started";
      readonly commandId: string;
      readonly purpose: CommandPurpose;
      readonly stepId: string | null;
      readonly command: string;
      readonly tree: TreeHash;
    }
  /** The drive ended in the middle of it. It is run again from its beginning; what it did outside the tree, it may do twice. */
  | {
      readonly type: "command.interrupted";
      readonly commandId: string;
      readonly purpose: CommandPurpose;
      readonly stepId: string | null;
      readonly command: string;
    }
  | {
      readonly type: "command.finished";
      readonly commandId: string;
      readonly purpose: CommandPurpose;
      readonly stepId: string | null;
      readonly command: string;
      readonly end: CommandEnd;
      /** The tree that the command judged. */
      readonly tree: TreeHash;
      /** The tree that it left, after `changes: discard` was carried out. */
      readonly treeAfter: TreeHash;
      /** Of a check that was red: sha256 of what it said, less what differs each time. Two that are the same have failed alike. */
      readonly signature?: string;
    }
  | {
      readonly type: "step.started";
      readonly stepId: string;
      /** Ordinal of the try, from 1, over all rounds. */
      readonly conversation: number;
      readonly tree: TreeHash;
      /** System prompt and first message of an agent, as JSON; null for a command. */
      readonly prompt: BlobRef | null;
      /** Null: recorded before there were any. */
      readonly fingerprint: Fingerprint | null;
      /** What the servers of its tools offered (`ServerListing[]`, as JSON); missing: it has none, or goes on. */
      readonly servers?: BlobRef;
    }
  /** Done by another run, from the same things: nothing is paid for it again. */
  | {
      readonly type: "step.reused";
      readonly stepId: string;
      readonly from: string;
      /** Ordinal of the try that succeeded there. */
      readonly conversation: number;
      readonly outcome: Extract<StepOutcome, { status: "succeeded" }>;
      readonly startTree: TreeHash;
      readonly tree: TreeHash;
      readonly fingerprint: Fingerprint;
      /** What it cost there. */
      readonly savedNanos: number;
    }
  /** The drive ended with the step under way. It goes on where it was and has lost no attempt. */
  | {
      readonly type: "step.interrupted";
      readonly stepId: string;
      readonly conversation: number;
      readonly reason: string;
    }
  | {
      readonly type: "step.finished";
      readonly stepId: string;
      readonly conversation: number;
      readonly outcome: StepOutcome;
      readonly tree: TreeHash;
    }
  /** What the next try of a step is to be, and why; or that there is none. */
  | {
      readonly type: "escalation.decided";
      readonly stepId: string;
      readonly role: RoleName;
      /** The try that it came after. */
      readonly conversation: number;
      readonly signal: Signal;
      readonly action: EscalationAction;
      /** Of `tactic`: which. */
      readonly tactic?: Tactic;
      /** From here on: 0: the role's own models; n: the n-th stronger one. */
      readonly rung: number;
      /** `provider/model`: who is asked first, before and from here on. */
      readonly from: string;
      readonly to: string;
      readonly reason: string;
      /** What was known of the world: with it, the decision follows from the record. */
      readonly means: Means;
    }
  /** A reviewer's model was asked what is wrong with a step's work. */
  | {
      readonly type: "step.diagnosed";
      readonly stepId: string;
      /** The try that it is about. */
      readonly conversation: number;
      /** What it advised; null: it gave no answer, and the next try does without. */
      readonly advice: BlobRef | null;
      /** `provider/model`; null: nobody answered. */
      readonly model: string | null;
      /** Why there is no advice; null: there is. */
      readonly reason: string | null;
    }
  | {
      readonly type: "steps.reset";
      /** The step whose failure sent the run back. */
      readonly from: string;
      readonly to: string;
      readonly steps: readonly string[];
      /** What the target is told. */
      readonly feedback: BlobRef;
    }
  | {
      readonly type: "message.added";
      readonly stepId: string;
      readonly why: Exclude<Saying, "task">;
      readonly text: BlobRef;
    }
  /** Old results of tools have given way to a line each in what the model is sent. */
  | {
      readonly type: "context.pruned";
      readonly stepId: string;
      /** What stands for each (`Mask[]`, as JSON), and how many they are. */
      readonly masks: BlobRef;
      readonly results: number;
      /** Estimates of what is sent, before and after. */
      readonly tokensBefore: number;
      readonly tokensAfter: number;
      /** True: a provider has refused it as too long. Missing: nobody has. */
      readonly refused?: true;
    }
  /** One message stands for all between the task and the latest turns in what the model is sent. */
  | {
      readonly type: "context.summarised";
      readonly stepId: string;
      readonly text: BlobRef;
      /** What a model said in it; null: none gave one. */
      readonly summary: BlobRef | null;
      /** Index, in what was sent before, of the first message that stays. */
      readonly upTo: number;
      /** False: it is not a fifth smaller than before. */
      readonly shrank: boolean;
      readonly tokensBefore: number;
      readonly tokensAfter: number;
      readonly refused?: true;
    }
  | {
      readonly type: "call.reserved";
      readonly callId: string;
      readonly stepId: string;
      readonly role: string;
      readonly conversation: number;
      readonly turn: number;
      /** `provider/model`. */
      readonly model: string;
      /** sha256 of the canonical request. */
      readonly request: string;
      readonly maxTokens: number;
      /** True when `maxTokens` was cut to what the budget had left. */
      readonly shrunk: boolean;
      readonly heldNanos: number;
      readonly heldTokens: number;
      /** What was known of the model when the call was reserved, its price among it (`ModelFacts`, as JSON); null in old runs. */
      readonly facts: BlobRef | null;
      /** The call that this one asks again, which was lost or whose answer broke off; null: it is the first to ask. */
      readonly retryOf: string | null;
      /** Missing: the next turn of its conversation. */
      readonly purpose?: CallPurpose;
      /** Name of the variable that holds the key it is sent with; missing: its provider has only one. */
      readonly credential?: string;
    }
  | {
      readonly type: "call.settled";
      readonly callId: string;
      readonly stepId: string;
      readonly role: string;
      readonly model: string;
      readonly heldNanos: number;
      readonly heldTokens: number;
      readonly purpose?: CallPurpose;
      readonly costNanos: number;
      /** What the price list says; differs from `costNanos` where the provider named a figure of its own. Null: no price is known. */
      readonly listedNanos: number | null;
      readonly usage: Usage;
      readonly durationMs: number;
      readonly result:
        | {
            readonly type: "answered";
            readonly parts: BlobRef;
            readonly stop: StopReason;
            readonly servedBy: string | null;
            /** True: ccp ended it, for it would have outgrown its reservation. */
            readonly cut: boolean;
          }
        | {
            readonly type: "failed";
            readonly failure: ModelFailure;
            /** What had arrived of its text; null: nothing. */
            readonly partial: BlobRef | null;
          };
    }
  /** It left the machine and its outcome is unknown: charged in full. */
  | {
      readonly type: "call.lost";
      readonly callId: string;
      readonly stepId: string;
      readonly role: string;
      readonly model: string;
      readonly heldNanos: number;
      readonly heldTokens: number;
      readonly reason: string;
      /** How it failed, where ccp was there to see it; null: ccp was stopped or died meanwhile. */
      readonly failure: ModelFailure | null;
      /** What had arrived of its text; null: nothing. */
      readonly partial: BlobRef | null;
    }
  | {
      readonly type: "tool.started";
      readonly stepId: string;
      readonly toolCallId: string;
      readonly tool: string;
      /** One line for people: the path or the command. */
      readonly subject: string;
      readonly effect: ToolEffect;
      /** The last tree on record, where the call may change it; else null. A job of the step may have changed files since. */
      readonly tree: TreeHash | null;
    }
  /** The drive ended in the middle of it. It is called again from its beginning. */
  | {
      readonly type: "tool.interrupted";
      readonly stepId: string;
      readonly toolCallId: string;
      readonly tool: string;
      readonly subject: string;
      /** True: it may have acted outside the tree, and may do so twice. */
      readonly outside: boolean;
    }
  | {
      readonly type: "tool.finished";
      readonly stepId: string;
      readonly toolCallId: string;
      readonly tool: string;
      readonly status: "ok" | "error" | "denied";
      readonly result: BlobRef;
      /** One line for people: what came of it. */
      readonly summary: string;
      readonly durationMs: number;
      readonly treeAfter: TreeHash | null;
      /** The accepted finish value, as JSON; null for every other tool and for one that was refused. */
      readonly finish: BlobRef | null;
      /** Files whose content the call has shown or made; missing: none. */
      readonly seen?: readonly SeenFile[];
      /** Files of the repository whose advice was added to the result; missing: none. */
      readonly advice?: readonly string[];
      /** All of a result that was too long to be shown, and the path under which tools read it; missing: all was shown. */
      readonly spilled?: { readonly path: string; readonly text: BlobRef };
      /** What the checks after an edit said, as the result has it too; missing: none was due. */
      readonly checked?: BlobRef;
      /** The job that goes on after it; missing: none. */
      readonly job?: string;
    }
  /** A rule wants a person's consent to a call: the run waits for it. */
  | {
      readonly type: "permission.asked";
      readonly stepId: string;
      readonly toolCallId: string;
      readonly tool: string;
      /** One line for people: the path or the command. */
      readonly subject: string;
      /** The call as a person has to see it before deciding: the whole command, or all arguments. */
      readonly call: BlobRef;
      /** sha256 (hex) of role, tool and arguments: a decision is about this very call. */
      readonly digest: string;
      /** The rule that asks, or why the call cannot be told. */
      readonly reason: string;
    }
  | {
      readonly type: "permission.decided";
      readonly stepId: string;
      readonly toolCallId: string;
      readonly effect: "allow" | "deny";
      /** `run`: whenever the role makes the same call again in this run, too. */
      readonly scope: "call" | "run";
    }
  | {
      readonly type: "artifact.written";
      readonly name: string;
      readonly blob: BlobRef;
      readonly stepId: string | null;
      /** What a person should look at before it is passed on; missing: nothing. */
      readonly warning?: string;
    };

/** The names of the facts. */
export type EventType = Event["type"];
/** The facts of one name, or of several. */
export type EventOf<T extends EventType> = Extract<Event, { type: T }>;

/** An event as the journal keeps it. */
export type StoredEvent = Event & {
  /** From 1, without gaps, per run. */
  readonly seq: number;
  /** Milliseconds since 1970. */
  readonly at: number;
};

/** What is worth showing and not worth keeping: dropped at will. */
export type Delta =
  | { readonly type: "delta.text"; readonly stepId: string; readonly text: string }
  | { readonly type: "delta.tool_call"; readonly stepId: string; readonly tool: string }
  | { readonly type: "delta.waiting"; readonly stepId: string; readonly reason: string; readonly waitMs: number }
  /** A word to the person at the terminal that is no fact of the run. */
  | { readonly type: "delta.notice"; readonly stepId: string; readonly text: string };
