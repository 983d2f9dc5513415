import type { Infer, JsonSchema } from "../core/json.ts";
import { plural } from "../core/words.ts";
import { pathFromRoot } from "./sight.ts";
import { cutTo, headAndTail } from "./text.ts";
import { done, type Tool } from "./tool.ts";

const MOST_BYTES = 30 * 1024;
/** Of one file, so that none of them hides the others. */
const MOST_BYTES_OF_ONE = 10 * 1024;
const LONGEST_LINE = 500;

const PARAMETERS = {
  type: "object",
  additionalProperties: false,
  properties: { path: { type: "string", description: "File or directory, from the repository's root. Default: all." } },
} as const satisfies JsonSchema;

type Arguments = Infer<typeof PARAMETERS>;

/** Shows what the run has changed since it began. */
export const diff: Tool<Arguments> = {
  name: "diff",
  description: `Shows what this run has changed in the repository so far, as a unified diff; ignored files are not in it. At most ${MOST_BYTES / 1024} KB: give a path to see one file whole.`,
  parameters: PARAMETERS,
  subject: (args) => args.path ?? ".",
  async run(args, { workspace, session: { trees } }) {
    const below = pathFromRoot(workspace.path, args.path ?? ".");
    const where = below === "" ? "" : ` in ${below}`;
    const bytes = await workspace.diff(trees.base, trees.now, ...(below === "" ? [] : [below]));
    const files = Buffer.from(bytes)
      .toString("utf8")
      .split(/^(?=diff --git )/m);
    const changed = files.filter((file) => file !== "");
    if (changed.length === 0) return done(`Nothing is changed${where}.`, "no change");
    return done(shown(changed), `${plural(changed.length, "file")}${where}`);
  },
};

/** As many files as there is room for; those that are left out are named. */
function shown(files: readonly string[]): string {
  const most = files.length === 1 ? MOST_BYTES : MOST_BYTES_OF_ONE;
  const parts = files.map((file) => headAndTail(withoutLongLines(withoutBinary(file)), most).trimEnd());
  const sizes = parts.map((part) => Buffer.byteLength(part) + 1);
  const fits = parts.filter((_, index) => sizes.slice(0, index + 1).reduce((a, b) => a + b, 0) <= MOST_BYTES + 1024);
  const rest = files.slice(fits.length).map((file) => cutTo(file.split("\n", 1)[0] ?? "", LONGEST_LINE));
  if (rest.length === 0) return fits.join("\n");
  const named = headAndTail(rest.join("\n"), MOST_BYTES_OF_ONE);
  return [...fits, `(${plural(rest.length, "more file")}; give a path to see one)`, named].join("\n");
}

function withoutBinary(file: string): string {
  const [head = "", ...binary] = file.split(/^GIT binary patch\n/m);
  return binary.length === 0 ? file : `${head}(a binary file)\n`;
}

function withoutLongLines(file: string): string {
  const lines = file.split("\n");
  return lines.map((line) => (line.length > LONGEST_LINE ? `${cutTo(line, LONGEST_LINE)}…` : line)).join("\n");
}
