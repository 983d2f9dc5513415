import type { Infer, JsonSchema } from "../core/json.ts";
import type { FileEntry } from "../core/ports.ts";
import { plural } from "../core/words.ts";
import { done, failed, type Tool } from "./tool.ts";

const MOST_ENTRIES = 1000;

const PARAMETERS = {
  type: "object",
  additionalProperties: false,
  properties: { path: { type: "string", description: "Directory, from the repository's root. Default: the root." } },
} as const satisfies JsonSchema;

/** Lists a directory. */
export const ls: Tool<Infer<typeof PARAMETERS>> = {
  name: "ls",
  description: `Lists one directory, ignored files included: directories end in /, symlinks in @, files show their size in bytes. At most ${MOST_ENTRIES} entries.`,
  parameters: PARAMETERS,
  subject: (args) => args.path ?? ".",
  async run(args, { workspace }) {
    const listed = await workspace.list(args.path ?? ".");
    if (!listed.ok) return failed(listed.reason);
    const entries = listed.value;
    if (entries.length === 0) return done("(the directory is empty)", "empty");
    const shown = entries.slice(0, MOST_ENTRIES).map(lineOf);
    const rest = entries.length - shown.length;
    if (rest > 0) shown.push(`(${rest} more; use glob with a pattern to narrow it down)`);
    return done(shown.join("\n"), plural(entries.length, "entry", "entries"));
  },
};

function lineOf(entry: FileEntry): string {
  const name = entry.path.slice(entry.path.lastIndexOf("/") + 1);
  if (entry.kind === "directory") return `${name}/`;
  if (entry.kind === "symlink") return `${name}@`;
  return entry.kind === "file" ? `${name}  ${entry.sizeBytes}` : `${name}  (not a file)`;
}
