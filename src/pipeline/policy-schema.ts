import type { Infer, JsonSchema } from "../core/json.ts";
import { TOOL_NAMES } from "../core/permission.ts";
import {
  INSTANT_PATTERN,
  KEY_ID_PATTERN,
  ONE_LINE_PATTERN,
  POLICY_NAME_PATTERN,
  REACHED_HOST_PATTERN,
  SIGNATURE_PATTERN,
} from "./patterns.ts";

const line = { type: "string", pattern: ONE_LINE_PATTERN, minLength: 1, maxLength: 500 } as const satisfies JsonSchema;
const names = { type: "array", items: line } as const satisfies JsonSchema;
const hosts = {
  type: "array",
  items: { type: "string", pattern: REACHED_HOST_PATTERN },
} as const satisfies JsonSchema;
/** `finish` is no tool that can be taken away: a step ends with it. */
const TOOLS = {
  type: "array",
  items: { type: "string", enum: [...TOOL_NAMES.filter((name) => name !== "finish"), "*"] },
} as const satisfies JsonSchema;

const NAMES = {
  type: "object",
  additionalProperties: false,
  properties: {
    allow: { ...names, description: "Only what matches one of these. Missing: everything; `[]`: nothing." },
    deny: { ...names, description: "And nothing of that which matches one of these." },
  },
} as const satisfies JsonSchema;

const money = {
  usd: { type: "number", minimum: 0, maximum: 1_000_000, description: "US dollars at list price." },
  tokens: { type: "integer", minimum: 0, description: "Input and output tokens together." },
} as const satisfies Readonly<Record<string, JsonSchema>>;
const MONEY = { type: "object", additionalProperties: false, properties: money } as const satisfies JsonSchema;

const BUDGET = {
  type: "object",
  additionalProperties: false,
  description: "Ceilings. What is not given has none; a run's own lower ceiling stays.",
  properties: {
    run: {
      type: "object",
      additionalProperties: false,
      description: "One run.",
      properties: {
        ...money,
        minutes: { type: "number", minimum: 0, description: "Minutes in which the run is driven." },
      },
    },
    planner: { ...MONEY, description: "All steps of this role in one run." },
    doer: { ...MONEY, description: "All steps of this role in one run." },
    reviewer: { ...MONEY, description: "All steps of this role in one run." },
    day: { ...MONEY, description: "All runs of a user on a day." },
    week: { ...MONEY, description: "All runs of a user in a week, from Monday." },
  },
} as const satisfies JsonSchema;

const RULE = {
  type: "object",
  additionalProperties: false,
  required: ["tool", "effect"],
  properties: {
    tool: { type: "string", enum: [...TOOL_NAMES, "*"], description: "A tool, or `*` for all." },
    match: {
      ...line,
      description: "As in a pipeline file: a path, a command of `bash`, `server/tool`. Missing: every call.",
    },
    effect: {
      type: "string",
      enum: ["ask", "deny"],
      description: "A policy allows nothing, so it cannot say `allow`.",
    },
    reason: { ...line, description: "Told to the model when the rule denies, and to the person who is asked." },
  },
} as const satisfies JsonSchema;

/** A policy as people write it, and as it stands in a signed pack. */
export const POLICY_SCHEMA = {
  type: "object",
  additionalProperties: false,
  required: ["name", "version", "not_before", "expires"],
  properties: {
    name: { type: "string", pattern: POLICY_NAME_PATTERN, description: "Versions are counted by key and name." },
    version: { type: "integer", minimum: 1, maximum: 1_000_000_000, description: "Higher with every change." },
    not_before: { type: "string", pattern: INSTANT_PATTERN, description: "It holds from this instant on, in UTC." },
    expires: {
      type: "string",
      pattern: INSTANT_PATTERN,
      description: "From this instant on next to nothing is allowed.",
    },
    contact: { ...line, description: "Whom people are told to ask." },
    require: {
      type: "boolean",
      description:
        "`true`: a project's policy that cannot be verified, and never could, leaves next to nothing allowed.",
    },
    models: { ...NAMES, description: "Globs over `provider/model`; `*` is any text." },
    providers: { ...NAMES, description: "Globs over the names of providers." },
    hosts: { ...hosts, description: "The only hosts at which models and servers of tools are asked." },
    network: { ...hosts, description: "The only hosts that a process may reach; `[]`: none. Requires a sandbox." },
    servers: { ...NAMES, description: "Globs over the names of servers of tools." },
    tools: {
      type: "object",
      additionalProperties: false,
      description: "Tools of agents.",
      properties: {
        allow: { ...TOOLS, description: "Only these. Missing: all; `[]`: none." },
        deny: { ...TOOLS, description: "And none of these." },
      },
    },
    permissions: { type: "array", items: RULE, description: "Rules over tool calls, beside those of the pipeline." },
    budget: BUDGET,
    sandbox: { type: "string", enum: ["required"], description: "Nothing runs where there is no sandbox." },
  },
} as const satisfies JsonSchema;

/** The file that ccp reads: what is restricted, by whom it is signed. */
export const POLICY_PACK_SCHEMA = {
  type: "object",
  additionalProperties: false,
  required: ["policy", "key_id", "signature"],
  properties: {
    policy: POLICY_SCHEMA,
    key_id: {
      type: "string",
      pattern: KEY_ID_PATTERN,
      description: "Which key signed it: `ccp policy keygen` prints it.",
    },
    signature: { type: "string", pattern: SIGNATURE_PATTERN, description: "Ed25519 over the policy, base64." },
  },
} as const satisfies JsonSchema;

/** A policy as it is written. */
export type RawPolicy = Infer<typeof POLICY_SCHEMA>;
