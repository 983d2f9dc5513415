import type { Diagnostic } from "../core/diagnostic.ts";
import { type EditCheck, isReadOnly, ROLE_NAMES, type RoleName } from "../core/pipeline.ts";
import type { Rule } from "./draft.ts";
import { parseDuration } from "./patterns.ts";
import { badCommandReferences } from "./references.ts";
import type { RawRole } from "./schema.ts";
import { problem } from "./source.ts";

/** A model waits for each check after each of its edits: the step's own checks are there for what takes longer. */
const DEFAULT_TIMEOUT_MS = 20_000;
const LONGEST_TIMEOUT_MS = 300_000;

/** The checks of a role, defaults filled in. */
export function editChecksOf(raw: RawRole | undefined): readonly EditCheck[] {
  return (raw?.edit_checks ?? []).map(({ files, run, timeout }) => ({
    files,
    command: run,
    timeoutMs: (timeout ? parseDuration(timeout) : null) ?? DEFAULT_TIMEOUT_MS,
  }));
}

/** Only a role that edits has edits to check; no check may take long, and none refers to anything. */
export const checkEditChecks: Rule = (draft) =>
  ROLE_NAMES.flatMap((name) =>
    (draft.raw.roles?.[name]?.edit_checks ?? []).flatMap((check, index): readonly Diagnostic[] => {
      const at = (...rest: readonly string[]) => draft.source.at(["roles", name, "edit_checks", index, ...rest]);
      if (isReadOnly(name)) return [problem(at(), idle(name), "give it to the doer")];
      const isLong = (check.timeout ? (parseDuration(check.timeout) ?? 0) : 0) > LONGEST_TIMEOUT_MS;
      const long = problem(at("timeout"), "a check after an edit takes at most 5m", 'use "until" of the step instead');
      const bad = badCommandReferences(check.run, { inputs: [], steps: [], upstream: new Set() });
      return [...(isLong ? [long] : []), ...bad.map(({ message }) => problem(at("run"), message, NO_INPUTS))];
    }),
  );

const NO_INPUTS = "write it out: a check after an edit gets no inputs";

function idle(name: RoleName): string {
  return `the ${name} edits nothing, so there is nothing to check`;
}
