import { accessSync, constants, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { planReservation } from "../core/budget.ts";
import { candidatesOf } from "../core/candidates.ts";
import { FINISH_SCHEMAS } from "../core/contract.ts";
import { CcpError, EXIT, hasCode, messageOf } from "../core/errors.ts";
import { formatModelRef, type ModelFacts } from "../core/model.ts";
import { formatUsd } from "../core/money.ts";
import { variablesNamed } from "../core/named-variables.ts";
import { type Pipeline, type Role, type RoleName, type Step, withDownstream } from "../core/pipeline.ts";
import type { PolicyInForce } from "../core/policy.ts";
import { budgetRule, sandboxRule } from "../core/policy-limits.ts";
import { policyDenied, policyHint } from "../core/policy-words.ts";
import { type Run, stepState } from "../core/run.ts";
import type { RunSpec, Wiring } from "../wire/wire.ts";
import { refuseCommands } from "./under-policy.ts";

/** A run that is about to begin, narrowed to what its policies leave. */
export interface Beginning extends Pick<RunSpec, "pipeline" | "inputs" | "task"> {
  readonly policy: PolicyInForce;
}

/** What would stop a run before its first call is said before anything is started. */
export async function preflight({ pipeline, inputs, task, policy }: Beginning, wiring: Wiring): Promise<void> {
  await requireSandbox(pipeline, policy, wiring);
  refuseCommands(pipeline, pipeline.steps, inputs, policy);
  requireVariables(pipeline, pipeline.steps, wiring);
  await requireWritable(wiring);
  const models = await wiring.models();
  const roles = rolesOf(pipeline, pipeline.steps);
  for (const role of roles) requirePrice(role, pipeline, candidatesOf(role.models, models, policy));
  const first = roles[0];
  if (first) await requireFirstCall(first, { pipeline, task, policy }, wiring);
}

/** A shell that is to be held does not run without. */
async function requireSandbox({ sandbox }: Pipeline, policy: PolicyInForce, wiring: Wiring): Promise<void> {
  const rule = sandboxRule(policy);
  if (sandbox !== "required" && rule === null) return;
  const { name, detail, hint } = await wiring.sandbox();
  if (name !== "none") return;
  if (rule !== null)
    throw policyDenied(`there is no sandbox here (${detail}), and ${rule}; nothing was started`, policy);
  throw new CcpError("sandbox_unavailable", EXIT.usage, `the pipeline requires a sandbox: ${detail}`, {
    hint: `nothing was started; ${hint}; with \`sandbox: auto\` the doer's shell runs unconfined, in a worktree of its own`,
  });
}

/** What a run goes on with. */
export interface WayOn {
  readonly pipeline: Pipeline;
  /** Steps that are done again although they had succeeded. */
  readonly toDo: readonly string[];
  readonly routes: Readonly<Partial<Record<RoleName, readonly string[]>>>;
  readonly policy: PolicyInForce;
}

/** The same for a run that goes on: what the steps that are left need is there, before the run is touched. */
export async function preflightResume(
  run: Run,
  { pipeline, toDo, routes, policy }: WayOn,
  wiring: Wiring,
): Promise<void> {
  await requireSandbox(pipeline, policy, wiring);
  const left = stepsLeft(run, pipeline, toDo);
  refuseCommands(pipeline, left, run.created?.inputs ?? {}, policy);
  requireVariables(pipeline, left, wiring);
  await requireWritable(wiring);
  const models = await wiring.models();
  for (const role of rolesOf(pipeline, left))
    candidatesOf(routes[role.name] ?? run.routes[role.name] ?? role.models, models, policy);
}

/** What has not succeeded or is done again, and what its failure would send the run back to. */
function stepsLeft(run: Run, pipeline: Pipeline, toDo: readonly string[]): readonly Step[] {
  const open = pipeline.steps.filter(({ id }) => toDo.includes(id) || stepState(run, id).status !== "succeeded");
  const ids = new Set(
    open.flatMap(({ id, onFailure }) => (onFailure ? [id, ...withDownstream(pipeline, onFailure.backTo)] : [id])),
  );
  return pipeline.steps.filter((step) => ids.has(step.id));
}

function rolesOf(pipeline: Pipeline, steps: readonly Step[]): readonly Role[] {
  const roles = steps.flatMap((step) => (step.kind === "agent" ? (pipeline.roles[step.role] ?? []) : []));
  return [...new Set(roles)];
}

/** A variable that is named and not set would make a command or a server fail half-way through a paid run. */
function requireVariables(pipeline: Pipeline, steps: readonly Step[], wiring: Wiring): void {
  const missing = variablesNamed(pipeline, steps)
    .filter(({ name }) => wiring.config.environment[name] === undefined)
    .map(({ name, by }) => `${name} (${by})`);
  if (missing.length === 0) return;
  throw new CcpError("missing_variable", EXIT.credentials, `not set in the environment: ${missing.join(", ")}`, {
    hint: "nothing was started; set it, or take its name out of the file",
  });
}

/** A run writes to three places. That one of them cannot be written to is found out before anything is started. */
async function requireWritable(wiring: Wiring): Promise<void> {
  const { config } = wiring;
  const [{ commonDir }, { dir }] = [await wiring.repository(), await wiring.results()];
  const places = [
    [commonDir, "work in a clone that can be written to"],
    [join(config.stateHome, "ccp", "worktrees"), "set XDG_STATE_HOME to a directory that can be written to"],
    [dir, "choose another directory with --results-dir or CCP_RESULTS_DIR"],
  ] as const;
  for (const [path, hint] of places) {
    const reason = whyNotWritable(path);
    if (reason !== null) throw new CcpError("read_only", EXIT.disk, `${path} cannot be written: ${reason}`, { hint });
  }
}

/** Judged by the directory that is there, where the path itself is not yet. */
function whyNotWritable(path: string): string | null {
  try {
    if (!statSync(path).isDirectory()) return `${path} is not a directory`;
    accessSync(path, constants.W_OK);
    return null;
  } catch (thrown) {
    const isMissing = hasCode(thrown, "ENOENT", "ENOTDIR");
    return isMissing && dirname(path) !== path ? whyNotWritable(dirname(path)) : messageOf(thrown);
  }
}

function requirePrice(role: Role, pipeline: Pipeline, candidates: readonly ModelFacts[]): void {
  const unpriced = candidates.find((model) => model.price === null);
  if (!unpriced || pipeline.budget.maxCostNanos === undefined || pipeline.budget.maxTokens !== undefined) return;
  throw new CcpError(
    "unpriced_model",
    EXIT.credentials,
    `the price of ${formatModelRef(unpriced.ref)} (${role.name}) is unknown, so a budget in dollars could not hold`,
    {
      hint: "give its price in ~/.config/ccp/providers.yaml, or a ceiling in tokens: --tokens 500000. Nothing was started",
    },
  );
}

/** The smallest first call: the role's prompt, the task and the tools. */
async function requireFirstCall(
  role: Role,
  { pipeline, task, policy }: Omit<Beginning, "inputs">,
  wiring: Wiring,
): Promise<void> {
  const models = await wiring.models();
  const model = candidatesOf(role.models, models, policy)[0];
  if (!model) return;
  const tools = await wiring.tools();
  const request = {
    model: model.ref,
    system: role.prompt,
    messages: [{ role: "user", text: task }],
    tools: tools.specs({ tools: role.tools, permissions: role.permissions, finish: FINISH_SCHEMAS[role.name] }),
    asker: { role: role.name, stepId: role.name, conversation: 1, turn: 1 },
  } as const;
  const budget = { ...pipeline.budget, ...role.budget };
  const plan = (inputTokensBound: number) =>
    planReservation({
      price: model.price,
      inputTokensBound,
      wantedOutputTokens: model.maxOutputTokens,
      headroom: { nanos: budget.maxCostNanos ?? null, tokens: budget.maxTokens ?? null },
      mayGrow: false,
    });
  const quick = plan(models.inputBound(request));
  // The tighter bound may be asked of the provider: only where it decides.
  const reservation = quick.type === "does-not-fit" ? plan(await models.tightInputBound(request)) : quick;
  if (reservation.type !== "does-not-fit") return;
  const most = reservation.unit === "money" ? { maxCostNanos: reservation.left } : { maxTokens: reservation.left };
  const rule = budgetRule(policy, "run", most) ?? budgetRule(policy, `role:${role.name}`, most);
  const amount = (units: number) => (reservation.unit === "money" ? formatUsd(units) : `${units} tokens`);
  throw new CcpError(
    "budget_too_small",
    EXIT.budget,
    `the budget is too small for the first call: ${formatModelRef(model.ref)} may cost ${amount(reservation.needed)}, and the ${role.name} has ${amount(reservation.left)}${rule === null ? "" : ` under ${rule}`}`,
    {
      hint:
        rule !== null
          ? `nothing was started or spent; ${policyHint(policy)}`
          : `nothing was started or spent; raise it with ${reservation.unit === "money" ? "--budget" : "--tokens"}, or take a cheaper model with --model`,
    },
  );
}
