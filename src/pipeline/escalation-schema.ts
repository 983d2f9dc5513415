import type { JsonSchema } from "../core/json.ts";
import { DEFAULT_ESCALATION } from "./escalation-defaults.ts";

const text = { type: "string", minLength: 1 } as const satisfies JsonSchema;

/** What a role does where its work is stuck, as a pipeline file spells it. */
export const ESCALATION = {
  description: "What is done where this role's work is stuck. `none`: it is tried again, as often as its steps say.",
  anyOf: [
    { type: "string", enum: ["none"] },
    {
      type: "object",
      additionalProperties: false,
      properties: {
        models: {
          description:
            "Stronger models, the next one first; `[]` for none. Default: the stronger one of the same vendor, unless `--model` names the role's.",
          anyOf: [text, { type: "array", items: text, uniqueItems: true }],
        },
        limit: {
          type: "integer",
          minimum: 0,
          maximum: 20,
          default: DEFAULT_ESCALATION.limit,
          description: "Stronger models that the role may take in one run.",
        },
        diagnose: {
          type: "boolean",
          description:
            "A reviewer's model may be asked what is wrong, once a step. Default: where a step has a reviewer.",
        },
        confidence: {
          type: "number",
          minimum: 0,
          maximum: 1,
          default: DEFAULT_ESCALATION.confidence,
          description: "A doer that finishes with less confidence is doubted. 0: never.",
        },
        uncertainty: {
          type: "number",
          minimum: 0,
          maximum: 1,
          default: DEFAULT_ESCALATION.uncertainty,
          description: "A planner that finishes with more uncertainty is doubted. 1: never.",
        },
      },
    },
  ],
} as const satisfies JsonSchema;
