import type { Infer, JsonSchema } from "../core/json.ts";
import { CAPABILITIES } from "../core/model.ts";
import { ROLE_NAMES } from "../core/pipeline.ts";
import { TASK_KINDS, WEEKDAYS } from "../core/route-rules.ts";
import { HOURS_PATTERN, SHARE_PATTERN } from "./patterns.ts";

const text = { type: "string", minLength: 1 } as const satisfies JsonSchema;
const tokens = { type: "integer", minimum: 1 } as const satisfies JsonSchema;
const share = { type: "string", pattern: SHARE_PATTERN } as const satisfies JsonSchema;
const task = { type: "string", enum: TASK_KINDS } as const satisfies JsonSchema;
const role = { type: "string", enum: ROLE_NAMES } as const satisfies JsonSchema;
const capability = { type: "string", enum: CAPABILITIES } as const satisfies JsonSchema;

/** What models can do, as a list. */
export const CAPABILITY_LIST = {
  type: "array",
  items: capability,
  uniqueItems: true,
} as const satisfies JsonSchema;

const SHARES = {
  type: "object",
  additionalProperties: false,
  properties: {
    day: { ...share, description: "Your ceiling for the day, in config.yaml." },
    week: { ...share, description: "Your ceiling for the week, in config.yaml." },
    run: { ...share, description: "The budget of the run." },
  },
} as const satisfies JsonSchema;

const WHEN = {
  type: "object",
  additionalProperties: false,
  description: "All that is given has to hold; without anything the rule always does.",
  properties: {
    task: {
      description: "What the model is asked for, or a list of it.",
      anyOf: [task, { type: "array", items: task, minItems: 1, uniqueItems: true }],
    },
    role: {
      description: "Who asks, or a list of them.",
      anyOf: [role, { type: "array", items: role, minItems: 1, uniqueItems: true }],
    },
    model: {
      description: "The model that the role would ask first, as a glob or a list of them: `*sonnet*`.",
      anyOf: [text, { type: "array", items: text, minItems: 1, uniqueItems: true }],
    },
    context_at_least: { ...tokens, description: "Estimated tokens of the first request." },
    context_at_most: { ...tokens, description: "Estimated tokens of the first request." },
    left_at_least: { ...SHARES, description: "What is left of a ceiling; where there is none, all of it." },
    left_at_most: { ...SHARES, description: "What is left of a ceiling; where there is none, all of it." },
    hours: {
      type: "string",
      pattern: HOURS_PATTERN,
      description: "Your local time: `22:00-06:00`. The last minute does not count.",
    },
    days: {
      type: "array",
      items: { type: "string", enum: WEEKDAYS },
      minItems: 1,
      uniqueItems: true,
      description: "Days of your local week.",
    },
    cost_at_most: {
      type: "number",
      minimum: 0,
      maximum: 100_000,
      description: "US dollars. A candidate whose first call may cost more is passed over.",
    },
    needs: { ...CAPABILITY_LIST, description: "A candidate that is not known to have these is passed over." },
  },
} as const satisfies JsonSchema;

/** One rule of `routing`. */
export const RULE = {
  type: "object",
  additionalProperties: false,
  required: ["use"],
  properties: {
    name: { type: "string", minLength: 1, maxLength: 60, description: "For people." },
    when: WHEN,
    use: {
      type: "array",
      items: text,
      minItems: 1,
      uniqueItems: true,
      description: "`provider/model`, in order: the first that answers wins.",
    },
  },
} as const satisfies JsonSchema;

/** A rule as it is written. */
export type RawRule = Infer<typeof RULE>;
