import { isUtf8 } from "node:buffer";
import type { Infer, JsonSchema } from "../core/json.ts";
import type { ToolResult, Workspace } from "../core/ports.ts";
import { plural } from "../core/words.ts";
import { seenAs } from "./sight.ts";
import { cutTo, linesOf } from "./text.ts";
import { done, failed, type Tool } from "./tool.ts";

const MOST_LINES = 2000;
const MOST_BYTES = 50 * 1024;
const LONGEST_LINE = 2000;
/** Where git, too, looks for a NUL byte to tell a binary file. */
const BINARY_PROBE_BYTES = 8000;

const PARAMETERS = {
  type: "object",
  additionalProperties: false,
  required: ["path"],
  properties: {
    path: { type: "string", minLength: 1, description: "File, from the repository's root." },
    offset: { type: "integer", minimum: 1, description: "First line to show. Default: 1." },
    limit: { type: "integer", minimum: 1, maximum: MOST_LINES, description: `Lines to show. Default: ${MOST_LINES}.` },
  },
} as const satisfies JsonSchema;

type Arguments = Infer<typeof PARAMETERS>;

/** Shows a text file, or a part of it. */
export const read: Tool<Arguments> = {
  name: "read",
  description: `Shows a text file, each line after its number and a tab (they are not part of the file). At most ${MOST_LINES} lines or ${MOST_BYTES / 1024} KB at once; lines are cut at ${LONGEST_LINE} characters. For a longer file, go on with offset.`,
  parameters: PARAMETERS,
  subject: (args) => args.path,
  async run(args, { workspace }) {
    const file = await workspace.readFile(args.path);
    if (!file.ok) return explain(args.path, file.reason, workspace);
    const bytes = file.value;
    if (bytes.subarray(0, BINARY_PROBE_BYTES).includes(0))
      return failed(
        `${args.path} is a binary file of ${plural(bytes.length, "byte")}; it is not shown.`,
        "binary file",
      );
    const shown = excerpt(args, bytes);
    return shown.status === "ok" ? { ...shown, seen: [seenAs({ workspace }, args.path, bytes)] } : shown;
  },
};

async function explain(path: string, reason: string, workspace: Workspace): Promise<ToolResult> {
  const listed = await workspace.list(path);
  return failed(listed.ok ? `${path} is a directory; use ls.` : reason);
}

function excerpt(args: Arguments, bytes: Uint8Array): ToolResult {
  const text = new TextDecoder().decode(bytes);
  const lines = linesOf(text);
  if (lines.length === 0) return done("(the file is empty)", "empty");
  const first = args.offset ?? 1;
  if (first > lines.length)
    return failed(`${args.path} has ${plural(lines.length, "line")}; offset ${first} is past its end.`);
  const shown = fitting(lines.slice(first - 1, first - 1 + (args.limit ?? MOST_LINES)), first);
  const last = first + shown.length - 1;
  const notes = [
    last < lines.length ? `(lines ${first}-${last} of ${lines.length}; go on with offset ${last + 1})` : null,
    text.includes("\r\n") ? "(the lines end in CRLF, which edit and write keep)" : null,
    isUtf8(bytes) ? null : "(some bytes are not UTF-8 and show as \ufffd; edit keeps them)",
  ];
  const body = [...shown, ...notes.filter((note) => note !== null)].join("\n");
  return done(
    body,
    first === 1 && last === lines.length ? plural(last, "line") : `lines ${first}-${last} of ${lines.length}`,
  );
}

/** Numbered lines up to the limit of bytes; always at least one. */
function fitting(lines: readonly string[], first: number): readonly string[] {
  const shown: string[] = [];
  let bytes = 0;
  for (const [index, line] of lines.entries()) {
    const numbered = `${first + index}\t${shortened(line)}`;
    bytes += Buffer.byteLength(numbered) + 1;
    if (bytes > MOST_BYTES && shown.length > 0) break;
    shown.push(numbered);
  }
  return shown;
}

function shortened(line: string): string {
  if (line.length <= LONGEST_LINE) return line;
  const start = cutTo(line, LONGEST_LINE);
  return `${start}… (${line.length - start.length} more characters in this line)`;
}
