import type { DiskKind, Outcome, Verdict } from "./disk-kind.ts";

/** A case and how it went. */
export interface Proven extends Verdict {
  /** From 1, in the order in which they were drawn. */
  readonly number: number;
  readonly label: string;
}

/** What is kept of a kind. */
export interface Figures {
  readonly kind: string;
  readonly title: string;
  /** Why it was not tried; null: it was. */
  readonly skipped: string | null;
  readonly cases: number;
  readonly outcomes: Readonly<Record<Outcome, number>>;
  readonly violations: readonly Proven[];
}

const OUTCOMES: readonly Outcome[] = ["stopped", "not started", "killed", "unharmed"];

/** Counts what became of the cases of a kind. */
export function figuresOf(kind: DiskKind, skipped: string | null, proven: readonly Proven[]): Figures {
  const count = (outcome: Outcome) => proven.filter((one) => one.outcome === outcome).length;
  return {
    kind: kind.name,
    title: kind.title,
    skipped,
    cases: proven.length,
    outcomes: {
      stopped: count("stopped"),
      "not started": count("not started"),
      killed: count("killed"),
      unharmed: count("unharmed"),
    },
    violations: proven.filter(({ violations }) => violations.length > 0),
  };
}

/** The table, and what it takes to see one case again. */
export function reportOf(seed: string, all: readonly Figures[]): string {
  const width = Math.max(...all.map(({ title }) => title.length));
  const head = ["".padEnd(width), ...["cases", ...OUTCOMES, "violations"].map((name) => name.padStart(11))].join(" ");
  const failed = all.reduce((sum, { violations }) => sum + violations.length, 0);
  return [
    `seed ${seed}`,
    head,
    ...all.map((figures) => rowOf(figures, width)),
    failed === 0 ? "no violation" : `${failed} cases with violations; one of them again: the same flags with --only N`,
    "",
  ].join("\n");
}

function rowOf({ title, skipped, cases, outcomes, violations }: Figures, width: number): string {
  if (skipped !== null) return `${title.padEnd(width)}   skipped: ${skipped}`;
  const numbers = [cases, ...OUTCOMES.map((outcome) => outcomes[outcome]), violations.length];
  return [title.padEnd(width), ...numbers.map((number) => String(number).padStart(11))].join(" ");
}
