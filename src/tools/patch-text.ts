/** One line of a hunk: kept, taken out or put in. */
export interface HunkLine {
  readonly sign: " " | "-" | "+";
  readonly text: string;
}

/** One place of a file that changes. */
export interface Hunk {
  /** Lines after `@@`, from the outside in: the place is below them. */
  readonly heads: readonly string[];
  readonly lines: readonly HunkLine[];
  /** `*** End of File` follows: its last line is the file's. */
  readonly isAtEnd: boolean;
}

/** What a patch does to one file. */
export type FileChange =
  | { readonly kind: "add"; readonly path: string; readonly lines: readonly string[] }
  | { readonly kind: "delete"; readonly path: string }
  | {
      readonly kind: "update";
      readonly path: string;
      /** Null: it keeps its name. */
      readonly moveTo: string | null;
      readonly hunks: readonly Hunk[];
    };

/** A patch as it is meant, or what is wrong with how it is written, for the model. */
export type PatchReading =
  | { readonly ok: true; readonly changes: readonly FileChange[] }
  | { readonly ok: false; readonly reason: string };

/** Reads a patch in the form that GPT models are trained on (V4A). What stands before its first and after its last line is left out. */
export function readPatch(text: string): PatchReading {
  const lines = text.split(/\r?\n/);
  const first = lines.findIndex((line) => line.trim() === "*** Begin Patch");
  const last = lines.findLastIndex((line) => line.trim() === "*** End Patch");
  if (first < 0) return wrong('it does not begin with "*** Begin Patch"');
  if (last < first) return wrong('it has no "*** End Patch": it seems to be cut off');
  const sections = sectionsOf(lines.slice(first + 1, last), first + 2);
  if (!Array.isArray(sections)) return sections;
  if (sections.length === 0) return wrong("it names no file");
  const changes: FileChange[] = [];
  for (const section of sections) {
    const change = changeOf(section);
    if ("reason" in change) return change;
    changes.push(change);
  }
  return { ok: true, changes };
}

/** Every path that a patch speaks of, the new names of moved files among them. */
export function pathsOf(changes: readonly FileChange[]): readonly string[] {
  return changes.flatMap((change) =>
    change.kind === "update" && change.moveTo !== null ? [change.path, change.moveTo] : [change.path],
  );
}

type Wrong = Extract<PatchReading, { ok: false }>;

interface NumberedLine {
  readonly text: string;
  /** In the patch, from 1. */
  readonly number: number;
}

/** The lines of a patch that speak of one file. */
interface Section {
  readonly kind: FileChange["kind"];
  readonly path: string;
  readonly lines: readonly NumberedLine[];
}

const KINDS = { Add: "add", Delete: "delete", Update: "update" } as const;

function sectionsOf(lines: readonly string[], firstNumber: number): Section[] | Wrong {
  const sections: (Section & { readonly lines: NumberedLine[] })[] = [];
  for (const [index, text] of lines.entries()) {
    const header = /^\*\*\* (Add|Delete|Update) File:\s*(.*?)\s*$/.exec(text);
    const number = firstNumber + index;
    if (header !== null) {
      const path = header[2] ?? "";
      if (path === "") return wrong(`line ${number} names no file`);
      sections.push({ kind: KINDS[header[1] as keyof typeof KINDS], path, lines: [] });
    } else if (sections.length > 0) sections.at(-1)?.lines.push({ text, number });
    else if (text.trim() !== "") return wrong(`line ${number} belongs to no file: ${quoted(text)}`);
  }
  return sections;
}

function changeOf({ kind, path, lines }: Section): FileChange | Wrong {
  const meant = withoutBlankEnd(lines);
  if (kind === "add") return additionOf(path, meant);
  if (kind === "update") return updateOf(path, meant);
  return meant[0] === undefined ? { kind, path } : wrong(`${path} is deleted, so line ${meant[0].number} says nothing`);
}

/** Empty lines between two files are no part of either. */
function withoutBlankEnd(lines: readonly NumberedLine[]): readonly NumberedLine[] {
  return lines.slice(0, lines.findLastIndex(({ text }) => text !== "") + 1);
}

function additionOf(path: string, lines: readonly NumberedLine[]): FileChange | Wrong {
  const stray = lines.find(({ text }) => !text.startsWith("+"));
  if (stray !== undefined)
    return wrong(
      `every line of the new ${path} begins with "+", but line ${stray.number} does not: ${quoted(stray.text)}`,
    );
  return { kind: "add", path, lines: lines.map(({ text }) => text.slice(1)) };
}

function updateOf(path: string, lines: readonly NumberedLine[]): FileChange | Wrong {
  const move = /^\*\*\* Move to:\s*(.*?)\s*$/.exec(lines[0]?.text ?? "");
  const moveTo = move?.[1] ?? null;
  const hunks = hunksOf(lines.slice(move === null ? 0 : 1));
  if (!Array.isArray(hunks)) return hunks;
  if (moveTo === "") return wrong(`${path} has no new name after "*** Move to:"`);
  if (hunks.length === 0 && moveTo === null) return wrong(`it says nothing about how ${path} changes`);
  const idle = hunks.findIndex((hunk) => hunk.lines.every(({ sign }) => sign === " "));
  if (idle >= 0) return wrong(`hunk ${idle + 1} of ${path} neither takes a line out nor puts one in`);
  return { kind: "update", path, moveTo, hunks: hunks.map(withoutLastBlank) };
}

type OpenHunk = { heads: string[]; lines: (HunkLine & { readonly isBare: boolean })[]; isAtEnd: boolean };

function hunksOf(lines: readonly NumberedLine[]): OpenHunk[] | Wrong {
  const hunks: OpenHunk[] = [];
  const open = (): OpenHunk => {
    const hunk: OpenHunk = { heads: [], lines: [], isAtEnd: false };
    hunks.push(hunk);
    return hunk;
  };
  for (const { text, number } of lines) {
    const hunk = hunks.at(-1);
    if (text.startsWith("@@")) {
      const head = headOf(text);
      const begun = hunk === undefined || hunk.lines.length > 0 ? open() : hunk;
      if (head !== "") begun.heads.push(head);
    } else if (text.trim() === "*** End of File") (hunk ?? open()).isAtEnd = true;
    else if (text === "") (hunk ?? open()).lines.push({ sign: " ", text, isBare: true });
    else if (isSign(text[0]))
      (hunk === undefined || hunk.isAtEnd ? open() : hunk).lines.push({
        sign: text[0],
        text: text.slice(1),
        isBare: false,
      });
    else return wrong(`line ${number} begins with none of " ", "-", "+" and "@@": ${quoted(text)}`);
  }
  return hunks;
}

/** `@@ def f():`, but also `@@ -1,4 +1,5 @@ def f():`, whose numbers are no promise. */
function headOf(text: string): string {
  return text
    .replace(/^@@( -\d+(,\d+)? \+\d+(,\d+)? @@)?/, "")
    .replace(/@@\s*$/, "")
    .trim();
}

function isSign(letter: string | undefined): letter is HunkLine["sign"] {
  return letter === " " || letter === "-" || letter === "+";
}

/** An empty line at the end of a hunk parts it from the next; as context it would have a space. */
function withoutLastBlank({ heads, lines, isAtEnd }: OpenHunk): Hunk {
  const end = lines.findLastIndex(({ isBare }) => !isBare) + 1;
  return { heads, isAtEnd, lines: lines.slice(0, end).map(({ sign, text }) => ({ sign, text })) };
}

function quoted(line: string): string {
  return JSON.stringify(line.slice(0, 80));
}

function wrong(reason: string): Wrong {
  return { ok: false, reason };
}
