import {
  FALLBACK_LIMITS,
  type NamedLimits,
  type PackInForce,
  type Policy,
  type PolicyInForce,
  type PolicyPlace,
  type PolicyStanding,
  policyTitle,
} from "./policy.ts";
import { providersAtOtherHosts } from "./policy-limits.ts";

/** A policy whose signature is that of a trusted key. */
export interface VerifiedPolicy {
  readonly policy: Policy;
  readonly keyId: string;
  /** sha256 (hex) of the signed text. */
  readonly digest: string;
}

/** What is there in a place now. `missing`: nothing; then nothing of this place is in force. */
export type FoundPolicy =
  | { readonly type: "missing" }
  | { readonly type: "unusable"; readonly problem: string }
  | ({ readonly type: "verified" } & VerifiedPolicy);

/** A place, what is there, and what was there before. */
export interface PolicyAt {
  readonly place: PolicyPlace;
  readonly path: string;
  readonly found: FoundPolicy;
  /** The highest version ever in force under the key and name of `found`; null: none. */
  readonly highest: VerifiedPolicy | null;
  /** The last that was in force of this place; null: none. */
  readonly good: VerifiedPolicy | null;
}

/** What follows for one place. */
export interface PolicyChoice {
  readonly place: PolicyPlace;
  readonly path: string;
  readonly standing: PolicyStanding;
  readonly chosen: VerifiedPolicy | null;
  readonly problem: string | null;
}

/** Decides which policy of a place is in force at `now`; null: none is there. */
export function choosePolicy({ place, path, found, highest, good }: PolicyAt, now: number): PolicyChoice | null {
  if (found.type === "missing") return null;
  const problem = found.type === "unusable" ? found.problem : rejection(found, highest, now);
  if (problem === null && found.type === "verified")
    return standing({ place, path, chosen: found, problem: null }, now);
  const kept = highest ?? good;
  if (kept === null) return { place, path, standing: "rejected", chosen: null, problem };
  return standing({ place, path, chosen: kept, problem }, now);
}

/** Why a policy that is signed as it should be does not come into force; null: it does. */
function rejection({ policy, digest }: VerifiedPolicy, highest: VerifiedPolicy | null, now: number): string | null {
  const known = highest?.policy.version ?? 0;
  if (policy.version < known)
    return `it is version ${policy.version} of ${policy.name}, and version ${known} was in force here already`;
  if (policy.version === known && highest?.digest !== digest)
    return `another version ${known} of ${policy.name} was in force here already; what is changed needs a higher one`;
  if (now < policy.notBefore) return `it does not hold before ${instant(policy.notBefore)}`;
  return null;
}

function standing(
  choice: Omit<PolicyChoice, "standing"> & { readonly chosen: VerifiedPolicy },
  now: number,
): PolicyChoice {
  const { expires } = choice.chosen.policy;
  if (now >= expires) {
    const also = choice.problem === null ? "" : ` (and what is at ${choice.path} now was rejected: ${choice.problem})`;
    return { ...choice, standing: "expired", problem: `expired at ${instant(expires)}${also}` };
  }
  return { ...choice, standing: choice.problem === null ? "valid" : "kept" };
}

/** All that is in force: every policy holds, and where one cannot be relied on, the fallback with it. */
export function policyInForce(
  choices: readonly PolicyChoice[],
  providers: readonly { readonly id: string; readonly baseUrl: string }[],
): PolicyInForce {
  const isRequired = choices.some(({ place, chosen }) => place !== "project" && chosen?.policy.require === true);
  const limits = choices.flatMap((choice) => limitsOf(choice, isRequired));
  return { packs: choices.map(packOf), limits, refusedProviders: providersAtOtherHosts(limits, providers) };
}

/** A project's policy that nobody can verify is a stranger's word: it restricts nothing, unless somebody requires one. */
function limitsOf({ place, standing, chosen }: PolicyChoice, isRequired: boolean): readonly NamedLimits[] {
  const policy = policyTitle(place, chosen?.policy ?? null);
  const own = chosen === null ? [] : [{ policy, limits: chosen.policy.limits }];
  if (standing === "expired") return [...own, { policy: `${policy}, which has expired`, limits: FALLBACK_LIMITS }];
  if (standing !== "rejected" || (place === "project" && !isRequired)) return own;
  return [{ policy: `${policy}, which was rejected`, limits: FALLBACK_LIMITS }];
}

function packOf({ place, path, standing, chosen, problem }: PolicyChoice): PackInForce {
  if (chosen === null) return { place, path, standing, pack: null, problem };
  const { policy, keyId, digest } = chosen;
  const { name, version, expires, contact } = policy;
  return { place, path, standing, pack: { name, version, keyId, digest, expires, contact }, problem };
}

/** The next instant at which something begins or ceases to hold by itself; null: none. */
export function nextPolicyInstant(places: readonly PolicyAt[], now: number): number | null {
  const instants = places.flatMap(({ found, highest, good }) =>
    [found.type === "verified" ? found : null, highest, good].flatMap((one) =>
      one === null ? [] : [one.policy.notBefore, one.policy.expires],
    ),
  );
  const later = instants.filter((at) => at > now);
  return later.length === 0 ? null : Math.min(...later);
}

function instant(at: number): string {
  return new Date(at).toISOString().replace(".000Z", "Z");
}
