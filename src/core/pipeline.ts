import type { Budget } from "./budget.ts";
import type { ContextSettings } from "./context-plan.ts";
import { changesFiles, type PermissionRule, type ToolName } from "./permission.ts";
import type { McpServer, ServerNetwork } from "./tool-servers.ts";

/** The built-in roles. What each finishes with is its contract, in `contract.ts`. */
export const ROLE_NAMES = ["planner", "doer", "reviewer"] as const;
/** One of `ROLE_NAMES`. */
export type RoleName = (typeof ROLE_NAMES)[number];

/** Who does the work: a prompt, a route to models, what it may touch and what it may spend. */
export interface Role {
  readonly name: RoleName;
  /** The system prompt, as a template. */
  readonly prompt: string;
  /** The route: `provider/model`, the first that answers wins. */
  readonly models: readonly string[];
  /** True: a person has named them for this run, so that no rule has others asked. */
  readonly namedByPerson?: true;
  readonly tools: readonly ToolName[];
  readonly permissions: readonly PermissionRule[];
  /** Servers whose tools it may call; missing: none. */
  readonly servers?: readonly McpServer[];
  /** How long its conversations may become; missing: as long as the model's window lets them. */
  readonly context?: ContextSettings;
  /** Run after each edit; missing: none. */
  readonly editChecks?: readonly EditCheck[];
  /** What its shell may reach where a sandbox is active; missing: nothing. */
  readonly network?: ServerNetwork;
  /** All steps of this role draw on it, all tries counted. */
  readonly budget: Budget;
  /** Model calls of one conversation. */
  readonly maxTurns: number;
  /** What is done where its work is stuck; missing: it is tried again, as often as its steps say. */
  readonly escalation?: Escalation;
}

/** What may be done where the work of a role is stuck, and from when on it counts as stuck. */
export interface Escalation {
  /** Stronger models (`provider/model`), the next one first; empty: there is none. */
  readonly models: readonly string[];
  /** True: nobody has named them, so they give way to a model that a person names. */
  readonly isDefault: boolean;
  /** Stronger models taken in one run, in all steps of the role together. */
  readonly limit: number;
  /** A reviewer may be asked what is wrong, once in each step. */
  readonly diagnose: boolean;
  /** A doer that finishes with less confidence than this is doubted; 0: never. */
  readonly confidence: number;
  /** A planner that finishes with more uncertainty than this is doubted; 1: never. */
  readonly uncertainty: number;
}

/** A command that looks at what an edit has done to certain files. */
export interface EditCheck {
  /** A glob over paths from the root. */
  readonly files: string;
  readonly command: string;
  readonly timeoutMs: number;
}

/** A command of the pipeline: its text, or an input whose value the user gave as a command. */
export type Command =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "input"; readonly name: string };

interface StepBase {
  readonly id: string;
  /** Ids of steps that must have succeeded first. */
  readonly needs: readonly string[];
  /** Failed tries, each a new conversation or a new execution. */
  readonly attempts: number;
  /** Milliseconds for one try; null: only the run's own clock. */
  readonly timeoutMs: number | null;
  /** Name under which the step's document is kept in `results/<rid>/`; null: none. */
  readonly artifact: string | null;
  /** Names of variables of the user's environment that the step's commands may see. An agent never does. */
  readonly env: readonly string[];
  /** What its command or check may reach where a sandbox is active; missing: nothing. */
  readonly network?: ServerNetwork;
  readonly onFailure: { readonly backTo: string; readonly attempts: number } | null;
}

/** A step that a role does. */
export interface AgentStep extends StepBase {
  readonly kind: "agent";
  readonly role: RoleName;
  /** What this step adds to the task, as a template; null: nothing. */
  readonly prompt: string | null;
  readonly until: { readonly command: Command; readonly attempts: number } | null;
  /** What follows where a call wants a person's consent and nobody is there to give it; missing: `deny`. */
  readonly onAsk?: AskRule;
}

/** A step that a command does. */
export interface ShellStep extends StepBase {
  readonly kind: "shell";
  readonly command: Command;
  /** `discard` puts the tree back as it was; `keep` is for formatters and generators. */
  readonly changes: "discard" | "keep";
  /** A check judges the tree and is run once on the base before the doer starts. */
  readonly check: boolean;
}

/** One node of a pipeline. */
export type Step = AgentStep | ShellStep;

/** What an input holds once it is resolved. */
export type InputValue = string | number | boolean;
/** What an input may be declared as. */
export const INPUT_TYPES = ["string", "number", "boolean", "command"] as const;

