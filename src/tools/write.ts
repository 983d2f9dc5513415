import type { Infer, JsonSchema } from "../core/json.ts";
import { plural } from "../core/words.ts";
import { diffLines } from "./diff.ts";
import { hasMostlyCrlf, viewOf } from "./matching.ts";
import { omissionIn } from "./placeholder.ts";
import { linesOf } from "./text.ts";
import { done, failed, type Tool } from "./tool.ts";

const PARAMETERS = {
  type: "object",
  additionalProperties: false,
  required: ["path", "content"],
  properties: {
    path: { type: "string", minLength: 1, description: "File, from the repository's root. Directories are created." },
    content: { type: "string", description: "The whole file." },
  },
} as const satisfies JsonSchema;

const BOM = "\ufeff";

/** Creates a file or replaces it whole. */
export const write: Tool<Infer<typeof PARAMETERS>> = {
  name: "write",
  description:
    "Creates a file, or replaces one whole; to change parts of a file use edit. A file that is replaced keeps its mode and its line ends.",
  parameters: PARAMETERS,
  subject: (args) => args.path,
  async run(args, { workspace }) {
    const file = await workspace.readFile(args.path);
    const before = file.ok ? Buffer.from(file.value) : null;
    const omission = omissionIn(args.content, before?.toString("utf8") ?? "");
    if (omission !== null)
      return failed(
        `The content has ${JSON.stringify(omission)} in place of code; nothing was written. Give the whole file, or use edit.`,
        "has a placeholder in place of code",
      );
    const bytes = Buffer.from(before === null ? args.content : asBefore(args.content, before), "utf8");
    if (before?.equals(bytes)) return done(`${args.path} has exactly this content already.`, "unchanged");
    const written = await workspace.writeFile(args.path, bytes);
    if (!written.ok) return failed(`${written.reason}. Nothing was written.`, written.reason);
    const lines = linesOf(args.content);
    if (before === null)
      return done(`Created ${args.path}: ${plural(lines.length, "line")}.`, `created, ${plural(lines.length, "line")}`);
    const { added, removed } = diffLines(linesOf(before.toString("utf8")), lines);
    return done(
      `Replaced ${args.path}: ${plural(lines.length, "line")} (+${added} -${removed}).`,
      `replaced, +${added} -${removed}`,
    );
  },
};

/** `read` shows neither CRLF nor the mark at the beginning, so a model that leaves them out does not mean to. */
function asBefore(content: string, before: Buffer): string {
  const view = viewOf(before.toString("latin1"));
  const lined = hasMostlyCrlf(view) && !content.includes("\r\n") ? content.replaceAll("\n", "\r\n") : content;
  const hadMark = before.subarray(0, 3).toString("utf8") === BOM;
  return hadMark && !lined.startsWith(BOM) ? BOM + lined : lined;
}
