import { planReservation, type Reservation } from "../core/budget.ts";
import { refusalsOf } from "../core/candidates.ts";
import type { Sandbox } from "../core/confinement.ts";
import { CcpError } from "../core/errors.ts";
import { type Standing, standingOf } from "../core/lane-account.ts";
import type { LaneHealth } from "../core/lane-health.ts";
import { type ModelFacts, parseModelRef } from "../core/model.ts";
import type { AgentStep, RoleName } from "../core/pipeline.ts";
import type { PolicyInForce } from "../core/policy.ts";
import type { Chance, Models, Repository, Tools, Workspace } from "../core/ports.ts";
import type { RouteDecision, RouteRequest, RouteRule, TaskKind } from "../core/route-rules.ts";
import { TASK_OF } from "../core/route-rules.ts";
import { worstOf } from "../core/routing.ts";
import type { Store, UserLedger } from "../core/store.ts";
import { beginRun, type RunSpec } from "./begin-run.ts";
import { CommandEnvironment } from "./command-environment.ts";
import type { Context } from "./context.ts";
import { firstQuestion, isNamedByPerson, requestOf } from "./decide-route.ts";
import type { EngineDeps } from "./deps.ts";
import { Halt } from "./halt.ts";
import { headroom } from "./intend.ts";
import { standingPolicy } from "./policy-watch.ts";
import { composePrompt } from "./prompt.ts";
import { memoryResults, NO_HEALTH, NO_SPOOL } from "./replay-world.ts";
import { mostOutput } from "./role-grant.ts";
import { ruling } from "./router.ts";
import { RunLog } from "./run-log.ts";

/** Whom a step would ask first, and why. */
export interface PlannedRoute {
  readonly stepId: string;
  readonly role: RoleName;
  readonly task: TaskKind;
  readonly request: RouteRequest;
  /** A person has named the models: rules do not count. */
  readonly isNamed: boolean;
  /** Null: there are no rules. */
  readonly decision: RouteDecision | null;
  /** In the order in which they would be asked. */
  readonly candidates: readonly PlannedCandidate[];
}

/** One whom a step may ask. */
export interface PlannedCandidate {
  readonly model: string;
  /** Why it cannot be asked here; null: it can. */
  readonly obstacle: string | null;
  /** Null: it cannot be asked. */
  readonly facts: ModelFacts | null;
  /** Worst case of the first call, in nano-dollars; null: unknown. */
  readonly worstNanos: number | null;
  /** What the budget says to the first call; null: it cannot be asked. */
  readonly reservation: Reservation | null;
  /** How its lane stands, of several credentials the one that stands best. */
  readonly standing: Standing;
}

/** What routes are planned with. Nothing in it writes anything, or reaches a server. */
export interface PlanParts {
  /** A journal that is gone when it is closed. */
  readonly memory: Store;
  readonly repository: Repository;
  readonly models: Models;
  readonly tools: Tools;
  readonly userLedger: UserLedger;
  readonly health: LaneHealth;
  readonly rules: readonly RouteRule[];
  readonly chance: Chance;
  readonly sandbox: () => Sandbox;
  /** What holds now. */
  readonly policy: PolicyInForce;
  /** Values that must not get into a prompt. */
  readonly secrets: readonly string[];
}

/** For each step of an agent's: its first request as far as it is known beforehand, and whom it would go to. */
export async function plannedRoutes(spec: RunSpec, parts: PlanParts): Promise<readonly PlannedRoute[]> {
  const context = contextOf(spec, parts);
  const decide = parts.rules.length === 0 ? null : ruling(parts.rules, parts.models);
  const steps = spec.pipeline.steps.filter((step) => step.kind === "agent");
  const planned: PlannedRoute[] = [];
  for (const step of steps) {
    const prompt = await composePrompt(context, step, []);
    const task = TASK_OF[step.role];
    const asked = { question: firstQuestion(context, step, 1, prompt), outputTokens: mostOutput(spec.pipeline, step) };
    const request = requestOf(context, step, task, asked);
    const isNamed = isNamedByPerson(context, step);
    const decision = decide === null ? null : decide(request, parts.policy);
    const names = isNamed || !decision?.rule ? (spec.pipeline.roles[step.role]?.models ?? []) : decision.candidates;
    const candidates = names.map((name) => candidateOf(name, { context, step, request }, parts));
    planned.push({ stepId: step.id, role: step.role, task, request, isNamed, decision, candidates });
  }
  return planned;
}

