import { planReservation } from "../core/budget.ts";
import { candidatesOf } from "../core/candidates.ts";
import { FINISH_SCHEMAS } from "../core/contract.ts";
import { CcpError, EXIT } from "../core/errors.ts";
import { formatModelRef, type ModelFacts } from "../core/model.ts";
import { formatUsd } from "../core/money.ts";
import type { Pipeline, Role, RoleName, Step } from "../core/pipeline.ts";
import { type Run, stepState } from "../core/run.ts";
import type { Wiring } from "../wire.ts";

/** What would stop a run before its first call is said before anything is started. */
export async function preflight(pipeline: Pipeline, task: string, wiring: Wiring): Promise<void> {
  if (pipeline.sandbox === "required") {
    throw new CcpError(
      "sandbox_unavailable",
      EXIT.usage,
      "the pipeline requires a sandbox, and this version of ccp has none yet",
      {
        hint: "nothing was started; with `sandbox: auto` the doer's shell runs unconfined, in a worktree of its own",
      },
    );
  }
  requireVariables(pipeline.steps, wiring);
  const models = await wiring.models();
  const roles = rolesOf(pipeline, pipeline.steps);
  for (const role of roles) requirePrice(role, pipeline, candidatesOf(role.models, models));
  const first = roles[0];
  if (first) await requireFirstCall(first, pipeline, task, wiring);
}

/** The same for a run that goes on: what the steps that are left need is there, before the run is touched. */
export async function preflightResume(
  run: Run,
  pipeline: Pipeline,
  routes: Readonly<Partial<Record<RoleName, readonly string[]>>>,
  wiring: Wiring,
): Promise<void> {
  const left = pipeline.steps.filter((step) => stepState(run, step.id).status !== "succeeded");
  requireVariables(left, wiring);
  const models = await wiring.models();
  for (const role of rolesOf(pipeline, left))
    candidatesOf(routes[role.name] ?? run.routes[role.name] ?? role.models, models);
}

function rolesOf(pipeline: Pipeline, steps: readonly Step[]): readonly Role[] {
  const roles = steps.flatMap((step) => (step.kind === "agent" ? (pipeline.roles[step.role] ?? []) : []));
  return [...new Set(roles)];
}

/** A variable that a step names and that is not set would make a command fail half-way through a paid run. */
function requireVariables(steps: readonly Step[], wiring: Wiring): void {
  const missing = steps.flatMap((step) =>
    step.env.filter((name) => wiring.config.environment[name] === undefined).map((name) => `${name} (step ${step.id})`),
  );
  if (missing.length === 0) return;
  throw new CcpError("missing_variable", EXIT.credentials, `not set in the environment: ${missing.join(", ")}`, {
    hint: "nothing was started",
  });
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
async function requireFirstCall(role: Role, pipeline: Pipeline, task: string, wiring: Wiring): Promise<void> {
  const models = await wiring.models();
  const model = candidatesOf(role.models, models)[0];
  if (!model) return;
  const tools = await wiring.tools();
  const inputTokensBound = await models.tightInputBound({
    model: model.ref,
    system: role.prompt,
    messages: [{ role: "user", text: task }],
    tools: tools.specs({ tools: role.tools, permissions: role.permissions, finish: FINISH_SCHEMAS[role.name] }),
    asker: { role: role.name, stepId: role.name, conversation: 1, turn: 1 },
  });
  const budget = { ...pipeline.budget, ...role.budget };
  const reservation = planReservation({
    price: model.price,
    inputTokensBound,
    wantedOutputTokens: model.maxOutputTokens,
    headroom: { nanos: budget.maxCostNanos ?? null, tokens: budget.maxTokens ?? null },
  });
  if (reservation.type !== "does-not-fit") return;
  const amount = (units: number) => (reservation.unit === "money" ? formatUsd(units) : `${units} tokens`);
  throw new CcpError(
    "budget_too_small",
    EXIT.budget,
    `the budget is too small for the first call: ${formatModelRef(model.ref)} may cost ${amount(reservation.needed)}, and the ${role.name} has ${amount(reservation.left)}`,
    {
      hint: "nothing was started or spent; raise it with --budget, or take a cheaper model with --model",
    },
  );
}
