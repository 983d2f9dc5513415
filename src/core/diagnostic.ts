/** Something wrong in a file that a user gave us. All of them are reported at once. */
export interface Diagnostic {
  /** As the user named it, or the flag that it came from. */
  readonly file: string;
  /** From 1; null where the place is the file as a whole. */
  readonly line: number | null;
  readonly column: number | null;
  readonly message: string;
  readonly hint: string | null;
}

/** `file:line:column message`, the hint on a line of its own. */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  const place =
    diagnostic.line === null ? diagnostic.file : `${diagnostic.file}:${diagnostic.line}:${diagnostic.column ?? 1}`;
  const hint = diagnostic.hint === null ? "" : `\n  hint: ${diagnostic.hint}`;
  return `${place}  ${diagnostic.message}${hint}`;
}
