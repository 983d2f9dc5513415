import { type Command, Option } from "commander";
import { type Budget, NOTHING_SPENT, type Spend, usedNanos, usedTokens, WINDOWS, type Window } from "../core/budget.ts";
import type { StoredEvent } from "../core/event.ts";
import type { ModelFacts } from "../core/model.ts";
import { formatUsd, type Price } from "../core/money.ts";
import type { Store } from "../core/store.ts";
import {
  projected,
  USAGE_GROUPS,
  type UsageGroup,
  type UsageKnown,
  type UsageLine,
  usageReport,
} from "../core/usage-report.ts";
import { plural } from "../core/words.ts";
import type { Wiring } from "../wire/wire.ts";
import type { CommandContext } from "./command-context.ts";
import { selectRun } from "./select-run.ts";
import { elapsedOf } from "./system-chance.ts";
import { tableText } from "./table-text.ts";
import { showEscalations } from "./usage-escalations.ts";
import { writeJson } from "./write-json.ts";

interface UsageFlags {
  readonly by: UsageGroup;
  readonly escalations?: boolean;
  readonly json?: boolean;
}

/** Adds `ccp usage`. */
export function registerUsage(program: Command, context: CommandContext): void {
  program
    .command("usage")
    .description("what runs have cost: by model, role, lane, run, step or day; what was wasted; your day and week")
    .argument("[rid]", "only this run (default: all of this repository)")
    .addOption(new Option("--by <group>", "how calls are put together").choices([...USAGE_GROUPS]).default("model"))
    .option("--escalations", "what was done where steps were stuck, and what came of it")
    .option("--json", "as JSON")
    .action(async (given: string | undefined, flags: UsageFlags) => {
      const wiring = context.wiring();
      const rid = given === undefined ? null : await selectRun(given, wiring);
      const store = await wiring.store();
      const calls = store.calls(rid);
      if (flags.escalations) return showEscalations({ rid, store, calls }, flags, wiring, context);
      const report = usageReport(calls, flags.by, { dayOf: wiring.chance.day, priceOf: pricesOf(store) });
      const windows = await windowsOf(wiring);
      const { stdout } = context.surroundings;
      if (flags.json) return writeJson(stdout, { v: 1, rid, ...report, windows });
      if (calls.length === 0) stdout.write("no model was called yet\n");
      else {
        const rows = [...report.lines, report.total].map(row);
        stdout.write(await tableText([flags.by, ...HEADERS], rows, wiring, stdout));
        for (const line of remarks(report.total)) stdout.write(`${line}\n`);
      }
      for (const window of windows) stdout.write(`${windowText(window)}\n`);
    });
}

/** What calls were priced by, as their runs have it on record. A run is read when the first of its calls is asked for. */
function pricesOf(store: Pick<Store, "events" | "blob">): UsageKnown["priceOf"] {
  const known = new Map<string, ReadonlyMap<string, Price | null>>();
  return ({ rid, callId }) => {
    const ofRun = known.get(rid) ?? new Map(store.events(rid).flatMap((event) => priced(event, store)));
    known.set(rid, ofRun);
    return ofRun.get(callId) ?? null;
  };
}

function priced(event: StoredEvent, store: Pick<Store, "blob">): readonly (readonly [string, Price | null])[] {
  if (event.type !== "call.reserved" || event.facts === null) return [];
  const facts: ModelFacts = JSON.parse(new TextDecoder().decode(store.blob(event.facts)));
  return [[event.callId, facts.price]];
}

const HEADERS = ["calls", "retries", "fresh in", "cached in", "out", "cost", "cost p50 / p95", "seconds p50 / p95"];

function row(line: UsageLine): readonly string[] {
  const { usage, costSpread, latencySpreadMs } = line;
  return [
    line.name,
    String(line.calls),
    String(line.retries),
    String(usage.freshInput + usage.cacheWrite),
    String(usage.cacheRead),
    String(usage.output),
    formatUsd(line.costNanos),
    `${money(costSpread.p50)} / ${money(costSpread.p95)}`,
    `${seconds(latencySpreadMs.p50)} / ${seconds(latencySpreadMs.p95)}`,
  ];
}

/** What the table has no column for, where there is something to say. */
function remarks(total: UsageLine): readonly string[] {
  const { lost, failed, fallbacks, wastedNanos, driftNanos, heldNanos, missed } = total;
  return [
    wastedNanos > 0
      ? `${formatUsd(wastedNanos)} of it on ${plural(lost, "lost call")}, ${plural(failed, "failed call")} and tries that another followed`
      : "",
    fallbacks > 0 ? `${plural(fallbacks, "time")} another model was asked than before` : "",
    missed.tokens > 0
      ? `${missed.tokens} input tokens were in reach of a provider's cache and paid in full: ${formatUsd(missed.nanos)} more`
      : "",
    heldNanos > 0 ? `${formatUsd(heldNanos)} more is held for calls that are under way or were cut off` : "",
    driftNanos === 0
      ? ""
      : `providers charged ${formatUsd(Math.abs(driftNanos))} ${driftNanos > 0 ? "more" : "less"} than the price list says`,
  ].filter((line) => line !== "");
}

/** What all runs of the user have used of a window, in all repositories. */
interface WindowUse {
  readonly window: Window;
  readonly spend: Spend;
  readonly ceiling: Budget | null;
  readonly projectedNanos: number;
}

async function windowsOf(wiring: Wiring): Promise<readonly WindowUse[]> {
  const [ledger, now] = [await wiring.userLedger(), wiring.chance.now()];
  return WINDOWS.map((window) => {
    const spend = ledger.spend(window, wiring.chance.day(now)) ?? NOTHING_SPENT;
    const ceiling = ledger.ceilings[window] ?? null;
    return { window, spend, ceiling, projectedNanos: projected(usedNanos(spend), elapsedOf(window, now)) };
  });
}

function windowText({ window, spend, ceiling, projectedNanos }: WindowUse): string {
  const of = ceiling?.maxCostNanos === undefined ? "" : ` of ${formatUsd(ceiling.maxCostNanos)}`;
  const tokens = ceiling?.maxTokens === undefined ? "" : `, ${usedTokens(spend)} of ${ceiling.maxTokens} tokens`;
  const used = `this ${window}, in all repositories: ${formatUsd(usedNanos(spend))}${of}${tokens}`;
  return `${used}; at this rate ${formatUsd(projectedNanos)} by its end`;
}

function money(nanos: number | null): string {
  return nanos === null ? "-" : formatUsd(nanos);
}

function seconds(ms: number | null): string {
  return ms === null ? "-" : (ms / 1000).toFixed(1);
}
