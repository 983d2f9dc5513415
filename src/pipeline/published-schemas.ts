import { POLICY_PACK_SCHEMA, POLICY_SCHEMA } from "./policy-schema.ts";
import { PROVIDERS_SCHEMA } from "./providers-schema.ts";
import { PIPELINE_SCHEMA, STEP_SCHEMA } from "./schema.ts";
import { USER_CONFIG_SCHEMA } from "./user-config-schema.ts";

const DRAFT = "http://json-schema.org/draft-07/schema#";

/** What editors get: the pipeline's schema, and in its own terms what ccp checks beside it in words. */
export const PUBLISHED_PIPELINE_SCHEMA = {
  $schema: DRAFT,
  title: "A ccp pipeline",
  ...PIPELINE_SCHEMA,
  properties: {
    ...PIPELINE_SCHEMA.properties,
    pipeline: {
      ...PIPELINE_SCHEMA.properties.pipeline,
      items: {
        ...STEP_SCHEMA,
        oneOf: [
          { title: "a step that an agent does", required: ["role"] },
          { title: "a step that a command does", required: ["run"] },
        ],
        dependencies: { prompt: ["role"], until: ["role"], on_ask: ["role"], changes: ["run"], check: ["run"] },
      },
    },
  },
} as const;

/** The same for `providers.yaml`. */
export const PUBLISHED_PROVIDERS_SCHEMA = {
  $schema: DRAFT,
  title: "Providers of ccp",
  ...PROVIDERS_SCHEMA,
} as const;

/** The same for the user's `config.yaml`. */
export const PUBLISHED_USER_CONFIG_SCHEMA = {
  $schema: DRAFT,
  title: "Your configuration of ccp",
  ...USER_CONFIG_SCHEMA,
} as const;

/** The same for a policy, as it is written before somebody signs it. */
export const PUBLISHED_POLICY_SCHEMA = { $schema: DRAFT, title: "A policy of ccp", ...POLICY_SCHEMA } as const;

/** The same for a signed policy. */
export const PUBLISHED_POLICY_PACK_SCHEMA = {
  $schema: DRAFT,
  title: "A signed policy of ccp",
  ...POLICY_PACK_SCHEMA,
} as const;
