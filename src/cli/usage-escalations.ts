import { ESCALATION_FACTS, type EscalationLine, escalationReport } from "../core/escalation-report.ts";
import { formatUsd } from "../core/money.ts";
import type { CallRecord, Store } from "../core/store.ts";
import { plural } from "../core/words.ts";
import type { Wiring } from "../wire/wire.ts";
import type { CommandContext } from "./command-context.ts";
import { tableText } from "./table-text.ts";
import { writeJson } from "./write-json.ts";

/** What the journal says. `rid` null: of all runs. */
interface Journal {
  readonly rid: string | null;
  readonly store: Pick<Store, "eventsOf">;
  readonly calls: readonly CallRecord[];
}

/** `ccp usage --escalations`: how often steps were stuck, what was done, what came of it and what it has cost. */
export async function showEscalations(
  { rid, store, calls }: Journal,
  flags: { readonly json?: boolean },
  wiring: Wiring,
  { surroundings: { stdout } }: CommandContext,
): Promise<void> {
  const report = escalationReport(store.eventsOf(ESCALATION_FACTS, rid), calls);
  if (flags.json) return writeJson(stdout, { v: 1, rid, escalations: report });
  if (report.lines.length === 0) return void stdout.write("no step was stuck yet\n");
  const rows = report.lines.map((line) => [line.signal, line.action, ...figures(line)]);
  stdout.write(
    await tableText(["signal", "action", "times", "tried", "won", "share", "cost added"], rows, wiring, stdout),
  );
  const { times, tried, won, addedNanos } = report.total;
  const part = tried === 0 ? "" : ` (${share({ tried, won })})`;
  stdout.write(`${plural(times, "way")} out: ${won} of ${tried} led to success${part}, for ${formatUsd(addedNanos)}\n`);
}

function figures(line: EscalationLine): readonly string[] {
  return [String(line.times), String(line.tried), String(line.won), share(line), formatUsd(line.addedNanos)];
}

function share({ tried, won }: Pick<EscalationLine, "tried" | "won">): string {
  return tried === 0 ? "-" : `${Math.round((100 * won) / tried)} %`;
}
