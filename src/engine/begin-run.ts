import type { Budget, Scope } from "../core/budget.ts";
import { activeSandbox } from "../core/confinement.ts";
import type { Base, Event } from "../core/event.ts";
import { applyEvent } from "../core/fold-run.ts";
import { canonicalJson } from "../core/json.ts";
import type { InputValue, Pipeline } from "../core/pipeline.ts";
import { permittedSandbox, underPolicy } from "../core/policy-limits.ts";
import { redact } from "../core/redact.ts";
import { newRun } from "../core/run.ts";
import type { EngineDeps } from "./deps.ts";
import { onRecord } from "./policy.ts";

/** What a new run is to be. */
export interface RunSpec {
  readonly pipeline: Pipeline;
  readonly inputs: Readonly<Record<string, InputValue>>;
  readonly task: string;
  readonly base: Base;
  readonly resultsDir: string;
  readonly ccpVersion: string;
  /** The run that this one goes on from; null: none. */
  readonly parent: string | null;
  /** What it takes over of that one, to be recorded with its beginning. */
  readonly inherited: readonly Event[];
}

/** Puts a new run on record, owned by this process. Everything that it depends on is pinned in it. */
export function beginRun(
  spec: RunSpec,
  deps: Pick<EngineDeps, "store" | "chance" | "repository" | "publish" | "secrets" | "sandbox" | "policy">,
): { readonly rid: string; readonly epoch: number } {
  const rid = deps.chance.rid();
  const { store, chance, publish } = deps;
  const task = redact(spec.task, deps.secrets);
  const policy = deps.policy.now();
  const asked = permittedSandbox(policy, spec.pipeline.sandbox);
  const encode = (text: string) => store.putBlob(new TextEncoder().encode(text));
  const begun = store.create(
    rid,
    [
      {
        type: "run.created",
        rid,
        ccpVersion: spec.ccpVersion,
        pipeline: encode(canonicalJson(spec.pipeline)),
        pipelineName: spec.pipeline.name,
        task: encode(task),
        title: titleOf(task),
        inputs: spec.inputs,
        base: spec.base,
        repository: deps.repository.root,
        resultsDir: spec.resultsDir,
        budgets: budgetsOf(underPolicy(spec.pipeline, policy)),
        sandbox: { asked, active: activeSandbox(asked, deps.sandbox()) },
        ...(policy.packs.length === 0 ? {} : { policy: onRecord({ bytes: (bytes) => store.putBlob(bytes) }, policy) }),
        parent: spec.parent,
      },
      ...spec.inherited,
    ],
    chance.now(),
  );
  let run = newRun(rid);
  for (const event of begun) {
    run = applyEvent(run, event);
    publish(event, run);
  }
  return { rid, epoch: 1 };
}

/** The ceilings of every scope that has one. */
function budgetsOf(pipeline: Pipeline): Readonly<Partial<Record<Scope, Budget>>> {
  const roles = Object.values(pipeline.roles).map((role) => [`role:${role.name}` as const, role.budget] as const);
  return { run: pipeline.budget, ...Object.fromEntries(roles) };
}

function titleOf(task: string): string {
  return (task.trim().split("\n", 1)[0] ?? "").slice(0, 200);
}
