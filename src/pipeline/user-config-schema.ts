import type { Infer, JsonSchema } from "../core/json.ts";
import { WINDOW_CEILINGS } from "./schema.ts";

/** The user's own `config.yaml`. No project has such a file: what is in it holds over all of them. */
export const USER_CONFIG_SCHEMA = {
  type: "object",
  additionalProperties: false,
  properties: {
    budget: {
      type: "object",
      additionalProperties: false,
      description: "Ceilings over all your runs together, in all repositories. What is not given has none.",
      properties: WINDOW_CEILINGS,
    },
  },
} as const satisfies JsonSchema;

/** A `config.yaml` as it is written. */
export type RawUserConfig = Infer<typeof USER_CONFIG_SCHEMA>;
