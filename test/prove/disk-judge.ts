import { existsSync } from "node:fs";
import { join } from "node:path";
import type { StoredEvent } from "../../src/core/event.ts";
import { SqliteStore } from "../../src/store/sqlite-store.ts";
import { callOf } from "../support/doors.ts";
import { leavings, leftOver } from "../support/kill-world.ts";
import { type Journal, settledCalls } from "./disk-journal.ts";
import { type DiskWorld, type Ended, runCommand } from "./disk-world.ts";

/** What a run leaves that nothing has disturbed. */
export type UndisturbedEnd = Readonly<Record<string, string>>;

/** An instant of a case: what was on record then must not be asked for after it. */
export interface Mark {
  readonly sent: number;
  readonly settled: readonly string[];
}

/** Exit codes of a ccp that a disk has stopped, or that has not noticed. */
const DISK = 9;

/** What is wrong with how ccp ended on a disk that fails: nothing, where it said clearly what happened and what to do. */
export function complaintsAbout({ code, signal, stdout, stderr, isHung }: Ended, folder: string): readonly string[] {
  const said = stderr.trim().split("\n").slice(0, 3).join(" | ");
  if (isHung) return [`it hung (${said})`];
  if (signal !== null) return [`it was ended by ${signal} (${said})`];
  if (/^\s+at .*:\d+|should not have happened/m.test(stderr)) return [`exit ${code}, raw: ${said}`];
  if (code === 0) return [];
  if (code !== DISK) return [`exit ${code}: ${said || lastReason(stdout)}`];
  const [headline = "", ...rest] = stderr.trim().split("\n");
  return [
    ...(headline.startsWith("ccp: ") ? [] : [`no headline: ${said}`]),
    ...(namesFile(headline, folder) ? [] : [`no file is named: ${said}`]),
    ...(rest.some((line) => /^ {2}\S/.test(line)) ? [] : [`no word on what to do: ${said}`]),
  ];
}

/** A path of ccp's own, or what git says about one. */
function namesFile(headline: string, folder: string): boolean {
  return headline.includes(folder) || /\(git: .*(\.lock|\.git|file|object|directory|pack|index)/i.test(headline);
}

function lastReason(stdout: string): string {
  try {
    return String(JSON.parse(stdout.trim().split("\n").at(-1) ?? "").reason);
  } catch {
    return "no word";
  }
}

/** Takes down what must not be asked for again from now on. */
export function markOf(world: DiskWorld, { events }: Journal): Mark {
  return { sent: world.doors.exchanges.length, settled: settledCalls(events) };
}

/** What is wrong after the disk has healed and the run was brought to its end; nothing, where all is as undisturbed. */
export async function bringToEnd(
  world: DiskWorld,
  undisturbed: UndisturbedEnd,
  marks: readonly Mark[] = [],
): Promise<readonly string[]> {
  const found = readWithWords(world);
  if (typeof found === "string") return [found];
  if (found.integrity !== "ok") return [`integrity_check after the fault: ${found.integrity}`];
  const before = markOf(world, found);
  const again = await goOn(world, found);
  if (again.code !== 0) {
    const said = again.stderr.trim() || lastReason(again.stdout);
    return [again.isHung ? "the resume hung" : `the resume ended with ${again.code}: ${said.split("\n").join(" | ")}`];
  }
  const after = readWithWords(world);
  if (typeof after === "string") return [after];
  return [
    ...differences(world, after, undisturbed),
    ...(isTriedAgain(after)
      ? ["a step was tried again"]
      : [...marks, before].flatMap((mark) => askedAgain(world, mark))),
    ...ledgerFaults(world, after),
    ...(after.integrity === "ok" ? [] : [`integrity_check at the end: ${after.integrity}`]),
  ];
}

/** The journal, or why it cannot be read. */
function readWithWords(world: DiskWorld): Journal | string {
  try {
    return world.journal();
  } catch (thrown) {
    return `the journal cannot be read: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
  }
}

/** What a person would do: begin again where nothing had begun, else go on; files of a run that has ended are mended. */
function goOn(world: DiskWorld, { run }: Journal): Promise<Ended> {
  if (run === null) return world.ccp(runCommand(world));
  return world.ccp(run.status === "succeeded" ? ["view", run.rid] : ["resume", run.rid, "--json"]);
}

function differences(world: DiskWorld, { run }: Journal, undisturbed: UndisturbedEnd): readonly string[] {
  let left: UndisturbedEnd;
  try {
    left = leavings(world.root, run?.rid ?? "");
  } catch (thrown) {
    return [
      `something is missing: ${thrown instanceof Error ? thrown.message.trim().split("\n").join(" | ") : thrown}`,
    ];
  }
  const other = Object.keys(undisturbed).filter((name) => left[name] !== undisturbed[name]);
  return other.length === 0 ? [] : [`not as undisturbed: ${other.join(", ")} (status ${left.status})`];
}

/** No step of this run fails by itself: a second conversation asks for all again. */
function isTriedAgain({ events }: Journal): boolean {
  return events.some((event) => event.type === "step.started" && event.conversation > 1);
}

function askedAgain(world: DiskWorld, { sent, settled }: Mark): readonly string[] {
  const later = new Set(world.doors.exchanges.slice(sent).map(callOf));
  return [...later].filter((call) => settled.includes(call)).map((call) => `paid twice: ${call}`);
}

/** All that reached the server is on record, settled or lost; booked as recorded; nothing is held; nothing is left over. */
function ledgerFaults(world: DiskWorld, { run, events, spend }: Journal): readonly string[] {
  const charged = events.reduce((sum, event) => sum + chargeOf(event), 0);
  const sent = world.doors.exchanges.map(callOf);
  const recorded = events.flatMap((event) =>
    event.type === "call.reserved" ? [`${event.model.slice("anthropic/".length)} ${event.turn}`] : [],
  );
  const count = (calls: readonly string[], name: string) => calls.filter((call) => call === name).length;
  return [
    ...[...new Set(sent)]
      .filter((name) => count(sent, name) > count(recorded, name))
      .map(
        (name) => `the server was asked ${count(sent, name)} times for ${name}, on record are ${count(recorded, name)}`,
      ),
    ...(spend?.settledNanos === charged ? [] : [`the ledger says ${spend?.settledNanos}, the events ${charged}`]),
    ...(spend?.heldNanos === 0 && spend.heldTokens === 0 ? [] : [`${spend?.heldNanos} nano-dollars are still held`]),
    ...whatIsLeft(world, run?.rid ?? ""),
  ];
}

function chargeOf(event: StoredEvent): number {
  if (event.type === "call.lost") return event.heldNanos;
  return event.type === "call.settled" ? event.costNanos : 0;
}

function whatIsLeft(world: DiskWorld, rid: string): readonly string[] {
  const stateDir = join(world.root, ".git", "ccp");
  if (!existsSync(join(stateDir, "spool"))) return [];
  const store = new SqliteStore(stateDir);
  try {
    return leftOver(world, rid, store).map((what) => `left over: ${what}`);
  } finally {
    store.close();
  }
}
