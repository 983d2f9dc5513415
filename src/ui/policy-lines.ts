import type { EventOf, PolicyOnRecord } from "../core/event.ts";
import type { PolicyName } from "../core/policy.ts";
import type { Run } from "../core/run.ts";
import { type Line, line, quoted } from "./line.ts";

/** Which policies hold, as a part of a line; null: none, and none was rejected. */
export function policyText(policy: PolicyOnRecord | null | undefined): string | null {
  if (!policy || policy.packs.length === 0) return null;
  return `policy ${policy.packs.map(nameText).join(", ")}`;
}

function nameText({ place, standing, name, version }: PolicyName): string {
  const title = name === null ? `of the ${place}` : `${name} ${version} (${place})`;
  return standing === "valid" ? title : `${title} ${standing.toUpperCase()}`;
}

/** Other policies hold from here on. Each step finds out for itself: it is said once. */
export function policyLine({ stepId, policy }: EventOf<"policy.changed">, run: Run): Line | null {
  const isKnown = Object.entries(run.policies).some(
    ([other, { rules }]) => other !== stepId && rules.sha256 === policy.rules.sha256,
  );
  if (isKnown) return null;
  const problems = policy.packs.flatMap(({ problem }) => problem ?? []).map((problem) => `: ${quoted(problem, 300)}`);
  return line("warning", `! from here on ${policyText(policy) ?? "no policy holds"}${problems.join("")}`);
}

/** The policies of a run with what proves them, for whoever checks it afterwards. */
export function policyReport(run: Run): readonly string[] {
  const changed = Object.values(run.policies);
  return [...(run.policy ? [run.policy] : []), ...changed]
    .filter((one, index, all) => all.findIndex(({ rules }) => rules.sha256 === one.rules.sha256) === index)
    .flatMap((policy) => policy.packs.map(proofText));
}

function proofText(pack: PolicyName): string {
  const proof = pack.digest === null ? "" : `, signed by ${pack.keyId}, sha256 ${pack.digest.slice(0, 12)}`;
  const why = pack.problem === null ? "" : `: ${quoted(pack.problem, 300)}`;
  return `policy ${nameText(pack)}${proof}${why}`;
}
