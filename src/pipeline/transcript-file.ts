import type { Diagnostic } from "../core/diagnostic.ts";
import type { Json } from "../core/json.ts";
import { readYaml } from "./read-yaml.ts";

/** Plain data, or why there is none. */
export type ParsedYaml =
  | { readonly ok: true; readonly json: Json }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** Reads a YAML file whose structure someone else knows: a transcript of the scripted provider. Never throws. */
export function parseYaml(text: string, path: string): ParsedYaml {
  const yaml = readYaml(text, path);
  if (!yaml.ok || yaml.diagnostics.length > 0) return { ok: false, diagnostics: yaml.diagnostics };
  return { ok: true, json: yaml.json as Json };
}