/** `command` is a string that the pipeline executes: only such an input may stand where a command is expected. */
export interface InputSpec {
  readonly type: (typeof INPUT_TYPES)[number];
  readonly required: boolean;
  readonly default: InputValue | null;
  readonly description: string | null;
  /** Where a missing value is looked for in the project. */
  readonly detect: "test" | null;
}

/** Use one where there is one, refuse to start without, or do without. */
export const SANDBOX_MODES = ["auto", "required", "off"] as const;
/** One of `SANDBOX_MODES`. */
export type SandboxMode = (typeof SANDBOX_MODES)[number];

/** `deny`: a call that wants a person's consent is refused. `stop`: the run waits (exit 3) until somebody decides. */
export const ASK_RULES = ["deny", "stop"] as const;
/** One of `ASK_RULES`. */
export type AskRule = (typeof ASK_RULES)[number];

/** `retry`: the question is asked again, as a call of its own. `stop`: the run waits (exit 3) until somebody resumes it. */
export const LOST_CALL_RULES = ["retry", "stop"] as const;
/** One of `LOST_CALL_RULES`. */
export type LostCallRule = (typeof LOST_CALL_RULES)[number];

/** A checked, expanded pipeline: every name resolved, every default filled in, every prompt in it. Immutable; has a digest. */
export interface Pipeline {
  readonly name: string;
  readonly description: string | null;
  readonly inputs: Readonly<Record<string, InputSpec>>;
  readonly budget: Budget;
  readonly workspace: {
    /** Globs of untracked paths that a new worktree needs: dependencies, virtual environments. */
    readonly copy: readonly string[];
    /** Run once in the new worktree; null: nothing. */
    readonly setup: string | null;
    /** What that command may reach where a sandbox is active; missing: everything. */
    readonly network?: ServerNetwork;
  };
  readonly sandbox: SandboxMode;
  /** What follows on a call that was lost, or whose answer broke off: it is asked again, or a person is asked first. */
  readonly onLostCall: LostCallRule;
  readonly roles: Readonly<Partial<Record<RoleName, Role>>>;
  /** In dependency order. */
  readonly steps: readonly Step[];
  /** Files beside `AGENTS.md` and `.agents.md` in which the repository speaks to its agents; missing: none. */
  readonly instructions?: readonly string[];
  /** The engine's own sentences to the model, by name: pinned with the run, as the role prompts are. */
  readonly messages: Readonly<Record<string, string>>;
}

/** A role that only reads, whatever its tools could do: the sandbox holds it to that. */
export function isReadOnly(role: RoleName): boolean {
  return role !== "doer";
}

/** True when a step can change the tree: such a step runs alone. */
export function isWriter(pipeline: Pipeline, step: Step): boolean {
  if (step.kind === "shell") return true;
  if (isReadOnly(step.role)) return false;
  return (pipeline.roles[step.role]?.tools ?? []).some(changesFiles);
}

/** True when what a step does to the files outlives it. */
export function changesTree(pipeline: Pipeline, step: Step): boolean {
  return step.kind === "shell" ? step.changes === "keep" : isWriter(pipeline, step);
}

/** `id` and every step that comes after it, in pipeline order. */
export function withDownstream(pipeline: Pipeline, id: string): readonly string[] {
  const found = new Set([id]);
  for (const step of pipeline.steps) if (step.needs.some((need) => found.has(need))) found.add(step.id);
  return pipeline.steps.filter((step) => found.has(step.id)).map((step) => step.id);
}

/** A check that the engine runs for itself, and what it is given. */
export type CheckCommand = { readonly command: Command } & Pick<Step, "env" | "network">;

/** The same with what the step has for its commands. */
export function checkOf({ env, network }: Step, command: Command): CheckCommand {
  return { command, env, ...(network === undefined ? {} : { network }) };
}

/** The checks that are run on the base: each command once. */
export function baselineChecks(pipeline: Pipeline): readonly ({ readonly id: string } & CheckCommand)[] {
  const checks = pipeline.steps.flatMap((step) => {
    if (step.kind === "shell") return step.check ? [{ id: step.id, ...checkOf(step, step.command) }] : [];
    return step.until ? [{ id: `${step.id}.until`, ...checkOf(step, step.until.command) }] : [];
  });
  const key = (command: Command) => (command.kind === "text" ? `text ${command.text}` : `input ${command.name}`);
  return checks.filter(
    (check, index) => checks.findIndex((other) => key(other.command) === key(check.command)) === index,
  );
}
