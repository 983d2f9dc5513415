import type { Infer, JsonSchema } from "../core/json.ts";
import { closestPlaces } from "./closest.ts";
import { diffLines } from "./line-diff.ts";
import { looseMatch } from "./loose-match.ts";
import {
  exactMatches,
  type FileView,
  fromBytes,
  lineNumberAt,
  type Stretch,
  splice,
  toBytes,
  viewOf,
} from "./matching.ts";
import { omissionIn } from "./placeholder.ts";
import { changedSince, seenAs, sightOf } from "./sight.ts";
import { linesOf } from "./text.ts";
import { done, failed, type Tool } from "./tool.ts";

const PARAMETERS = {
  type: "object",
  additionalProperties: false,
  required: ["path", "edits"],
  properties: {
    path: { type: "string", minLength: 1, description: "File, from the repository's root." },
    edits: {
      type: "array",
      minItems: 1,
      description: "Applied in order; if one cannot be, none is.",
      items: {
        type: "object",
        additionalProperties: false,
        required: ["old", "new"],
        properties: {
          old: {
            type: "string",
            minLength: 1,
            description: "Text as it stands in the file, with enough lines around it to be found once.",
          },
          new: { type: "string", description: "What stands there afterwards; empty takes it out." },
          all: { type: "boolean", description: "Replace every place where old stands. Default: false." },
        },
      },
    },
  },
} as const satisfies JsonSchema;

/** Lines that are named where a text stands in too many. */
const MOST_PLACES = 10;

type Arguments = Infer<typeof PARAMETERS>;
type Edit = Arguments["edits"][number];

/** What one edit made of the file, or why it could not be. */
type Edited =
  | { readonly ok: true; readonly bytes: string; readonly note: string | null }
  | { readonly ok: false; readonly reason: string };

/** Changes parts of a file and leaves every other byte as it is. */
export const edit: Tool<Arguments> = {
  name: "edit",
  description:
    "Changes parts of a file. Each old text must be exactly as in the file (without the line numbers that read shows) and be found once. Line ends, file mode and everything else stay as they are. Shows a diff of what it did.",
  parameters: PARAMETERS,
  subject: (args) => args.path,
  async run(args, place) {
    const { workspace } = place;
    const file = await workspace.readFile(args.path);
    if (!file.ok)
      return failed(
        `${file.reason}. Nothing was changed${file.isMissing ? "; write creates files" : ""}.`,
        file.reason,
      );
    const sight = sightOf(place, args.path, file.value);
    if (sight === "changed") return failed(changedSince(args.path), "changed since it was last seen");
    const before = Buffer.from(file.value).toString("latin1");
    const edited = applyAll(before, args, sight === "current");
    if (!edited.ok) return failed(`${edited.reason}\nNothing was changed in ${args.path}.`, "not applied");
    const after = Buffer.from(edited.bytes, "latin1");
    const written = await workspace.writeFile(args.path, after);
    if (!written.ok) return failed(`${written.reason}. Nothing was changed.`, written.reason);
    const diff = diffLines(linesOf(fromBytes(before)), linesOf(fromBytes(edited.bytes)));
    const change = `+${diff.added} -${diff.removed}`;
    const text = [`Edited ${args.path} (${change}).`, ...edited.notes, diff.text].join("\n");
    return { ...done(text, change), seen: [seenAs(place, args.path, after)] };
  },
};

/** `hasRead` false: the model quotes a file that it was never shown, so only its exact words count. */
function applyAll(before: string, args: Arguments, hasRead: boolean) {
  const notes: string[] = [];
  let bytes = before;
  for (const [index, one] of args.edits.entries()) {
    const name = args.edits.length === 1 ? "The edit" : `Edit ${index + 1} of ${args.edits.length}`;
    const edited = applyOne(viewOf(bytes), one, { name, hasRead });
    if (!edited.ok) return edited;
    if (edited.note !== null) notes.push(edited.note);
    bytes = edited.bytes;
  }
  if (bytes === before) return { ok: false as const, reason: "The edits undo each other: the file would not change." };
  return { ok: true as const, bytes, notes };
}

interface Manner {
  /** What the edit is called, to the model. */
  readonly name: string;
  readonly hasRead: boolean;
}

function applyOne(view: FileView, one: Edit, { name, hasRead }: Manner): Edited {
  const [sought, replacement] = [toBytes(one.old), toBytes(one.new)];
  if (sought === replacement)
    return refuse(`${name} has the same text as old and new (line ends are kept as they are).`);
  const omission = omissionIn(one.new, `${one.old}\n${fromBytes(view.bytes)}`);
  if (omission !== null)
    return refuse(`${name} has ${JSON.stringify(omission)} in place of code. Give the new text in full.`);
  const matches = exactMatches(view, sought);
  if (matches.length === 1 || (matches.length > 1 && one.all === true))
    return { ok: true, bytes: splice(view, matches, replacement), note: null };
  if (matches.length === 0) return applyLoosely(view, one, { name, hasRead });
  return refuse(ambiguity(view, matches, name));
}

function applyLoosely(view: FileView, one: Edit, { name, hasRead }: Manner): Edited {
  if (!hasRead) return refuse(`${notFound(view, one.old, name)}\nYou have not read this file yet: read it first.`);
  const match = looseMatch(view, toBytes(one.old), toBytes(one.new));
  if (match === null) return refuse(notFound(view, one.old, name));
  const lines =
    match.firstLine === match.lastLine ? `line ${match.firstLine}` : `lines ${match.firstLine}-${match.lastLine}`;
  return {
    ok: true,
    bytes: splice(view, [match], match.replacement),
    note: `Note: ${name.toLowerCase()} did not match exactly, only but for white space, at ${lines}; the new text was indented to fit. Check the diff.`,
  };
}

function ambiguity(view: FileView, matches: readonly Stretch[], name: string): string {
  const lines = matches.slice(0, MOST_PLACES).map(({ start }) => lineNumberAt(view, start));
  const shown = lines.join(", ") + (matches.length > MOST_PLACES ? ", …" : "");
  return `${name}: its old text stands in ${matches.length} places of ${linesOf(view.text).length} lines (lines ${shown}). Add lines around it until it is found once, or set all to true.`;
}

function notFound(view: FileView, old: string, name: string): string {
  const places = closestPlaces(linesOf(fromBytes(view.bytes)), linesOf(old));
  return places === null
    ? `${name}: its old text is not in the file, nor anything like it. Read the file again.`
    : `${name}: its old text is not in the file. What comes closest, with line numbers:\n${places}`;
}

function refuse(reason: string): Edited {
  return { ok: false, reason };
}
