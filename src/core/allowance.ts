/** What a provider counts. `tokens`: input and output together, or whichever of them is scarcer. */
export type AllowanceUnit = "requests" | "tokens" | "input_tokens" | "output_tokens";

/** What a provider says is left until `resetMs` from now. */
export interface Allowance {
  readonly unit: AllowanceUnit;
  readonly remaining: number;
  /** Null: it did not say what there is when nothing is used. */
  readonly limit: number | null;
  readonly resetMs: number;
}
