import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Config } from "../core/config.ts";
import type { Lane } from "../core/lane.ts";
import type { Chance, Policies, Repository } from "../core/ports.ts";
import type { PolicySource } from "../guards/policies.ts";
import type { PolicyKit } from "./policy-kit.ts";

/** The machine's folder. No variable moves it: what holds for a machine, nobody on it can set aside. */
const MACHINE = "/etc/ccp";
const FILE = "policy.json";
const KEYS = "policy-keys";
/** Where a project's policy lies, in its tree. */
const PROJECT_FILE = ".ccp/policy.json";

/** What people who write policies need. */
export async function openPolicyKit(config: Config, repository: Repository | null): Promise<PolicyKit> {
  const commit = await headOf(repository);
  const { policyKit } = await import("./policy-kit.ts");
  return policyKit(await policySources(config, repository && commit !== null ? { repository, commit } : null));
}

/** Where policies come from here, with what a commit of the repository has (null: no repository, or no commit in it). */
async function policySources(
  config: Config,
  at: { readonly repository: Repository; readonly commit: string } | null,
): Promise<readonly PolicySource[]> {
  const { policyDir, configHome } = config;
  const machineKeys = [join(MACHINE, KEYS)];
  const addedKeys = policyDir === null ? machineKeys : [...machineKeys, join(policyDir, KEYS)];
  const userKeys = [...addedKeys, join(configHome, KEYS)];
  const sources: readonly PolicySource[] = [
    { place: "machine", path: join(MACHINE, FILE), keyFolders: machineKeys, memoryName: "machine" },
    ...(policyDir === null
      ? []
      : [
          {
            place: "added",
            path: join(policyDir, FILE),
            keyFolders: addedKeys,
            memoryName: `added-${shortHash(policyDir)}`,
          } as const,
        ]),
    { place: "user", path: join(configHome, FILE), keyFolders: userKeys, memoryName: "user" },
  ];
  return at === null ? sources : [...sources, await projectSource(at, userKeys)];
}

/** As committed: what lies in the working tree is nobody's word yet. */
async function projectSource(
  { repository, commit }: { readonly repository: Repository; readonly commit: string },
  keyFolders: readonly string[],
): Promise<PolicySource> {
  const { decoded, MOST_POLICY_BYTES } = await import("../guards/plain-file.ts");
  const found = await repository.fileAt(commit, PROJECT_FILE, MOST_POLICY_BYTES);
  const content = found.ok
    ? decoded(found.value)
    : found.isMissing
      ? ({ type: "missing" } as const)
      : ({ type: "refused", reason: found.reason } as const);
  const memoryName = `project-${shortHash(repository.commonDir)}`;
  return { place: "project", path: PROJECT_FILE, content, keyFolders, memoryName };
}

/** The policies that hold for work from a commit; null: from HEAD. */
export async function openPolicies(
  repository: Repository | null,
  commit: string | null,
  { config, lanes, chance }: { readonly config: Config; readonly lanes: readonly Lane[]; readonly chance: Chance },
): Promise<Policies> {
  const at = commit ?? (await headOf(repository));
  const sources = await policySources(config, repository && at !== null ? { repository, commit: at } : null);
  const { openPolicies: open } = await import("../guards/policies.ts");
  const { openPolicyMemory } = await import("../guards/policy-memory.ts");
  const { checkPolicyPack } = await import("../pipeline/policy-file.ts");
  return open({
    sources,
    readPack: checkPolicyPack,
    memory: openPolicyMemory(join(config.stateHome, "ccp", "policy")),
    providers: lanes.flatMap(({ id, baseUrl, wire }) => (wire === "scripted" ? [] : [{ id, baseUrl }])),
    now: () => chance.now(),
  });
}

/** Null: there is no repository, or nothing in it yet. */
async function headOf(repository: Repository | null): Promise<string | null> {
  const head = await repository?.resolveBase("HEAD").catch(() => null);
  return head?.commit ?? null;
}

function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
