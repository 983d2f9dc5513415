import type { Budget } from "../core/budget.ts";
import { refusalsOf } from "../core/candidates.ts";
import type { InputValue, Pipeline, RoleName, Step } from "../core/pipeline.ts";
import type { PolicyInForce } from "../core/policy.ts";
import { budgetRefusal, commandRefusal, serverRefusal, underPolicy } from "../core/policy-limits.ts";
import { budgetWords, policyDenied, policyProblems } from "../core/policy-words.ts";

/** What a person asks for by a flag is refused where it is too much, with the reason; it is not made smaller unseen. */
export function refuseBudget(asked: Budget | null, policy: PolicyInForce): void {
  const why = asked === null ? null : budgetRefusal(policy, asked);
  if (why !== null) throw policyDenied(`the budget that was asked for is ${why}; nothing was started`, policy);
}

/** Commands of a pipeline that a policy denies are found before anything is started. Throws the first. */
export function refuseCommands(
  pipeline: Pipeline,
  steps: readonly Step[],
  inputs: Readonly<Record<string, InputValue>>,
  policy: PolicyInForce,
): void {
  const why = commandsOf(pipeline, steps, inputs).flatMap((command) => commandRefusal(policy, command) ?? [])[0];
  if (why !== undefined) throw policyDenied(`${why}; nothing was started`, policy);
}

function commandsOf(
  { workspace, roles }: Pipeline,
  steps: readonly Step[],
  inputs: Readonly<Record<string, InputValue>>,
): readonly string[] {
  const named = steps.flatMap((step) => {
    const command = step.kind === "shell" ? step.command : step.until?.command;
    if (command === undefined) return [];
    return command.kind === "text" ? command.text : String(inputs[command.name] ?? "");
  });
  const checks = Object.values(roles).flatMap(({ editChecks = [] }) => editChecks.map(({ command }) => command));
  return [...(workspace.setup === null ? [] : [workspace.setup]), ...named, ...checks];
}

/** What a policy takes of a run that it lets begin, one sentence each: nothing is narrowed unseen. */
export function policyNotices(pipeline: Pipeline, policy: PolicyInForce): readonly string[] {
  const narrowed = underPolicy(pipeline, policy);
  const roles = Object.values(pipeline.roles);
  const lowered = budgetWords(loweredCeilings(pipeline.budget, narrowed.budget));
  const asked = roles.flatMap(({ models, escalation }) => [...models, ...(escalation?.models ?? [])]);
  return [
    ...policyProblems(policy),
    ...(lowered === "" ? [] : [`the run gets at most ${lowered} by policy`]),
    ...[...new Set(refusalsOf(asked, policy))].map((why) => `${why}; it is passed over`),
    ...roles.flatMap(({ name, servers = [] }) => serverNotices(name, servers, policy)),
  ];
}

function loweredCeilings(before: Budget, after: Budget): Budget {
  const units = Object.entries(after).filter(([unit, most]) => before[unit as keyof Budget] !== most);
  return Object.fromEntries(units);
}

function serverNotices(
  role: RoleName,
  servers: NonNullable<Pipeline["roles"][RoleName]>["servers"],
  policy: PolicyInForce,
): readonly string[] {
  return (servers ?? []).flatMap((server) => {
    const why = serverRefusal(policy, server);
    return why === null ? [] : [`the server ${server.name} (${role}) is refused by ${why}`];
  });
}
