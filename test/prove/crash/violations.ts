import { readFileSync } from "node:fs";
import { join } from "node:path";
import { callViolations } from "./call-violations.ts";
import { lostCalls } from "./calls.ts";
import { NEVER } from "./killed-process.ts";
import type { Picture } from "./picture.ts";
import type { Killed } from "./run-case.ts";
import type { World } from "./world.ts";

/** What is known of a case when its last process has ended. */
export interface Evidence {
  readonly world: World;
  readonly killed: readonly Killed[];
  readonly picture: Picture;
  /** What the run that nobody killed left; null: this is that run. */
  readonly undisturbed: Picture | null;
}

/** What does not hold, each in a line or a few. */
export async function violationsOf(evidence: Evidence): Promise<readonly string[]> {
  const { world, killed, picture, undisturbed } = evidence;
  return [
    ...picture.leftOver.map((line) => `left behind: ${line}`),
    ...inventedWork(picture),
    ...(undisturbed === null ? [] : differences(undisturbed, picture)),
    ...callViolations(killed, picture, world.models.getRequests()),
    ...recordViolations(world, picture),
    ...(await viewViolations(world, picture)),
  ];
}

/** Half-done work of its own that ccp takes for a person's. */
function inventedWork({ events }: Picture): readonly string[] {
  return events.flatMap(({ type }) =>
    type === "workspace.edited" || type === "judgements.voided"
      ? [`${type}, though nobody worked in the worktree`]
      : [],
  );
}

function differences(wanted: Picture, found: Picture): readonly string[] {
  const names = [...new Set([...Object.keys(wanted.left), ...Object.keys(found.left)])];
  return [
    ...names.flatMap((name) => difference(name, wanted.left[name]?.split("\n"), found.left[name]?.split("\n"))),
    ...difference("canonical events", wanted.canonical, found.canonical),
  ];
}

/** The first line that is not the same. */
function difference(
  what: string,
  wanted: readonly string[] | undefined,
  found: readonly string[] | undefined,
): readonly string[] {
  if (wanted === undefined || found === undefined) return [`${what}: ${found ? "should not be there" : "missing"}`];
  const at = Array.from({ length: Math.max(wanted.length, found.length) }).findIndex(
    (_, index) => wanted[index] !== found[index],
  );
  if (at < 0) return [];
  return [`${what}, line ${at + 1}: ${found[at] ?? "(end)"}\n    in the place of ${wanted[at] ?? "(end)"}`];
}

/** run.json and events.ndjson say what the journal says. */
function recordViolations({ root }: World, { rid, record, ledger, events }: Picture): readonly string[] {
  const written = readFileSync(join(root, "results", rid, "events.ndjson"), "utf8");
  const kept = events.map((event) => `${JSON.stringify(event)}\n`).join("");
  return [
    ...(record.status === "succeeded" ? [] : [`run.json says ${record.status}`]),
    ...(record.cost_nanos === ledger.run?.settledNanos ? [] : [`run.json says ${record.cost_nanos} nano-dollars`]),
    ...(record.tokens === ledger.run?.settledTokens ? [] : [`run.json says ${record.tokens} tokens`]),
    ...(written === kept ? [] : ["events.ndjson is not the journal"]),
  ];
}

/** What is lost is said, to people and to programs. */
async function viewViolations(world: World, { rid, events, ledger }: Picture): Promise<readonly string[]> {
  const lost = lostCalls(events).length;
  if (lost === 0) return [];
  const text = await world.ccp(["view", rid], NEVER);
  const json = await world.ccp(["view", rid, "--json"], NEVER);
  const record = JSON.parse(json.stdout) as Picture["record"];
  const told = record.steps.reduce((sum, step) => sum + step.lost_calls, 0);
  return [
    ...(new RegExp(`\\b${lost} calls? lost\\b`).test(text.stdout) ? [] : [`view does not say that ${lost} are lost`]),
    ...(told === lost ? [] : [`view --json says ${told} lost, not ${lost}`]),
    ...(record.cost_nanos === ledger.run?.settledNanos ? [] : [`view --json says ${record.cost_nanos} nano-dollars`]),
  ];
}
