import type { Budget } from "../core/budget.ts";
import type { Diagnostic } from "../core/diagnostic.ts";
import { canonicalJson, type Json } from "../core/json.ts";
import { usdToNanos } from "../core/money.ts";
import { ROLE_NAMES } from "../core/pipeline.ts";
import type { Policy, PolicyBudget, PolicyLimits } from "../core/policy.ts";
import { sorted } from "./draft.ts";
import { POLICY_PACK_SCHEMA, POLICY_SCHEMA, type RawPolicy } from "./policy-schema.ts";
import { readYaml } from "./read-yaml.ts";
import { problem } from "./source.ts";
import { structureChecker } from "./structure.ts";

/** A signed policy whose form is right; nobody has looked at its signature yet. */
export interface PolicyPack {
  readonly policy: Policy;
  /** What is signed. */
  readonly signed: Json;
  readonly keyId: string;
  /** Base64. */
  readonly signature: string;
}

type Checked<T> = ({ readonly ok: true } & T) | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

const checkPolicyStructure = structureChecker(POLICY_SCHEMA);
const checkPackStructure = structureChecker(POLICY_PACK_SCHEMA);

/** Checks a policy as somebody has written it, in YAML or JSON, before it is signed. `signed`: what is to be signed. */
export function checkPolicySource(
  text: string,
  path: string,
): Checked<{ readonly policy: Policy; readonly signed: Json }> {
  const yaml = readYaml(text, path);
  if (!yaml.ok) return yaml;
  const { faults } = checkPolicyStructure(yaml.json, yaml.source);
  const diagnostics = [...yaml.diagnostics, ...faults.map((fault) => fault.diagnostic)];
  if (diagnostics.length > 0) return { ok: false, diagnostics: sorted(path, diagnostics) };
  const raw = yaml.json as RawPolicy;
  const wrong = instantFaults(raw).map((message) => problem({ file: path, line: 1, column: 1 }, message));
  if (wrong.length > 0) return { ok: false, diagnostics: wrong };
  // `$schema` and the like would be unknown fields: what is signed is what was checked.
  return { ok: true, policy: policyOf(raw), signed: JSON.parse(canonicalJson(raw)) as Json };
}

/**
 * Checks the form of a signed policy. It has to be canonical JSON to the byte (a final line feed apart): a key given
 * twice, or a number that two parsers read as two, is none.
 */
export function checkPolicyPack(text: string, path: string): Checked<{ readonly pack: PolicyPack }> {
  const refuse = (message: string, hint?: string) => ({
    ok: false as const,
    diagnostics: [problem({ file: path, line: 1, column: 1 }, message, hint)],
  });
  const read = parsed(text);
  if (read === null)
    return refuse("it is no JSON", "a policy is written in YAML or JSON, and then signed: ccp policy sign");
  const { json, canonical } = read;
  if (canonical !== text.replace(/\n$/, ""))
    return refuse(
      "it is not canonical JSON, or has a key twice",
      "sign it again, and do not edit what is signed: ccp policy sign",
    );
  const yaml = readYaml(text, path);
  if (!yaml.ok) return yaml;
  const { faults } = checkPackStructure(json, yaml.source);
  const diagnostics = [...yaml.diagnostics, ...faults.map((fault) => fault.diagnostic)];
  if (diagnostics.length > 0) return { ok: false, diagnostics: sorted(path, diagnostics) };
  const raw = json as unknown as { readonly policy: RawPolicy; readonly key_id: string; readonly signature: string };
  const [wrong] = instantFaults(raw.policy);
  if (wrong !== undefined) return refuse(wrong);
  const { key_id: keyId, signature } = raw;
  return { ok: true, pack: { policy: policyOf(raw.policy), signed: raw.policy as unknown as Json, keyId, signature } };
}

/** Null: it is no JSON, or nested so deeply that nobody has written it. */
function parsed(text: string): { readonly json: unknown; readonly canonical: string } | null {
  try {
    const json: unknown = JSON.parse(text);
    return { json, canonical: canonicalJson(json) };
  } catch {
    return null;
  }
}

function instantFaults({ not_before: notBefore, expires }: RawPolicy): readonly string[] {
  const isNoDate = (text: string) => new Date(text).toJSON() !== text.replace("Z", ".000Z");
  if (isNoDate(notBefore)) return [`not_before is no date: ${notBefore}`];
  if (isNoDate(expires)) return [`expires is no date: ${expires}`];
  return Date.parse(expires) > Date.parse(notBefore) ? [] : ["it expires before it begins"];
}

function policyOf(raw: RawPolicy): Policy {
  return {
    name: raw.name,
    version: raw.version,
    notBefore: Date.parse(raw.not_before),
    expires: Date.parse(raw.expires),
    contact: raw.contact ?? null,
    require: raw.require ?? false,
    limits: limitsOf(raw),
  };
}

function limitsOf({
  models,
  providers,
  hosts,
  network,
  servers,
  tools,
  permissions,
  budget,
  sandbox,
}: RawPolicy): PolicyLimits {
  return given({
    models,
    providers,
    hosts,
    network,
    servers,
    tools,
    permissions,
    budget: budget === undefined ? undefined : budgetOf(budget),
    sandbox: sandbox === "required" ? ("required" as const) : undefined,
  });
}

function budgetOf(raw: NonNullable<RawPolicy["budget"]>): PolicyBudget {
  const { run, day, week } = raw;
  const roles = ROLE_NAMES.flatMap((role) => (raw[role] ? [[role, ceilingsOf(raw[role])] as const] : []));
  const windows = given({ day: day && ceilingsOf(day), week: week && ceilingsOf(week) });
  return {
    ...(run ? { run: ceilingsOf(run) } : {}),
    ...(roles.length > 0 ? { roles: Object.fromEntries(roles) } : {}),
    ...(Object.keys(windows).length > 0 ? { windows } : {}),
  };
}

function ceilingsOf({ usd, tokens, minutes }: NonNullable<NonNullable<RawPolicy["budget"]>["run"]>): Budget {
  return given({
    maxCostNanos: usd === undefined ? undefined : usdToNanos(usd),
    maxTokens: tokens,
    maxDurationMs: minutes === undefined ? undefined : Math.round(minutes * 60_000),
  });
}

/** Without what is undefined. */
function given<T extends object>(all: T): { readonly [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(all).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
