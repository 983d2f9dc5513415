import { join, resolve } from "node:path";
import type { Config } from "../core/config.ts";
import { credentialsOf, type Lane } from "../core/lane.ts";
import type { Models, Repository, Spool } from "../core/ports.ts";
import type { Providers } from "../providers/lanes.ts";

/** The project's file counts where there is a project. While git looks for it, the user's is read. */
export async function readProviders(config: Config, found: Promise<Repository | null>): Promise<Providers> {
  const { providersOrThrow } = await import("../providers/lanes.ts");
  const { readProvidersFile } = await import("../pipeline/library.ts");
  const user = readProvidersFile(join(config.configHome, "providers.yaml"));
  const repository = await found;
  return providersOrThrow({
    environment: config.environment,
    user,
    project: repository && readProvidersFile(join(repository.root, ".ccp", "providers.yaml")),
    trustedHosts: config.trustedHosts,
    profile: config.profile,
  });
}

export async function openModels(lanes: readonly Lane[], spool: Spool, cwd: string): Promise<Models> {
  const { createModels } = await import("../providers/models.ts");
  const { readTranscript } = await import("../pipeline/library.ts");
  return createModels({ lanes, spool, readTranscript: (path) => readTranscript(resolve(cwd, path)) });
}

/** Values that must never be shown. */
export function secretsOf(lanes: readonly Lane[]): readonly string[] {
  return lanes.flatMap(credentialsOf);
}
