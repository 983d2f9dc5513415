import type { Budget, Window } from "./budget.ts";
import type { PermissionRule } from "./permission.ts";
import type { RoleName } from "./pipeline.ts";

/** Names that are let through: those that match `allow` (missing: all), less those that match `deny`. */
export interface NameLimit {
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
}

/** Ceilings of a policy. What is missing has none. */
export interface PolicyBudget {
  /** One run, all roles together. */
  readonly run?: Budget;
  /** Money and tokens of one role in one run. */
  readonly roles?: Readonly<Partial<Record<RoleName, Budget>>>;
  /** All runs of a user in a day and in a week. */
  readonly windows?: Readonly<Partial<Record<Window, Budget>>>;
}

/** What a policy restricts. A missing field restricts nothing: no field can allow what was not allowed before. */
export interface PolicyLimits {
  /** Globs over `provider/model`; `*` is any text, slashes among it. */
  readonly models?: NameLimit;
  readonly providers?: NameLimit;
  /** The only hosts at which models and HTTP servers of tools are asked, in the words of `network`. */
  readonly hosts?: readonly string[];
  /** The only hosts that a sandboxed process may reach; empty: none. It holds only where a sandbox does, so it requires one. */
  readonly network?: readonly string[];
  /** Servers of tools, by their name in the pipeline. */
  readonly servers?: NameLimit;
  /** Tools of agents. */
  readonly tools?: NameLimit;
  /** Rules that deny or ask, beside those of the role. */
  readonly permissions?: readonly PermissionRule[];
  readonly budget?: PolicyBudget;
  readonly sandbox?: "required";
}

/** A policy as somebody signs it. */
export interface Policy {
  /** What it is called; versions are counted by key and name. */
  readonly name: string;
  /** From 1; a policy that is changed needs a higher one. */
  readonly version: number;
  /** Instants in milliseconds since 1970: it holds from the one (included) to the other (excluded). */
  readonly notBefore: number;
  readonly expires: number;
  /** Whom to ask about it; null: it does not say. */
  readonly contact: string | null;
  /** True: a project whose policy cannot be verified, and never could, falls back to next to nothing. */
  readonly require: boolean;
  readonly limits: PolicyLimits;
}

/** Where policies come from. All that are there hold. `added`: a folder like the machine's, named by `CCP_POLICY_DIR`. */
export const POLICY_PLACES = ["machine", "added", "user", "project"] as const;
/** One of `POLICY_PLACES`. */
export type PolicyPlace = (typeof POLICY_PLACES)[number];

/**
 * How a place's policy stands. `kept`: what is there now was rejected, and the last good one holds. `expired`: it holds,
 * and with it next to nothing is allowed. `rejected`: there never was a good one.
 */
export type PolicyStanding = "valid" | "kept" | "expired" | "rejected";

/** Which policy of a place is in force, or why none is. */
export interface PackInForce {
  readonly place: PolicyPlace;
  /** As people find it. */
  readonly path: string;
  readonly standing: PolicyStanding;
  /** Null: no policy of this place could ever be read. */
  readonly pack: {
    readonly name: string;
    readonly version: number;
    readonly keyId: string;
    /** sha256 (hex) of the signed text. */
    readonly digest: string;
    readonly expires: number;
    readonly contact: string | null;
  } | null;
  /** Why what is there now is not what holds; null: it is. */
  readonly problem: string | null;
}

/** Limits, and whose they are, in words: `policy acme 7 (machine)`. */
export interface NamedLimits {
  readonly policy: string;
  readonly limits: PolicyLimits;
}

/** All that is in force at one moment. Plain data: a run has it on record, so that a replay is held to the same. */
export interface PolicyInForce {
  readonly packs: readonly PackInForce[];
  /** All of them hold. */
  readonly limits: readonly NamedLimits[];
  /** Providers that are at a host that a policy does not name, and why, in words. */
  readonly refusedProviders: Readonly<Record<string, string>>;
}

/** Where nobody has a policy. */
export const NO_POLICY: PolicyInForce = { packs: [], limits: [], refusedProviders: {} };

/** One policy of those that hold, for whoever reads the log. */
export interface PolicyName {
  readonly place: PolicyPlace;
  readonly standing: PolicyStanding;
  readonly name: string | null;
  readonly version: number | null;
  readonly keyId: string | null;
  /** sha256 (hex) of the signed text. No payload: a policy's own text is nowhere but in its file. */
  readonly digest: string | null;
  readonly problem: string | null;
}

/** The names under which a policy goes on record. */
export function policyNames({ packs }: PolicyInForce): readonly PolicyName[] {
  return packs.map(({ place, standing, pack, problem }) => ({
    place,
    standing,
    name: pack?.name ?? null,
    version: pack?.version ?? null,
    keyId: pack?.keyId ?? null,
    digest: pack?.digest ?? null,
    problem,
  }));
}

/** How a policy is named to people: `policy acme 7 (machine)`. */
export function policyTitle(
  place: PolicyPlace,
  pack: { readonly name: string; readonly version: number } | null,
): string {
  return pack === null ? `the policy of the ${placeWords(place)}` : `policy ${pack.name} ${pack.version} (${place})`;
}

function placeWords(place: PolicyPlace): string {
  return place === "added" ? "folder in CCP_POLICY_DIR" : place;
}

/** What holds where a policy that is there cannot be relied on: nothing that costs money, nothing that writes, in a sandbox. */
export const FALLBACK_LIMITS: PolicyLimits = {
  budget: { run: { maxCostNanos: 0 } },
  tools: { allow: ["read", "ls", "glob", "grep", "diff", "todo"] },
  network: [],
  sandbox: "required",
};
