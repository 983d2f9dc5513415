import { type Document, LineCounter, parseDocument, visit } from "yaml";
import type { Diagnostic } from "../core/diagnostic.ts";
import { type Place, problem, type Source, sourceOf } from "./source.ts";
import { describeSyntaxError } from "./syntax-words.ts";

/** What became of a YAML file: plain data with its places, or the reason why it has none. */
export type YamlFile =
  | { readonly ok: true; readonly json: unknown; readonly source: Source; readonly diagnostics: readonly Diagnostic[] }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** How often one anchor may be repeated, repetitions of repetitions multiplied: more is a bomb. */
const MAX_ALIASES = 100;
/** Nobody writes a larger one by hand. */
const MAX_LENGTH = 10_000_000;

/**
 * Reads one YAML 1.2 document. Never throws. Faults that leave the rest readable (a key given twice) come with the
 * data, so that they are reported together with whatever else is wrong.
 */
export function readYaml(text: string, file: string): YamlFile {
  const top: Place = { file, line: 1, column: 1 };
  if (text.length > MAX_LENGTH) return unreadable(problem(top, `the file is larger than ${MAX_LENGTH} characters`));
  try {
    return read(text, file, top);
  } catch (thrown) {
    // The parser is recursive: what is nested thousands deep overflows its stack.
    if (thrown instanceof RangeError) return unreadable(problem(top, "the file is nested too deeply"));
    // What the parser throws when the data would be many times as large as the file.
    if (thrown instanceof ReferenceError) return unreadable(problem(top, `too much is repeated with "*"`));
    throw thrown;
  }
}

/** True for nothing but comments: somebody keeps a template for later. */
export function isBlank(text: string): boolean {
  return text.split("\n").every((line) => /^\s*(#.*)?$/.test(line));
}

function read(text: string, file: string, top: Place): YamlFile {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    logLevel: "error",
    stringKeys: true,
  });
  const source = sourceOf(document, file, text, lines);
  const placeOf = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col };
  };
  const faults = [...document.errors, ...document.warnings].map((error) => ({
    recoverable: error.code === "DUPLICATE_KEY",
    ...describeSyntaxError(error, text),
    place: placeOf(error.pos[0]),
  }));
  const diagnostics = firstOfEachLine(faults.map(({ place, message, hint }) => problem(place, message, hint)));
  if (faults.some((fault) => !fault.recoverable)) return { ok: false, diagnostics };
  if (document.contents === null) return unreadable(problem(top, "the file is empty"));
  if (document.directives?.yaml.version !== "1.2")
    return unreadable(problem(top, "only YAML 1.2 is read", 'remove the "%YAML" line'));

  const alias = brokenAlias(document);
  if (alias) return unreadable(problem(placeOf(alias.offset), alias.message));
  return { ok: true, json: document.toJS({ maxAliasCount: MAX_ALIASES }), source, diagnostics };
}

/** One slip of the pen makes a parser stumble several times on a line: the first is the one that helps. */
function firstOfEachLine(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const sorted = diagnostics.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
  return sorted.filter((diagnostic, index) => diagnostic.line !== sorted[index - 1]?.line);
}

/** The first alias that stands for nothing, or for something around itself. */
function brokenAlias(document: Document): { readonly offset: number; readonly message: string } | null {
  let broken: { offset: number; message: string } | null = null;
  visit(document, {
    Alias(_key, alias, ancestors) {
      const target = alias.resolve(document);
      const message = target ? "something that contains it" : `nothing: there is no "&${alias.source}" before it`;
      if (target && !ancestors.includes(target)) return undefined;
      broken = { offset: alias.range?.[0] ?? 0, message: `"*${alias.source}" stands for ${message}` };
      return visit.BREAK;
    },
  });
  return broken;
}

function unreadable(...diagnostics: readonly Diagnostic[]): YamlFile {
  return { ok: false, diagnostics };
}
