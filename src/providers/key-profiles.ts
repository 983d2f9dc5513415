import type { Diagnostic } from "../core/diagnostic.ts";
import type { ProviderEntry, ProvidersFile } from "../core/lane.ts";
import { didYouMean } from "../core/suggest.ts";

/** The file as it is for a profile: its keys for that one in the place of the others. */
export function inProfile(file: ProvidersFile | null, profile: string | null): ProvidersFile | null {
  if (file === null || profile === null) return file;
  const providers = Object.entries(file.providers).map(([id, entry]) => [id, entryIn(entry, profile)] as const);
  return { ...file, providers: Object.fromEntries(providers) };
}

/** A profile that nobody knows is a slip: the keys of another would be used, and paid for. */
export function profileProblems(
  files: readonly (ProvidersFile | null)[],
  profile: string | null,
): readonly Diagnostic[] {
  const entries = files.flatMap((file) => Object.values(file?.providers ?? {}));
  const known = [...new Set(entries.flatMap(({ scopedEnv = {} }) => Object.keys(scopedEnv)))];
  if (profile === null || known.includes(profile)) return [];
  const near = didYouMean(profile, known);
  const others = known.length === 0 ? "name one in auth.scoped_env of a provider" : `profiles: ${known.join(", ")}`;
  const hint = near === null ? `${others}; or unset it` : `did you mean "${near}"?`;
  return [{ file: "CCP_PROFILE", line: null, column: null, message: `no provider has a key for "${profile}"`, hint }];
}

function entryIn(entry: ProviderEntry, profile: string): ProviderEntry {
  const { scopedEnv = {}, sources = {} } = entry;
  const keyEnv = Object.hasOwn(scopedEnv, profile) ? scopedEnv[profile] : undefined;
  if (keyEnv === undefined) return entry;
  const source = sources[`auth.scoped_env.${profile}`];
  return { ...entry, keyEnv, sources: { ...sources, ...(source ? { key_env: source } : {}) } };
}
