import type { Confinement, Network } from "../core/confinement.ts";
import { type AgentStep, isReadOnly, type Role } from "../core/pipeline.ts";
import { permittedNetwork } from "../core/policy-limits.ts";
import type { Workspace } from "../core/ports.ts";
import { type Context, workspaceOf } from "./context.ts";
import { policyOf } from "./policy.ts";

/** The run's worktree, every process that is started through it held; where no sandbox is active, none is. */
export function confinedWorkspace(context: Context, asked: Confinement, stepId: string | null): Workspace {
  const workspace = workspaceOf(context);
  if (context.log.run.sandbox === "none") return workspace;
  const reach = (network: Network) => permittedNetwork(policyOf(context, stepId), network);
  const confinement = { ...asked, network: reach(asked.network) };
  return {
    ...workspace,
    run: (request) => workspace.run({ ...request, confinement }),
    openJobs: (begun) => {
      const jobs = workspace.openJobs(begun);
      return { ...jobs, run: (request, patienceMs) => jobs.run({ ...request, confinement }, patienceMs) };
    },
    // A server is asked by tools that change no files.
    open: (request) => workspace.open({ ...request, confinement: { writes: "none", network: reach(request.network) } }),
  };
}

/** The same for what a step's role starts. */
export function workspaceOfRole(context: Context, step: AgentStep): Workspace {
  const role = context.pipeline.roles[step.role];
  if (!role) throw new Error(`role ${step.role} is not in the pipeline`);
  return confinedWorkspace(context, confinementOf(role), step.id);
}

/** What the shell of a role is held to. */
export function confinementOf({ name, network }: Role): Confinement {
  return { writes: isReadOnly(name) ? "none" : "worktree", network: network ?? "none" };
}
