import type { Infer, JsonSchema } from "../core/json.ts";
import type { ToolPlace, ToolResult } from "../core/ports.ts";
import { plural } from "../core/words.ts";
import { contentBefore } from "./content-before.ts";
import { diffLines } from "./line-diff.ts";
import { hasMostlyCrlf, viewOf } from "./matching.ts";
import { omissionIn } from "./placeholder.ts";
import { changedSince, seenAs, sightOf } from "./sight.ts";
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

type Arguments = Infer<typeof PARAMETERS>;

const BOM = "\ufeff";

/** Creates a file or replaces it whole. */
export const write: Tool<Arguments> = {
  name: "write",
  description: "Creates a file, or replaces one whole that you have read. It keeps its mode and its line ends.",
  parameters: PARAMETERS,
  subject: (args) => args.path,
  async run(args, place) {
    const before = await contentBefore(args.path, place.workspace);
    if (!before.ok) return failed(`${before.reason}. Nothing was written.`, before.reason);
    const omission = omissionIn(args.content, before.value?.toString("utf8") ?? "");
    if (omission !== null)
      return failed(
        `The content has ${JSON.stringify(omission)} in place of code; nothing was written. Give the whole file, or use edit.`,
        "has a placeholder in place of code",
      );
    return before.value === null ? create(args, place) : replace(args, before.value, place);
  },
};

async function create({ path, content }: Arguments, { workspace }: ToolPlace): Promise<ToolResult> {
  const bytes = Buffer.from(content, "utf8");
  const written = await workspace.writeFile(path, bytes);
  if (!written.ok) return failed(`${written.reason}. Nothing was written.`, written.reason);
  const size = plural(linesOf(content).length, "line");
  return { ...done(`Created ${path}: ${size}.`, `created, ${size}`), seen: [seenAs({ workspace }, path, bytes)] };
}

async function replace({ path, content }: Arguments, before: Buffer, place: ToolPlace): Promise<ToolResult> {
  const bytes = Buffer.from(asBefore(content, before), "utf8");
  const seen = [seenAs(place, path, bytes)];
  if (before.equals(bytes)) return { ...done(`${path} has exactly this content already.`, "unchanged"), seen };
  const sight = sightOf(place, path, before);
  if (sight === "changed") return failed(changedSince(path), "changed since it was last seen");
  if (sight === "unseen" && before.length > 0) return failed(unread(path), "not read before");
  const written = await place.workspace.writeFile(path, bytes);
  if (!written.ok) return failed(`${written.reason}. Nothing was written.`, written.reason);
  const lines = linesOf(content);
  const diff = diffLines(linesOf(before.toString("utf8")), lines);
  const change = `+${diff.added} -${diff.removed}`;
  const text = `Replaced ${path}: ${plural(lines.length, "line")} (${change}).\n${diff.text}`;
  return { ...done(text, `replaced, ${change}`), seen };
}

function unread(path: string): string {
  return `${path} exists, and you have not read it yet: nothing was written. Read it first; then write it whole, or change parts of it with edit.`;
}

/** `read` shows neither CRLF nor the mark at the beginning, so a model that leaves them out does not mean to. */
function asBefore(content: string, before: Buffer): string {
  const view = viewOf(before.toString("latin1"));
  const lined = hasMostlyCrlf(view) && !content.includes("\r\n") ? content.replaceAll("\n", "\r\n") : content;
  const hadMark = before.subarray(0, 3).toString("utf8") === BOM;
  return hadMark && !lined.startsWith(BOM) ? BOM + lined : lined;
}
