import type { AgentStep, Pipeline, ShellStep, Step } from "../../src/core/pipeline.ts";

/** What a step has that a test does not care about. */
const common = { attempts: 2, timeoutMs: null, artifact: null, env: [], onFailure: null };
/** A step that a role does. */
export const agent = (
  id: string,
  role: AgentStep["role"],
  needs: readonly string[],
  change: Partial<AgentStep> = {},
): AgentStep => ({
  ...common,
  kind: "agent",
  id,
  role,
  needs,
  prompt: null,
  until: null,
  ...change,
});
/** A step that a command does. */
export const shell = (id: string, needs: readonly string[], change: Partial<ShellStep> = {}): ShellStep => ({
  ...common,
  kind: "shell",
  id,
  needs,
  attempts: 1,
  command: { kind: "text", text: id },
  changes: "discard",
  check: false,
  ...change,
});
const role = (name: AgentStep["role"], tools: readonly string[]) => ({
  name,
  tools,
  prompt: "",
  models: ["p/m"],
  permissions: [],
  budget: {},
  maxTurns: 9,
});

/** A pipeline of these steps, with the usual three roles. */
export function pipelineOf(steps: readonly Step[]): Pipeline {
  const roles = {
    planner: role("planner", ["read"]),
    doer: role("doer", ["edit"]),
    reviewer: role("reviewer", ["read"]),
  };
  return {
    name: "t",
    description: null,
    inputs: {},
    budget: {},
    workspace: { copy: [], setup: null },
    sandbox: "auto",
    onLostCall: "retry",
    roles,
    steps,
    messages: {},
  } as Pipeline;
}
