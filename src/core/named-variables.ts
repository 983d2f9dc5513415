import type { Pipeline, Step } from "./pipeline.ts";
import type { McpServer } from "./tool-servers.ts";

/** A variable of the user's environment that a pipeline asks for by name. */
export interface NamedVariable {
  readonly name: string;
  /** Who asks, for people: `step audit`, `server tickets`. */
  readonly by: string;
}

/** The variables that steps and the servers of their roles name, in the order of the steps; each asker once. */
export function variablesNamed(pipeline: Pipeline, steps: readonly Step[] = pipeline.steps): readonly NamedVariable[] {
  const roles = new Set(steps.flatMap((step) => (step.kind === "agent" ? [step.role] : [])));
  const servers = new Map(
    [...roles].flatMap((role) => pipeline.roles[role]?.servers ?? []).map((server) => [server.name, server]),
  );
  return [
    ...steps.flatMap((step) => step.env.map((name) => ({ name, by: `step ${step.id}` }))),
    ...[...servers.values()].flatMap((server) =>
      namesOf(server).map((name) => ({ name, by: `server ${server.name}` })),
    ),
  ];
}

function namesOf(server: McpServer): readonly string[] {
  if (server.kind === "stdio") return server.env;
  return server.tokenEnv === null ? [] : [server.tokenEnv];
}
