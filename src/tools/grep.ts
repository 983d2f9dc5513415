import type { Infer, JsonSchema } from "../core/json.ts";
import type { GrepMatch } from "../core/ports.ts";
import { plural } from "../core/words.ts";
import { cutTo } from "./text.ts";
import { done, failed, type Tool } from "./tool.ts";

const MOST_MATCHES = 100;
const LONGEST_LINE = 300;

const PARAMETERS = {
  type: "object",
  additionalProperties: false,
  required: ["pattern"],
  properties: {
    pattern: { type: "string", minLength: 1, description: "Regular expression (ripgrep), matched line by line." },
    path: { type: "string", description: "File or directory, from the repository's root. Default: the root." },
    glob: { type: "string", minLength: 1, description: "Only files whose path matches, such as *.ts or src/**/*.py." },
    ignore_case: { type: "boolean", description: "Default: false." },
  },
} as const satisfies JsonSchema;

/** Finds lines by content. */
export const grep: Tool<Infer<typeof PARAMETERS>> = {
  name: "grep",
  description: `Finds lines that match a regular expression, as path:line: text. Ignored and binary files are left out. At most ${MOST_MATCHES} matches; lines are cut at ${LONGEST_LINE} characters.`,
  parameters: PARAMETERS,
  subject: (args) => args.path ?? ".",
  label: (args) =>
    [args.pattern, args.path && `in ${args.path}`, args.glob && `(${args.glob})`].filter(Boolean).join(" "),
  async run(args, { workspace }) {
    const found = await workspace.grep({
      pattern: args.pattern,
      path: args.path ?? ".",
      glob: args.glob ?? null,
      ignoreCase: args.ignore_case ?? false,
      maxMatches: MOST_MATCHES + 1,
    });
    if (!found.ok) return failed(found.reason);
    if (found.value.length === 0) return done("No line matches.", "no match");
    const lines = found.value.slice(0, MOST_MATCHES).map(lineOf);
    const cut = found.value.length > MOST_MATCHES;
    const rest = cut ? [`(the first ${MOST_MATCHES}; narrow the pattern, the path or the glob to see others)`] : [];
    const total = plural(lines.length, "match", "matches");
    return done([...lines, ...rest].join("\n"), `${cut ? "more than " : ""}${total}`);
  },
};

function lineOf(match: GrepMatch): string {
  const text = match.text.length > LONGEST_LINE ? `${cutTo(match.text, LONGEST_LINE)}…` : match.text;
  return `${match.path}:${match.line}: ${text}`;
}
