/** Who said a value of the configuration. */
export type ValueSource =
  | { readonly kind: "built-in" }
  | { readonly kind: "environment"; readonly name: string }
  /** `line` and `column` count from 1. */
  | { readonly kind: "file"; readonly path: string; readonly line: number; readonly column?: number };

/** By the words of a providers file: `base_url`, `models.NAME.price.input`. What is missing was said by nobody: a default. */
export type ValueSources = Readonly<Record<string, ValueSource>>;

/** What ccp knows without being told. */
export const BUILT_IN: ValueSource = { kind: "built-in" };
