import { refusalsOf } from "../core/candidates.ts";
import { CcpError, EXIT } from "../core/errors.ts";
import { formatModelRef, type ModelFacts, parseModelRef } from "../core/model.ts";
import type { RoleName } from "../core/pipeline.ts";
import { policyDenied } from "../core/policy-words.ts";
import type { Policies } from "../core/ports.ts";
import { readRun } from "../core/read-run.ts";
import type { Run } from "../core/run.ts";
import { stepState } from "../core/run.ts";
import type { LeftRequest, Store } from "../core/store.ts";
import type { EngineDeps } from "./deps.ts";
import { pinnedPipeline } from "./drive.ts";
import { noteFact } from "./note.ts";
import { refuseFinal } from "./resume-run.ts";
import { RunLog } from "./run-log.ts";

/** What came of naming other models for a role. */
export interface Rerouted {
  /** `left`: for whoever drives the run, who takes it up before the next call. `recorded`: nobody drives it. */
  readonly how: "left" | "recorded";
  readonly role: RoleName;
  /** Whom the role would ask next without it; null: it is not known here. */
  readonly before: ModelFacts | null;
  readonly after: readonly ModelFacts[];
}

type Parts = Pick<EngineDeps, "store" | "models" | "repository"> &
  Parameters<typeof noteFact>[2] & { readonly policies: (commit: string) => Promise<Policies> };

/** Has other models asked for a role of a run from its next call on. Throws before anything is changed if it cannot be. */
export async function reroute(rid: string, { role, models }: LeftRequest, parts: Parts): Promise<Rerouted> {
  const { store } = parts;
  const run = readRun(rid, store);
  refuseFinal(run, parts.repository);
  const log = new RunLog(rid, 0, { ...parts, publish: () => undefined });
  const pipeline = pinnedPipeline(log);
  const own = pipeline.roles[role];
  if (!own)
    throw unchanged(
      "no_role",
      `no step of ${rid} has the role ${role}`,
      `its roles: ${Object.keys(pipeline.roles).join(", ")}`,
    );
  const policy = (await parts.policies(run.created?.base.commit ?? "")).now();
  const [refusal] = refusalsOf(models, policy);
  if (refusal !== undefined) throw policyDenied(refusal, policy);
  const after = models.map((name) => askable(name, run, role, parts.models));
  const ofRole = pipeline.steps.filter((step) => step.kind === "agent" && step.role === role);
  const asked = ofRole
    .map(({ id }) => stepState(run, id))
    .findLast(({ status }) => status === "running" || status === "interrupted");
  const beforeName = asked?.lastModel ?? run.routes[role]?.[0] ?? own.models[0] ?? "";
  const before = known(beforeName, parts.models);
  const how = await put(rid, { role, models }, store, parts);
  return { how, role, before, after };
}

async function put(rid: string, request: LeftRequest, store: Store, parts: Parts): Promise<Rerouted["how"]> {
  if (!store.isOwned(rid)) {
    try {
      await noteFact(rid, { type: "route.changed", ...request }, parts);
      return "recorded";
    } catch (thrown) {
      // Somebody has just begun to drive it.
      if (!(thrown instanceof CcpError) || thrown.code !== "owned") throw thrown;
    }
  }
  store.leave(rid, request, parts.chance.now());
  return "left";
}

function askable(name: string, { budgets }: Run, role: RoleName, models: EngineDeps["models"]): ModelFacts {
  const ref = parseModelRef(name);
  if (ref === null) throw unchanged("usage", `"${name}" names no model`, "write provider/model");
  const facts = models.facts(ref);
  const scopes = [budgets.run, budgets[`role:${role}`]];
  const isByMoney = scopes.some((budget) => budget?.maxCostNanos !== undefined);
  const isByTokens = scopes.some((budget) => budget?.maxTokens !== undefined);
  if (facts.price !== null || !isByMoney || isByTokens) return facts;
  throw new CcpError(
    "unpriced_model",
    EXIT.credentials,
    `the price of ${formatModelRef(ref)} is unknown, so the run's budget in dollars could not hold`,
    { hint: "nothing was changed; give its price in ~/.config/ccp/providers.yaml" },
  );
}

function known(name: string, models: EngineDeps["models"]): ModelFacts | null {
  const ref = parseModelRef(name);
  try {
    return ref && models.facts(ref);
  } catch (reason) {
    if (reason instanceof CcpError) return null;
    throw reason;
  }
}

function unchanged(code: string, message: string, hint: string): CcpError {
  return new CcpError(code, EXIT.usage, message, { hint: `nothing was changed; ${hint}` });
}
