import type { Diagnostic } from "../core/diagnostic.ts";
import type { ProviderEntry } from "../core/lane.ts";
import type { ValueSource } from "../core/value-source.ts";
import type { Wrong } from "./lane-draft.ts";

/** A complaint about something that has no line: a variable, or a file as a whole. */
export function problem(file: string, message: string, hint: string | null): Diagnostic {
  return { file, line: null, column: null, message, hint };
}

/** A complaint about an entry, at the key that it is about. */
export function entryProblem(file: string, id: string, entry: ProviderEntry, [message, hint, key]: Wrong): Diagnostic {
  const source = entry.sources?.[key ?? ""] ?? entry.sources?.[""];
  return placed(file, source, `provider "${id}": ${message}`, hint);
}

/** A complaint where a value stands; `file`: where that is not known. */
export function placed(
  file: string,
  source: ValueSource | undefined,
  message: string,
  hint: string | null,
): Diagnostic {
  if (source?.kind !== "file") return problem(file, message, hint);
  return { file: source.path, line: source.line, column: source.column ?? 1, message, hint };
}
