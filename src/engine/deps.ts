import type { Sandbox } from "../core/confinement.ts";
import type { Means } from "../core/escalation-terms.ts";
import type { Delta, StoredEvent } from "../core/event.ts";
import type { LaneHealth } from "../core/lane-health.ts";
import type { Agent, Chance, Models, Repository, Results, Spool, ToolServers, Tools } from "../core/ports.ts";
import type { Run } from "../core/run.ts";
import type { Store, UserLedger } from "../core/store.ts";
import type { Executor } from "./executor.ts";
import type { PolicyWatch } from "./policy-watch.ts";
import type { Router } from "./router.ts";

/** What driving a run takes. All of it is handed in; the engine constructs nothing. */
export interface EngineDeps {
  readonly store: Store;
  readonly userLedger: UserLedger;
  readonly health: LaneHealth;
  readonly spool: Spool;
  readonly repository: Repository;
  readonly results: Results;
  readonly models: Models;
  readonly tools: Tools;
  readonly servers: ToolServers;
  readonly executor: Executor;
  readonly agent: Agent;
  /** What could be done for a step that was stuck, when that was asked last: a replay's. Missing: it is looked at now. */
  readonly weighed?: (stepId: string) => Means;
  readonly chance: Chance;
  /** Hears every fact once it is stored. Never throws. */
  readonly publish: (event: StoredEvent, run: Run) => void;
  /** Hears what may be dropped. */
  readonly tell: (delta: Delta) => void;
  /** Values that must never reach the journal: replaced wherever text enters it. */
  readonly secrets: readonly string[];
  /** The user's values of the variables that a step's `env` names. */
  readonly variables: Readonly<Record<string, string>>;
  /** What it is held to, beyond what its pipeline says. */
  readonly policy: PolicyWatch;
  /** What can hold processes here. */
  readonly sandbox: () => Sandbox;
  readonly control: Control;
  /** Says whom conversations ask; missing: there are no rules, so the roles' own routes hold. */
  readonly router?: Router;
  /** What was left for whoever drives the run, as a step finds it before a call; missing: what the store has. */
  readonly requests?: (stepId: string) => ReturnType<Store["requests"]>;
}

/** How a person stops a run. */
export interface Control {
  /** Stop at once. */
  readonly signal: AbortSignal;
  /** Stop at the next boundary. */
  pauseRequested(): boolean;
  /** True: a person is there who can be asked about this call; then the run stands still for it, whatever its step says. */
  attends?(call: { readonly stepId: string; readonly toolCallId: string }): boolean;
  /** Exit code of a run that a person stopped: 130 or 143. */
  exitCode(): 130 | 143;
}
