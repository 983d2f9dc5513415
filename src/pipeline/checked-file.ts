import type { Diagnostic } from "../core/diagnostic.ts";
import { type Draft, sorted } from "./draft.ts";
import { faultsOf } from "./file-rules.ts";
import { readYaml } from "./read-yaml.ts";
import { PIPELINE_SCHEMA, type RawPipeline } from "./schema.ts";
import { structureChecker } from "./structure.ts";

declare const checked: unique symbol;

/** A file in which nothing is wrong as far as the file itself can tell. Only `examinePipelineFile` makes one. */
export interface CheckedFile extends Draft {
  readonly [checked]: true;
  readonly raw: RawPipeline;
}

/** What is known of a file, sound or not: what can still be looked at comes with the complaints; null where it is not even YAML. */
export type Examination =
  | { readonly ok: true; readonly file: CheckedFile }
  | { readonly ok: false; readonly draft: Draft | null; readonly diagnostics: readonly Diagnostic[] };

const checkStructure = structureChecker(PIPELINE_SCHEMA);

/** Checks the text of a pipeline file by itself: syntax, structure, names, order. Never throws for what is in it. */
export function examinePipelineFile(text: string, path: string): Examination {
  const yaml = readYaml(text, path);
  if (!yaml.ok) return { ok: false, draft: null, diagnostics: yaml.diagnostics };
  const { faults, rest } = checkStructure(yaml.json, yaml.source);
  const draft: Draft = { raw: rest as Partial<RawPipeline>, source: yaml.source, faults };
  const diagnostics = sorted(path, [...yaml.diagnostics, ...faultsOf(draft)]);
  return diagnostics.length > 0 ? { ok: false, draft, diagnostics } : { ok: true, file: draft as CheckedFile };
}
