import { type Diagnostic, formatDiagnostic } from "../core/diagnostic.ts";
import { CcpError, EXIT } from "../core/errors.ts";
import type { Lane, ProvidersFile } from "../core/lane.ts";
import type { RouteRule } from "../core/route-rules.ts";
import { BUILT_IN, type ValueSources } from "../core/value-source.ts";
import { BUILT_IN_LANES, type BuiltInLane, SCRIPTED } from "./built-in-lanes.ts";
import { parseBaseUrl, parseOllamaHost } from "./host.ts";
import { inProfile, profileProblems } from "./key-profiles.ts";
import { laneDoubles } from "./lane-doubles.ts";
import { baseOf, type Environment, entryProblems, type LaneDraft, setting, toLane, withEntry } from "./lane-draft.ts";
import { entryProblem, problem } from "./lane-problem.ts";
import { loadPriceBook, NO_PRICES, type PriceBook } from "./prices.ts";
import { projectRefusals } from "./project-trust.ts";
import { resolveRouting } from "./resolve-routing.ts";

/** All that lanes are made of. Nothing else is looked at: no process environment, no file. */
export interface LaneSources {
  readonly environment: Environment;
  /** `~/.config/ccp/providers.yaml`: the user's own word. Null: there is none. */
  readonly user: ProvidersFile | null;
  /** `.ccp/providers.yaml`: came with the repository, so it is not trusted with the user's keys or money. */
  readonly project: ProvidersFile | null;
  /** Consents beyond those of the user's file, as `host` or `host:port`. */
  readonly trustedHosts: readonly string[];
  /** Which of a provider's keys are meant, where a file has some for profiles; null or missing: none of those. */
  readonly profile?: string | null;
}

/** `scripted/PATH`: the path of the transcript stands where others have a model. */
const SCRIPTED_LANE: Lane = {
  id: SCRIPTED,
  wire: "scripted",
  baseUrl: "",
  auth: "none",
  credential: null,
  credentialName: null,
  free: true,
  local: false,
  contextTokens: null,
  models: {},
};

/** The lanes and the rules on who is asked through them. */
export interface Providers {
  readonly lanes: readonly Lane[];
  /** In their order; empty: there are none. */
  readonly routing: readonly RouteRule[];
}

/** The same, or everything that is wrong with what was configured. */
export type ResolvedLanes = Providers | { readonly diagnostics: readonly Diagnostic[] };

/**
 * Built-in lanes, moved and completed by the environment, the project's file and the user's file, the first that
 * speaks winning. All that is wrong is reported at once, and then there are no lanes. A lane whose key is missing is
 * listed. Asynchronous only because the price list is loaded when a project names prices, or a rule a model of its own.
 */
export async function resolveLanes(sources: LaneSources): Promise<ResolvedLanes> {
  const models = Object.values(sources.project?.providers ?? {}).flatMap((entry) => Object.values(entry.models ?? {}));
  const namesPrices = models.some((model) => model.price !== undefined);
  const resolved = resolveLanesWith(sources, namesPrices ? await loadPriceBook() : NO_PRICES);
  const { rules, diagnostics } = await resolveRouting(sources, resolved.lanes);
  const wrong = withoutRepeats([...resolved.diagnostics, ...diagnostics]);
  return wrong.length > 0 ? { diagnostics: wrong } : { lanes: resolved.lanes, routing: rules };
}

/** `resolveLanes` for callers that cannot go on without. Throws `CcpError("invalid_providers")`, exit 4, with all that is wrong. */
export async function providersOrThrow(sources: LaneSources): Promise<Providers> {
  const resolved = await resolveLanes(sources);
  if ("lanes" in resolved) return resolved;
  const lines = resolved.diagnostics.map(formatDiagnostic).join("\n");
  throw new CcpError("invalid_providers", EXIT.credentials, `the providers cannot be used as configured\n${lines}`, {
    hint: "nothing was started and no key was sent anywhere",
  });
}

/** `resolveLanes` as a pure function: `prices` is the list that a project file may not undercut. */
function resolveLanesWith(
  sources: LaneSources,
  prices: PriceBook,
): { readonly lanes: readonly Lane[]; readonly diagnostics: readonly Diagnostic[] } {
  const { environment, profile = null } = sources;
  const [user, project] = [inProfile(sources.user, profile), inProfile(sources.project, profile)];
  const ours = BUILT_IN_LANES.map((lane) => builtIn(lane, environment));
  const users = withFile(new Map(ours.map(({ draft }) => [draft.id, draft])), user, true);
  const all = withFile(users.drafts, project, false);
  const refusals = projectRefusals(project, {
    drafts: users.drafts,
    userPath: user?.path ?? "~/.config/ccp/providers.yaml",
    trustedHosts: [...(user?.trustedHosts ?? []), ...sources.trustedHosts],
    prices,
  });
  const diagnostics = [
    ...ours.flatMap((lane) => lane.problems),
    ...users.problems,
    ...all.problems,
    ...refusals,
    ...laneDoubles([...all.drafts.values()]),
    ...profileProblems([sources.user, sources.project], profile),
  ];
  const lanes = [...all.drafts.values()].map((draft) => toLane(draft, environment));
  return { lanes: [...lanes, SCRIPTED_LANE], diagnostics };
}

const BUILT_IN_SOURCES: ValueSources = {
  wire: BUILT_IN,
  base_url: BUILT_IN,
  key_env: BUILT_IN,
  auth: BUILT_IN,
  context_tokens: BUILT_IN,
};

function builtIn(
  lane: BuiltInLane,
  environment: Environment,
): { readonly draft: LaneDraft; readonly problems: readonly Diagnostic[] } {
  const { baseUrlEnv, ...known } = lane;
  const draft: LaneDraft = {
    ...known,
    pinnedBy: null,
    isUsersHost: false,
    usesAllKeys: false,
    free: null,
    models: {},
    sources: BUILT_IN_SOURCES,
  };
  const said = setting(environment, baseUrlEnv);
  if (said === null) return { draft, problems: [] };
  const baseUrl = lane.wire === "ollama-chat" ? parseOllamaHost(said) : parseBaseUrl(said);
  const sources: ValueSources = { ...draft.sources, base_url: { kind: "environment", name: baseUrlEnv } };
  if (baseUrl !== null)
    return { draft: { ...draft, baseUrl, pinnedBy: baseUrlEnv, isUsersHost: true, sources }, problems: [] };
  const hint = `give it like ${lane.baseUrl}, without user name, password or query, or unset it`;
  return { draft, problems: [problem(baseUrlEnv, "not the address of an http server", hint)] };
}

function withFile(
  drafts: ReadonlyMap<string, LaneDraft>,
  file: ProvidersFile | null,
  isUsers: boolean,
): { readonly drafts: ReadonlyMap<string, LaneDraft>; readonly problems: readonly Diagnostic[] } {
  const all = new Map(drafts);
  const problems = Object.entries(file?.providers ?? {}).flatMap(([id, entry]) => {
    const known = baseOf(id, entry, drafts);
    const wrong = entryProblems(id, entry, known, [...drafts.keys()]);
    if (wrong.length === 0) all.set(id, withEntry(id, entry, known, isUsers));
    return wrong.map((one) => entryProblem(file?.path ?? "", id, entry, one));
  });
  return { drafts: all, problems };
}

/** One variable may move two lanes; it is wrong only once. */
function withoutRepeats(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const key = ({ file, message }: Diagnostic) => `${file} ${message}`;
  return diagnostics.filter((one, index) => diagnostics.findIndex((other) => key(other) === key(one)) === index);
}
