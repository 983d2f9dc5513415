import { type Review, reviewContradiction } from "../core/contract.ts";
import type { Json } from "../core/json.ts";
import { oneLine } from "./text.ts";
import type { Tool } from "./tool.ts";

type Value = { readonly [key: string]: Json };

/** Ends the conversation with the role's result. Its parameters are the finish schema of the grant. */
export const finish: Tool<Value> = {
  name: "finish",
  description: "Hands over your result and ends your work. Call it once, when everything else is done, by itself.",
  parameters: { type: "object", description: "Replaced by the role's own schema." },
  subject: verdictOf,
  async run(args) {
    return { status: "ok", text: "Accepted.", summary: oneLine(verdictOf(args)), finish: args };
  },
};

/** What a schema cannot see in a finish value; null when there is nothing. A review is known by its verdict and findings. */
export function finishContradiction(value: unknown): string | null {
  return isReview(value) ? reviewContradiction(value) : null;
}

function isReview(value: unknown): value is Review {
  if (typeof value !== "object" || value === null || !("verdict" in value && "findings" in value)) return false;
  const { findings } = value;
  return Array.isArray(findings) && findings.every((finding) => typeof finding === "object" && finding !== null);
}

function verdictOf(value: Value): string {
  const word = value.verdict ?? value.status;
  return typeof word === "string" ? word : "finished";
}
