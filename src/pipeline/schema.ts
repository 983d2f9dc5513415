import type { Infer, JsonSchema } from "../core/json.ts";
import { EFFECTS, TOOL_NAMES } from "../core/permission.ts";
import { ASK_RULES, INPUT_TYPES, LOST_CALL_RULES, ROLE_NAMES, SANDBOX_MODES } from "../core/pipeline.ts";
import { EDIT_CHECKS } from "./edit-check-schema.ts";
import { ESCALATION } from "./escalation-schema.ts";
import { MCP_SERVERS, NETWORK } from "./mcp-schema.ts";
import {
  ARTIFACT_PATTERN,
  DURATION_PATTERN,
  ID_PATTERN,
  INPUT_NAME_PATTERN,
  INSTRUCTIONS_PATTERN,
  VARIABLE_PATTERN,
} from "./patterns.ts";

const text = { type: "string", minLength: 1 } as const satisfies JsonSchema;
const count = { type: "integer", minimum: 1, maximum: 100 } as const satisfies JsonSchema;
const none = { type: "string", enum: ["none"] } as const satisfies JsonSchema;
const usd = { type: "number", minimum: 0, maximum: 1_000_000 } as const satisfies JsonSchema;
const tokens = { type: "integer", minimum: 1 } as const satisfies JsonSchema;

/** Ceilings as every file of ccp spells them. `none` is no ceiling. */
export const CEILINGS = {
  usd: { description: "US dollars at list price.", anyOf: [usd, none] },
  tokens: { description: "Input and output tokens together.", anyOf: [tokens, none] },
} as const satisfies Readonly<Record<string, JsonSchema>>;

/** The same for spans of the user's calendar. */
export const WINDOW_CEILINGS = {
  day: { type: "object", additionalProperties: false, description: "A day of your calendar.", properties: CEILINGS },
  week: {
    type: "object",
    additionalProperties: false,
    description: "A week of your calendar, from Monday.",
    properties: CEILINGS,
  },
} as const satisfies Readonly<Record<string, JsonSchema>>;

const COMMAND = {
  description: "A shell command, or `{ input: NAME }` for a command that the user gives.",
  anyOf: [
    text,
    {
      type: "object",
      additionalProperties: false,
      required: ["input"],
      properties: { input: { ...text, description: "Name of an input of type `command`." } },
    },
  ],
} as const satisfies JsonSchema;

const INPUT = {
  type: "object",
  additionalProperties: false,
  properties: {
    type: {
      type: "string",
      enum: INPUT_TYPES,
      default: "string",
      description: "`command` is a string that the pipeline may execute: only such an input can stand in `run`.",
    },
    required: { type: "boolean", description: "An input without a default is required unless it is detected." },
    default: {
      description: "The value where none is given.",
      anyOf: [{ type: "string" }, { type: "number" }, { type: "boolean" }],
    },
    description: { ...text, description: "Shown where the value is asked for." },
    detect: {
      type: "string",
      enum: ["test"],
      description: "`test`: the project's own test command, read from package.json, pyproject.toml and the like.",
    },
  },
} as const satisfies JsonSchema;

const BUDGET = {
  type: "object",
  additionalProperties: false,
  description: "Ceilings of a run. What is not given has its default; `none` is no ceiling.",
  properties: {
    usd: { description: "US dollars at list price. Default: 2.00.", anyOf: [usd, none] },
    tokens: { description: "Input and output tokens together. Default: none.", anyOf: [tokens, none] },
    minutes: {
      description: "Minutes in which the run is driven; pauses do not count. Default: 30.",
      anyOf: [{ type: "number", exclusiveMinimum: 0 }, none],
    },
  },
} as const satisfies JsonSchema;

const ROLE_BUDGET = {
  type: "object",
  additionalProperties: false,
  description: "Ceilings of all steps of this role together. Default: a quarter of the run's, the doer's the rest.",
  properties: CEILINGS,
} as const satisfies JsonSchema;

const SAMPLES = {
  type: "array",
  items: text,
  minItems: 1,
} as const satisfies JsonSchema;

