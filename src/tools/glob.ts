import type { Infer, JsonSchema } from "../core/json.ts";
import { plural } from "../core/words.ts";
import { done, failed, type Tool } from "./tool.ts";

const MOST_PATHS = 1000;

const PARAMETERS = {
  type: "object",
  additionalProperties: false,
  required: ["pattern"],
  properties: {
    pattern: {
      type: "string",
      minLength: 1,
      description: "Such as **/*.test.ts, src/*.{ts,tsx} or package.json. Without a / it matches names at any depth.",
    },
    path: { type: "string", description: "Directory to look in, from the repository's root. Default: the root." },
  },
} as const satisfies JsonSchema;

/** Finds files by name. */
export const glob: Tool<Infer<typeof PARAMETERS>> = {
  name: "glob",
  description: `Finds files by name, hidden ones too; ignored files and directories are left out. At most ${MOST_PATHS} paths, sorted.`,
  parameters: PARAMETERS,
  subject: (args) => args.path ?? ".",
  label: (args) => (args.path === undefined ? args.pattern : `${args.pattern} in ${args.path}`),
  async run(args, { workspace }) {
    const found = await workspace.glob(args.pattern, args.path ?? ".");
    if (!found.ok) return failed(found.reason);
    const paths = found.value;
    if (paths.length === 0) return done(`No file matches ${args.pattern}.`, "no file");
    const lines = paths.slice(0, MOST_PATHS);
    const cut = paths.length > MOST_PATHS;
    const rest = cut ? [`(the first ${MOST_PATHS}; narrow the pattern or give a path to see others)`] : [];
    return done([...lines, ...rest].join("\n"), `${cut ? "more than " : ""}${plural(lines.length, "file")}`);
  },
};
