import type { WindowCeilings } from "../core/budget.ts";
import type { Diagnostic } from "../core/diagnostic.ts";
import { windowCeilingsOf } from "./budgets.ts";
import { sorted } from "./draft.ts";
import { isBlank, readYaml } from "./read-yaml.ts";
import { structureChecker } from "./structure.ts";
import { type RawUserConfig, USER_CONFIG_SCHEMA } from "./user-config-schema.ts";

/** What a user has decided for all runs. */
export interface UserConfig {
  /** A missing window has no ceiling. */
  readonly budget: WindowCeilings;
}

/** A `config.yaml` as the rest of ccp wants it, or everything that is wrong with it. */
export type UserConfigCheck =
  | { readonly ok: true; readonly config: UserConfig }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** The configuration of a user who has none. */
export const NO_USER_CONFIG: UserConfig = { budget: {} };

const checkStructure = structureChecker(USER_CONFIG_SCHEMA);

/** Checks the text of a `config.yaml`. */
export function checkUserConfig(text: string, path: string): UserConfigCheck {
  if (isBlank(text)) return { ok: true, config: NO_USER_CONFIG };
  const yaml = readYaml(text, path);
  if (!yaml.ok) return { ok: false, diagnostics: yaml.diagnostics };
  const { faults, rest } = checkStructure(yaml.json, yaml.source);
  const diagnostics = [...yaml.diagnostics, ...faults.map((fault) => fault.diagnostic)];
  if (diagnostics.length > 0) return { ok: false, diagnostics: sorted(path, diagnostics) };
  const { budget = {} } = rest as RawUserConfig;
  return { ok: true, config: { budget: windowCeilingsOf(budget) } };
}
