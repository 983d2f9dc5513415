import type { Diagnostic } from "../core/diagnostic.ts";
import { type InputValue, type Pipeline, ROLE_NAMES, type Role, type RoleName } from "../core/pipeline.ts";
import { budgetOf, roleBudgets } from "./budgets.ts";
import { buildSteps } from "./build-steps.ts";
import type { CheckedFile } from "./checked-file.ts";
import type { LoadContext } from "./context.ts";
import { type Draft, sorted } from "./draft.ts";
import { editChecksOf } from "./edit-checks.ts";
import { escalationOf } from "./escalation.ts";
import { inputSpec, inputValues } from "./input-values.ts";
import { serversOf } from "./mcp-servers.ts";
import { networkOf } from "./network.ts";
import { withoutSamples } from "./permission-samples.ts";
import { planSteps } from "./plan-steps.ts";
import { DEFAULT_MAX_TURNS, toolsOf } from "./role-defaults.ts";
import { rolePrompts } from "./role-prompts.ts";
import { checkRoutes, routeOf } from "./routes.ts";
import type { Place } from "./source.ts";
import { templateMessages } from "./templates.ts";
import { warningsOf } from "./warnings.ts";

/** A pipeline that is ready but for the roles for which nobody has a model. */
export interface Expansion {
  readonly ok: true;
  readonly pipeline: Pipeline;
  readonly inputs: Readonly<Record<string, InputValue>>;
  readonly warnings: readonly Diagnostic[];
  /** Roles without a model: no key was found for any. Their route is empty, and a run cannot start (exit 4). */
  readonly missingModels: readonly RoleName[];
  /** Where each permission rule of a role stands, in their order. */
  readonly rulePlaces: Readonly<Partial<Record<RoleName, readonly Place[]>>>;
}

/** A pipeline that is ready, or everything that is wrong. */
export type Expanded = Expansion | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** Fills in everything that a file leaves open: ids, order, defaults, prompts, routes, values. */
export function expandPipeline(file: CheckedFile, context: LoadContext): Expanded {
  const gathered = gather(file, context);
  const path = file.source.file;
  if (gathered.diagnostics.length > 0) return { ok: false, diagnostics: sorted(path, gathered.diagnostics) };
  const roles = ROLE_NAMES.filter((role) => file.raw.pipeline.some((step) => step.role === role));
  return {
    ok: true,
    pipeline: pipelineOf(file, roles, gathered, context),
    inputs: gathered.inputs,
    warnings: sorted(path, warningsOf(file)),
    missingModels: roles.filter((role) => routeOf(file, role, context).length === 0),
    rulePlaces: rulePlacesOf(file, roles),
  };
}

/** What comes from outside of the file, and what is missing there. */
export interface Gathered {
  readonly inputs: Readonly<Record<string, InputValue>>;
  readonly prompts: Readonly<Partial<Record<RoleName, string>>>;
  readonly diagnostics: readonly Diagnostic[];
}

/** Looks for everything that a file, sound or not, names outside of itself. */
export function gather(draft: Draft, context: LoadContext): Gathered {
  const inputs = inputValues(draft, context);
  const { prompts, diagnostics } = rolePrompts(draft, planSteps(draft), context);
  return {
    inputs: inputs.values,
    prompts,
    diagnostics: [...inputs.diagnostics, ...diagnostics, ...checkRoutes(draft, context)],
  };
}

function pipelineOf(
  file: CheckedFile,
  roles: readonly RoleName[],
  { prompts }: Gathered,
  context: LoadContext,
): Pipeline {
  const { raw, source } = file;
  const budget = { ...budgetOf(raw.budget), ...context.budget };
  const inputs = Object.entries(raw.inputs ?? {}).map(([name, input]) => [name, inputSpec(input)] as const);
  return {
    name: raw.name ?? nameOf(source.file),
    description: raw.description ?? null,
    inputs: Object.fromEntries(inputs),
    budget,
    workspace: {
      copy: raw.workspace?.copy ?? context.project.copy,
      setup: raw.workspace?.setup ?? null,
      ...networkOf(raw.workspace),
    },
    sandbox: raw.sandbox ?? "auto",
    onLostCall: raw.on_lost_call ?? "retry",
    roles: rolesOf(file, roles, { prompts, budget }, context),
    steps: buildSteps(file),
    ...(raw.instructions ? { instructions: raw.instructions } : {}),
    messages: templateMessages(context.templates),
  };
}

function rolesOf(
  file: CheckedFile,
  roles: readonly RoleName[],
  { prompts, budget }: Pick<Gathered, "prompts"> & Pick<Pipeline, "budget">,
  context: LoadContext,
): Pipeline["roles"] {
  const budgets = roleBudgets(budget, roles, file.raw.roles ?? {});
  const entries = roles.map((name): readonly [RoleName, Role] => {
    const raw = file.raw.roles?.[name];
    const servers = serversOf(file.raw, raw);
    const editChecks = editChecksOf(raw);
    const role: Role = {
      name,
      prompt: prompts[name] ?? "",
      models: routeOf(file, name, context),
      ...(context.models?.[name] === undefined ? {} : { namedByPerson: true }),
      tools: toolsOf(name, raw),
      permissions: (raw?.permissions ?? []).map(withoutSamples),
      ...(servers.length > 0 ? { servers } : {}),
      ...(raw?.context?.tokens === undefined ? {} : { context: { tokens: raw.context.tokens } }),
      ...(editChecks.length > 0 ? { editChecks } : {}),
      ...networkOf(raw),
      budget: budgets[name] ?? {},
      maxTurns: raw?.max_turns ?? DEFAULT_MAX_TURNS[name],
      ...escalationOf(file, name, context),
    };
    return [name, role];
  });
  return Object.fromEntries(entries);
}

function rulePlacesOf({ raw, source }: CheckedFile, roles: readonly RoleName[]): Expansion["rulePlaces"] {
  const places = (role: RoleName) =>
    (raw.roles?.[role]?.permissions ?? []).map((_, index) => source.at(["roles", role, "permissions", index]));
  return Object.fromEntries(roles.map((role) => [role, places(role)] as const));
}

/** `.ccp/pipelines/fix.yaml` is `fix`. */
function nameOf(file: string): string {
  return (
    file
      .replaceAll("\\", "/")
      .split("/")
      .at(-1)
      ?.replace(/\.ya?ml$/, "") || "pipeline"
  );
}