const PERMISSION = {
  type: "object",
  additionalProperties: false,
  required: ["tool", "effect"],
  properties: {
    tool: { type: "string", enum: [...TOOL_NAMES, "*"], description: "A tool, or `*` for all." },
    match: {
      ...text,
      description:
        "A glob over the path of a file tool, each command of `bash`, `server/tool` of `mcp_call`. Missing: every call.",
    },
    effect: { type: "string", enum: EFFECTS, description: "Of all rules that match, the strictest decides." },
    reason: { ...text, description: "Told to the model when the rule denies, and to you when it asks." },
    test: {
      type: "object",
      additionalProperties: false,
      description: "Calls that the rule is tried on whenever the file is read.",
      properties: {
        match: { ...SAMPLES, description: "Commands or paths that `match` has to match." },
        not_match: { ...SAMPLES, description: "Commands or paths that it must not." },
      },
    },
  },
} as const satisfies JsonSchema;

const ROLE = {
  type: "object",
  additionalProperties: false,
  properties: {
    models: {
      description: "`provider/model`, or a list of them: the first that answers wins.",
      anyOf: [text, { type: "array", items: text, minItems: 1, uniqueItems: true }],
    },
    tools: {
      type: "array",
      items: { type: "string", enum: TOOL_NAMES },
      uniqueItems: true,
      description:
        "What the role may call; `finish` is always there. Planner and reviewer cannot have edit or write, and bash only where a sandbox is active.",
    },
    permissions: {
      type: "array",
      items: PERMISSION,
      description: "Rules over tool calls: deny before ask before allow.",
    },
    budget: ROLE_BUDGET,
    prompt: {
      ...text,
      description: "Path of a Markdown file, from this file, that replaces the built-in system prompt.",
    },
    mcp: {
      type: "array",
      items: text,
      uniqueItems: true,
      description: "Servers of the file's `mcp` whose tools the role may call.",
    },
    context: {
      type: "object",
      additionalProperties: false,
      description: "How long a conversation of this role may become before it is made smaller.",
      properties: {
        tokens: {
          type: "integer",
          minimum: 4_000,
          description: "Input tokens of one request. Default: what the model's window leaves beside the answer.",
        },
      },
    },
    edit_checks: EDIT_CHECKS,
    escalation: ESCALATION,
    network: { ...NETWORK, description: "What its shell may reach where a sandbox is active. Default: `none`." },
    max_turns: { type: "integer", minimum: 1, maximum: 1000, description: "Model calls of one conversation." },
  },
} as const satisfies JsonSchema;

/** All that a step can hold. Which keys go with `role` and which with `run` is checked beside the schema, in words. */
export const STEP_SCHEMA = {
  type: "object",
  additionalProperties: false,
  properties: {
    role: { type: "string", enum: ROLE_NAMES, description: "An agent does this step." },
    run: {
      ...COMMAND,
      description: "A shell command does this step. `{ input: NAME }` is a command that the user gives.",
    },
    id: { type: "string", pattern: ID_PATTERN, description: "Name of the step. Default: its role, or `run`." },
    needs: {
      description: "Steps that must have succeeded first. Default: the step before; `[]` for none.",
      anyOf: [text, { type: "array", items: text, uniqueItems: true }],
    },
    prompt: {
      ...text,
      description: "What this step adds to the task; may use `${inputs.NAME}` and `${steps.ID.output}`.",
    },
    artifact: {
      type: "string",
      pattern: ARTIFACT_PATTERN,
      description: "File name under which the step's document is kept.",
    },
    timeout: {
      type: "string",
      pattern: DURATION_PATTERN,
      description: "Longest time for one try, such as `90s`, `10m`, `1h`.",
    },
    attempts: { ...count, description: "Tries before the step has failed. Default: 2 for a role, 1 for a command." },
    on_ask: {
      type: "string",
      enum: ASK_RULES,
      default: "deny",
      description:
        "A call wants a person's consent and nobody is there. `deny`: it is refused. `stop`: the run waits (exit 3).",
    },
    changes: {
      type: "string",
      enum: ["discard", "keep"],
      default: "discard",
      description: "What becomes of files that the command changed. `keep` is for formatters and generators.",
    },
    check: { type: "boolean", description: "The command judges the tree: it is also run once before the doer starts." },
    env: {
      type: "array",
      items: { type: "string", pattern: VARIABLE_PATTERN },
      uniqueItems: true,
      description: "Variables of your environment that the step's commands may see. An agent never does.",
    },
    network: {
      ...NETWORK,
      description: "What the step's command or check may reach where a sandbox is active. Default: `none`.",
    },
    until: {
      type: "object",
      additionalProperties: false,
      required: ["run"],
      description: "A check that ends the step: while it fails, the same conversation goes on with its output.",
      properties: {
        run: COMMAND,
        attempts: { ...count, description: "Failures of the check before the try has failed. Default: 3." },
      },
    },
    on_failure: {
      type: "object",
      additionalProperties: false,
      required: ["back_to"],
      description: "When the step has failed, do an earlier one and all after it again, told of the failure.",
      properties: {
        back_to: { ...text, description: "Id of a step that this one comes after." },
        attempts: { ...count, description: "How often. Default: 1." },
      },
    },
  },
} as const satisfies JsonSchema;