interface Asking {
  readonly context: Context;
  readonly step: AgentStep;
  readonly request: RouteRequest;
}

function candidateOf(model: string, { context, step, request }: Asking, parts: PlanParts): PlannedCandidate {
  const [refusal] = refusalsOf([model], parts.policy);
  const facts = refusal ?? factsOrReason(model, parts.models);
  if (typeof facts === "string") {
    const standing: Standing = { state: "closed", untilAt: null, why: null };
    return { model, obstacle: facts, facts: null, worstNanos: null, reservation: null, standing };
  }
  const reservation = planReservation({
    price: facts.price,
    inputTokensBound: request.inputTokensBound,
    wantedOutputTokens: Math.min(facts.maxOutputTokens, request.outputTokens),
    headroom: headroom(context, step),
    mayGrow: false,
  });
  const standing = standingHere(facts, parts);
  return { model, obstacle: null, facts, worstNanos: worstOf(facts, request), reservation, standing };
}

function factsOrReason(model: string, models: Models): ModelFacts | string {
  const ref = parseModelRef(model);
  if (ref === null) return "it names no model";
  try {
    return models.facts(ref);
  } catch (reason) {
    if (reason instanceof CcpError) return reason.message;
    throw reason;
  }
}

const ORDER = ["closed", "half-open", "open"] as const;

/** Of the credential that stands best: of the model and of all that goes through the lane, the worse. */
function standingHere({ ref }: ModelFacts, { models, health, chance }: PlanParts): Standing {
  const now = chance.now();
  const lane = models.standing(ref);
  const accounts = health.accounts(now).filter((one) => one.lane === lane?.lane);
  const standings = (lane?.credentials ?? []).map(({ key }): Standing => {
    const account = accounts.find((one) => one.key === key)?.account;
    const both = [account?.own, account?.models[ref.model]].flatMap((one) => (one ? [standingOf(one, now)] : []));
    return both.toSorted((a, b) => ORDER.indexOf(b.state) - ORDER.indexOf(a.state))[0] ?? CLOSED;
  });
  return standings.toSorted((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state))[0] ?? CLOSED;
}

const CLOSED: Standing = { state: "closed", untilAt: null, why: null };

/** A run that was just begun, in memory, in the user's own files: its prompts are read there, and nothing is written. */
function contextOf(spec: RunSpec, parts: PlanParts): Context {
  const { memory, chance } = parts;
  const repository = readingRepository(parts.repository);
  const deps: EngineDeps = {
    ...parts,
    repository,
    store: memory,
    health: NO_HEALTH,
    policy: standingPolicy(parts.policy),
    spool: NO_SPOOL,
    results: memoryResults(),
    servers: { open: never },
    executor: { looksAhead: false, command: never, tool: never, checkEdit: never },
    agent: { run: never, ask: never },
    publish: () => undefined,
    tell: () => undefined,
    variables: {},
    control: { signal: new AbortController().signal, pauseRequested: () => false, exitCode: () => 130 },
  };
  const { rid, epoch } = beginRun(spec, deps);
  const log = new RunLog(rid, epoch, { store: memory, chance, publish: () => undefined, secrets: parts.secrets });
  log.record({ type: "workspace.created", path: repository.root, branch: "", notices: [] });
  const { pipeline } = spec;
  const environment = new CommandEnvironment({ log, pipeline, deps });
  return { log, pipeline, deps, halt: new Halt(deps.control, null), environment };
}

/** Nothing has changed yet: there is no diff to show. */
function readingRepository(repository: Repository): Repository {
  const reading = (workspace: Workspace): Workspace => ({
    ...workspace,
    diff: async () => new Uint8Array(),
    diffStat: async () => ({ files: [], added: 0, removed: 0 }),
  });
  return { ...repository, openWorkspace: (rid, path) => reading(repository.openWorkspace(rid, path)) };
}

function never(): never {
  throw new Error("a route is only looked at");
}
