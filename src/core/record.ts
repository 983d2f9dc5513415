import type { StoredEvent } from "./event.ts";
import type { Json } from "./json.ts";
import { NANOS_PER_USD } from "./money.ts";
import type { Pipeline } from "./pipeline.ts";
import { type CommandRecord, openQuestion, type Run, stepState, totalSpend } from "./run.ts";
import { stepEntries } from "./step-table.ts";
import { addUsage, NO_USAGE, type Usage } from "./usage.ts";

/** run.json: what a run was, did, cost and left behind, for machines. A function of the journal alone. */
export function runRecord(run: Run, pipeline: Pipeline, events: readonly StoredEvent[], digest: string): Json {
  const { created } = run;
  const total = totalSpend(run);
  const models = modelsOf(events);
  // What comes after the end, an `apply` or an import, is no part of the run's time.
  const end = run.end && events.findLast(({ type }) => type === "run.ended");
  return {
    v: 1,
    rid: run.rid,
    title: created?.title ?? "",
    ccp_version: created?.ccpVersion ?? "",
    pipeline: { name: pipeline.name, digest },
    parent: created?.parent ?? null,
    status: run.status,
    exit: run.end?.exitCode ?? null,
    reason: run.end?.reason ?? null,
    created_at: instant(created?.at ?? 0),
    ended_at: end ? instant(end.at) : null,
    active_ms: run.activeMs,
    base: created
      ? { commit: created.base.commit, tree: created.base.tree, dirty: created.base.dirty, branch: created.base.branch }
      : null,
    tree: run.tree,
    branch: run.workspace?.branch ?? null,
    sandbox: created ? { asked: created.sandbox.asked, active: run.sandbox } : null,
    policy: policyRecord(events),
    inputs: { ...created?.inputs },
    usage: usageRecord(stepEntries(run.steps).reduce((sum, [, step]) => addUsage(sum, step.usage), NO_USAGE)),
    cost_usd: total.settledNanos / NANOS_PER_USD,
    cost_nanos: total.settledNanos,
    tokens: total.settledTokens,
    budget: {
      max_cost_nanos: run.budgets.run?.maxCostNanos ?? null,
      max_tokens: run.budgets.run?.maxTokens ?? null,
      max_duration_ms: run.budgets.run?.maxDurationMs ?? null,
    },
    steps: pipeline.steps.map((step) => {
      return stepRecord(run, step.id, step.kind === "agent" ? step.role : null, models.get(step.id) ?? new Set());
    }),
    models: modelRecords(events),
    checks: run.commands.map(checkRecord),
    waiting_for: questionRecord(run),
    escalations: events.flatMap(decisionRecord),
    permission_denials: events.flatMap(denialRecord),
    artifacts: Object.values(run.artifacts).map(({ name, blob, stepId }) => ({
      name,
      sha256: blob.sha256,
      size_bytes: blob.sizeBytes,
      step: stepId,
    })),
  };
}

/** Who has settled a call of each step. */
function modelsOf(events: readonly StoredEvent[]): ReadonlyMap<string, ReadonlySet<string>> {
  const models = new Map<string, Set<string>>();
  for (const event of events) {
    if (event.type !== "call.settled") continue;
    models.set(event.stepId, (models.get(event.stepId) ?? new Set()).add(event.model));
  }
  return models;
}

function stepRecord(run: Run, stepId: string, role: string | null, models: ReadonlySet<string>): Json {
  const state = stepState(run, stepId);
  const spend = run.spend[`step:${stepId}`];
  const { outcome } = state;
  return {
    id: stepId,
    role,
    status: state.status,
    tries: state.conversation,
    failure: outcome?.status === "failed" ? { class: outcome.class, reason: outcome.reason } : null,
    models: [...models],
    calls: state.calls,
    lost_calls: state.lostCalls,
    usage: usageRecord(state.usage),
    cost_nanos: spend?.settledNanos ?? 0,
    started_at: state.startedAt === null ? null : instant(state.startedAt),
    ended_at: state.endedAt === null ? null : instant(state.endedAt),
  };
}

/** Settled and lost calls by model. */
function modelRecords(events: readonly StoredEvent[]): Json {
  const byModel = new Map<string, { calls: number; lost: number; cost: number; usage: Usage }>();
  for (const event of events) {
    if (event.type !== "call.settled" && event.type !== "call.lost") continue;
    const sum = byModel.get(event.model) ?? { calls: 0, lost: 0, cost: 0, usage: NO_USAGE };
    const isLost = event.type === "call.lost";
    byModel.set(event.model, {
      calls: sum.calls + 1,
      lost: sum.lost + (isLost ? 1 : 0),
      cost: sum.cost + (isLost ? event.heldNanos : event.costNanos),
      usage: isLost ? sum.usage : addUsage(sum.usage, event.usage),
    });
  }
  return [...byModel].map(([model, sum]) => ({
    model,
    calls: sum.calls,
    lost_calls: sum.lost,
    cost_nanos: sum.cost,
    usage: usageRecord(sum.usage),
  }));
}

function checkRecord({ purpose, stepId, command, end, tree }: CommandRecord): Json {
  return {
    purpose,
    step: stepId,
    command,
    exit_code: end.exitCode,
    ended_by: end.endedBy,
    duration_ms: end.durationMs,
    tree,
  };
}

/** Every policy that the run was held to, and from which event on; a step's own where it found another. */
function policyRecord(events: readonly StoredEvent[]): Json {
  return events.flatMap((event): Json[] => {
    const isNamed = event.type === "run.created" || event.type === "run.resumed" || event.type === "policy.changed";
    if (!isNamed || event.policy === undefined) return [];
    const packs = event.policy.packs.map(({ place, standing, name, version, keyId, digest, problem }) => {
      return { place, standing, name, version, key_id: keyId, digest, problem };
    });
    return [{ seq: event.seq, step: "stepId" in event ? event.stepId : null, rules: event.policy.rules.sha256, packs }];
  });
}

/** The call that a person is asked about; null: none. */
function questionRecord(run: Run): Json {
  const question = openQuestion(run);
  if (question === null) return null;
  const { stepId, tool, subject, reason } = question;
  return { step: stepId, tool, call: subject, reason };
}

/** What was decided about a step that was stuck, and why. */
function decisionRecord(event: StoredEvent): readonly Json[] {
  if (event.type !== "escalation.decided") return [];
  const { stepId, conversation, signal, action, tactic, from, to, reason } = event;
  return [{ step: stepId, try: conversation, signal, action, tactic: tactic ?? null, from, to, reason }];
}

function denialRecord(event: StoredEvent): readonly Json[] {
  if (event.type !== "tool.finished" || event.status !== "denied") return [];
  return [{ step: event.stepId, tool: event.tool, why: event.summary }];
}

function usageRecord(usage: Usage): Json {
  return {
    fresh_input: usage.freshInput,
    cache_read: usage.cacheRead,
    cache_write: usage.cacheWrite,
    output: usage.output,
    reasoning: usage.reasoning,
    source: usage.source,
  };
}

function instant(at: number): string {
  return new Date(at).toISOString();
}