/** A pipeline file. What a schema cannot say (names that must exist, cycles) is checked beside it. */
export const PIPELINE_SCHEMA = {
  type: "object",
  additionalProperties: false,
  required: ["pipeline"],
  properties: {
    name: { ...text, description: "Default: the file's name." },
    description: { ...text, description: "One sentence: what the pipeline is for." },
    inputs: {
      type: "object",
      additionalProperties: INPUT,
      propertyNames: { pattern: INPUT_NAME_PATTERN },
      description: "Values that the user gives with `--input NAME=VALUE`. Commands see them as `$CCP_INPUT_NAME`.",
    },
    budget: BUDGET,
    workspace: {
      type: "object",
      additionalProperties: false,
      description: "What a new worktree needs before the first step.",
      properties: {
        copy: {
          type: "array",
          items: text,
          uniqueItems: true,
          description: "Globs of untracked paths to bring along. Default: the ecosystem's dependencies.",
        },
        setup: { ...text, description: "A command that is run once in the new worktree." },
        network: { ...NETWORK, description: "What `setup` may reach where a sandbox is active. Default: `open`." },
      },
    },
    sandbox: {
      type: "string",
      enum: SANDBOX_MODES,
      default: "auto",
      description: "`auto`: where the system can. `required`: refuse to start without.",
    },
    on_lost_call: {
      type: "string",
      enum: LOST_CALL_RULES,
      default: "retry",
      description: "A model call was sent and its outcome is not known. `retry`: ask again. `stop`: wait for you.",
    },
    instructions: {
      type: "array",
      items: { type: "string", pattern: INSTRUCTIONS_PATTERN },
      uniqueItems: true,
      description:
        "Files that are read as `AGENTS.md` and `.agents.md` are: advice of the repository, `CLAUDE.md` say.",
    },
    mcp: MCP_SERVERS,
    roles: {
      type: "object",
      additionalProperties: false,
      description: "What differs from the built-in roles.",
      properties: { planner: ROLE, doer: ROLE, reviewer: ROLE },
    },
    pipeline: { type: "array", minItems: 1, items: STEP_SCHEMA, description: "The steps, in order or by `needs`." },
  },
} as const satisfies JsonSchema;

/** A pipeline file as it is written. */
export type RawPipeline = Infer<typeof PIPELINE_SCHEMA>;
/** One step of it. */
export type RawStep = Infer<typeof STEP_SCHEMA>;
/** What it says of one role. */
export type RawRole = Infer<typeof ROLE>;
/** What it says of one input. */
export type RawInput = Infer<typeof INPUT>;
/** A command: its text, or the input that holds it. */
export type RawCommand = Infer<typeof COMMAND>;
/** The ceilings of a run. */
export type RawBudget = Infer<typeof BUDGET>;
