import { type Budget, roleShares, WINDOWS, type Window, type WindowCeilings } from "../core/budget.ts";
import { usdToNanos } from "../core/money.ts";
import type { RoleName } from "../core/pipeline.ts";
import type { RawBudget, RawRole } from "./schema.ts";

/** What a run may cost and how long it may take where its file does not say (design §7). */
const DEFAULT_USD = 2;
const DEFAULT_MINUTES = 30;

/** A run's ceilings: the file's, else the defaults; `none` is no ceiling. */
export function budgetOf(raw: RawBudget | undefined): Budget {
  const usd = raw?.usd ?? DEFAULT_USD;
  const minutes = raw?.minutes ?? DEFAULT_MINUTES;
  const tokens = raw?.tokens ?? "none";
  return {
    ...ceilingsOf({ usd, tokens }),
    ...(typeof minutes === "number" ? { maxDurationMs: Math.round(minutes * 60_000) } : {}),
  };
}

/** Ceilings for which there are no defaults: what is not given, or `none`, is no ceiling. */
export function ceilingsOf(raw: NonNullable<RawRole["budget"]>): Budget {
  return {
    ...(typeof raw.usd === "number" ? { maxCostNanos: usdToNanos(raw.usd) } : {}),
    ...(typeof raw.tokens === "number" ? { maxTokens: raw.tokens } : {}),
  };
}

/** The same by spans of the user's calendar. */
export function windowCeilingsOf(raw: Readonly<Partial<Record<Window, RawRole["budget"]>>>): WindowCeilings {
  return Object.fromEntries(
    WINDOWS.flatMap((window) => (raw[window] ? [[window, ceilingsOf(raw[window])] as const] : [])),
  );
}

/** What a role's own budget says: a figure, null for `none`, nothing where the role gets its share. */
export function roleCeilings(raw: RawRole["budget"]): { readonly [K in keyof Budget]?: number | null } {
  return {
    ...(raw?.usd === undefined ? {} : { maxCostNanos: raw.usd === "none" ? null : usdToNanos(raw.usd) }),
    ...(raw?.tokens === undefined ? {} : { maxTokens: raw.tokens === "none" ? null : raw.tokens }),
  };
}

/** Every role's ceilings: its own, else its share of the run's; never more than the run has. */
export function roleBudgets(
  run: Budget,
  roles: readonly RoleName[],
  raw: Readonly<Partial<Record<RoleName, RawRole>>>,
): Readonly<Record<string, Budget>> {
  const shares = roleShares(run, roles);
  return Object.fromEntries(
    roles.map((role) => [role, within(run, shares[role] ?? {}, roleCeilings(raw[role]?.budget))]),
  );
}

function within(run: Budget, share: Budget, own: ReturnType<typeof roleCeilings>): Budget {
  const ceiling = (field: "maxCostNanos" | "maxTokens") => {
    const amount = own[field] === undefined ? share[field] : own[field];
    if (amount === undefined || amount === null) return {};
    return { [field]: Math.min(amount, run[field] ?? amount) };
  };
  return { ...ceiling("maxCostNanos"), ...ceiling("maxTokens") };
}
