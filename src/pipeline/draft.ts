import type { Diagnostic } from "../core/diagnostic.ts";
import type { RawPipeline, RawStep } from "./schema.ts";
import type { Path, Source } from "./source.ts";
import type { Fault } from "./structure.ts";

/** A file whose structure was looked at: what is faulty is known and left out, so that the rest can be looked at too. */
export interface Draft {
  readonly raw: Partial<RawPipeline>;
  readonly source: Source;
  readonly faults: readonly Fault[];
}

/** Looks for what a schema cannot see. */
export type Rule = (draft: Draft) => readonly Diagnostic[];

/** True when there is a fault at this path or below: what depends on it would only be a second complaint of the same. */
export function isFaulty(draft: Draft, path: Path): boolean {
  return draft.faults.some((fault) => path.every((segment, index) => String(segment) === String(fault.path[index])));
}

/** The steps that can be looked at. */
export function stepsOf(draft: Draft): readonly RawStep[] {
  return draft.raw.pipeline ?? [];
}

/** All complaints in the order of the file, those about other files and about flags after it; none twice. */
export function sorted(file: string, diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const rank = (diagnostic: Diagnostic) => (diagnostic.file === file ? 0 : 1);
  const unique = diagnostics.filter(
    (one, index) => diagnostics.findIndex((other) => samePlace(one, other) && one.message === other.message) === index,
  );
  return unique.toSorted(
    (a, b) =>
      rank(a) - rank(b) ||
      (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) ||
      (a.line ?? 0) - (b.line ?? 0) ||
      (a.column ?? 0) - (b.column ?? 0),
  );
}

function samePlace(a: Diagnostic, b: Diagnostic): boolean {
  return a.file === b.file && a.line === b.line && a.column === b.column;
}
