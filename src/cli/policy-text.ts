import type { PackInForce, PolicyInForce } from "../core/policy.ts";
import { policyProblems, restrictionsOf } from "../core/policy-words.ts";
import type { Inspection, PolicyPlaceHere, Wiring } from "../wire/wire.ts";
import type { TextStream } from "./config.ts";
import { tableText } from "./table-text.ts";

/** What `ccp policy show` says: each place, all restrictions in words, and what is wrong. */
export async function showText(
  inForce: PolicyInForce,
  places: readonly PolicyPlaceHere[],
  wiring: Wiring,
  stream: TextStream,
): Promise<string> {
  const { oneLine } = await wiring.ui();
  const rows = places.map(({ place, path }) => [
    place,
    placeText(inForce.packs.find((one) => one.place === place)),
    path,
  ]);
  const keys = uniqueKeys(places).map(({ id, path }) => `  ${id}  ${path}`);
  const limits = inForce.limits.flatMap(({ policy, limits: its }) => {
    const all = restrictionsOf(its).map(([about, left]) => `  ${about}: ${left}`);
    return [`${policy}${all.length === 0 ? " restricts nothing" : ""}`, ...all];
  });
  const refused = Object.entries(inForce.refusedProviders).map(([id, why]) => `  ${id}: ${why}`);
  const problems = [...policyProblems(inForce), ...new Set(places.flatMap((one) => one.problems))];
  const sections = [
    limits,
    refused.length === 0 ? [] : ["Providers refused here", ...refused],
    problems.length === 0 ? [] : ["Wrong", ...problems.map((problem) => `  ${problem}`)],
    keys.length === 0 ? [] : ["Keys that count", ...keys],
  ].filter((lines) => lines.length > 0);
  const table = await tableText(["place", "in force", "file"], rows, wiring, stream);
  return [table, ...sections.map((lines) => `${lines.map(oneLine).join("\n")}\n`)].join("\n");
}

function placeText(pack: PackInForce | undefined): string {
  if (pack === undefined) return "-";
  const name = pack.pack === null ? "" : `${pack.pack.name} ${pack.pack.version}`;
  if (pack.standing === "valid") return `${name}, until ${day(pack.pack?.expires ?? 0)}`;
  return `${name === "" ? "" : `${name}, `}${pack.standing.toUpperCase()}`;
}

/** The same for machines. */
export function showJson(inForce: PolicyInForce, places: readonly PolicyPlaceHere[]): object {
  return {
    v: 1,
    policies: inForce.packs.map(({ place, path, standing, pack, problem }) => ({
      place,
      path,
      standing,
      name: pack?.name ?? null,
      version: pack?.version ?? null,
      key_id: pack?.keyId ?? null,
      digest: pack?.digest ?? null,
      expires: pack === null ? null : instant(pack.expires),
      contact: pack?.contact ?? null,
      problem,
    })),
    restrictions: inForce.limits.flatMap(({ policy, limits }) =>
      restrictionsOf(limits).map(([about, left]) => ({ policy, about, left })),
    ),
    refused_providers: inForce.refusedProviders,
    keys: uniqueKeys(places),
    looked_in: places.map(({ place, path }) => ({ place, path })),
  };
}

/** What `ccp policy verify` says of a file. */
export async function inspectionText(
  inspection: Inspection,
  now: number,
  wiring: Wiring,
  stream: TextStream,
): Promise<string> {
  const { oneLine } = await wiring.ui();
  const { policy, keyId, keyPath, problem, digest } = inspection;
  const head = problem === null ? `genuine: ${validity(inspection, now)}` : `REJECTED: ${problem}`;
  if (policy === null) return `${oneLine(head)}\n`;
  const facts = [
    ["policy", `${policy.name}, version ${policy.version}`],
    ["signed by", `${keyId ?? ""}${keyPath === null ? "" : `  ${keyPath}`}`],
    ["holds", `from ${instant(policy.notBefore)} to ${instant(policy.expires)}`],
    ...(digest === null ? [] : [["sha256", digest]]),
    ...(policy.contact === null ? [] : [["ask", policy.contact]]),
    ...(policy.require
      ? [["require", "a project's policy that cannot be verified leaves next to nothing allowed"]]
      : []),
    ...restrictionsOf(policy.limits),
  ];
  const rows = facts.map((row) => [...row]);
  return `${oneLine(head)}\n${await tableText(["", ""], rows, wiring, stream)}`;
}

/** The same for machines. */
export function inspectionJson(inspection: Inspection, now: number): object {
  const { policy, keyId, keyPath, problem, digest } = inspection;
  return {
    v: 1,
    genuine: problem === null,
    holds_now: problem === null && policy !== null && now >= policy.notBefore && now < policy.expires,
    problem,
    key_id: keyId,
    key: keyPath,
    digest,
    name: policy?.name ?? null,
    version: policy?.version ?? null,
    not_before: policy === null ? null : instant(policy.notBefore),
    expires: policy === null ? null : instant(policy.expires),
    contact: policy?.contact ?? null,
    restrictions: policy === null ? [] : restrictionsOf(policy.limits).map(([about, left]) => ({ about, left })),
  };
}

function validity({ policy }: Inspection, now: number): string {
  if (policy === null) return "";
  if (now < policy.notBefore) return `it holds from ${instant(policy.notBefore)} on`;
  return now < policy.expires
    ? `it holds until ${instant(policy.expires)}`
    : `it expired at ${instant(policy.expires)}`;
}

function uniqueKeys(places: readonly PolicyPlaceHere[]): PolicyPlaceHere["keys"] {
  const all = places.flatMap(({ keys }) => keys);
  return all.filter(({ path }, index) => all.findIndex((other) => other.path === path) === index);
}

function instant(at: number): string {
  return new Date(at).toISOString().replace(".000Z", "Z");
}

function day(at: number): string {
  return instant(at).slice(0, 10);
}
