import type { JsonSchema } from "../core/json.ts";
import { DURATION_PATTERN } from "./patterns.ts";

const text = { type: "string", minLength: 1 } as const satisfies JsonSchema;

/** Commands that look at what an edit has done, as a role spells them. */
export const EDIT_CHECKS = {
  type: "array",
  description: "Commands that are run after an edit; what they say is added to its result.",
  items: {
    type: "object",
    additionalProperties: false,
    required: ["files", "run"],
    properties: {
      files: { ...text, description: "A glob: for which files. Without a `/` it matches names at any depth." },
      run: { ...text, description: "A shell command. `CCP_EDITED_FILES` has the paths, one a line." },
      timeout: { type: "string", pattern: DURATION_PATTERN, description: "Default: `20s`; at most `5m`." },
    },
  },
} as const satisfies JsonSchema;
