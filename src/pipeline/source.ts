import { type Document, isAlias, isMap, isNode, isScalar, isSeq, LineCounter, type Node, type Pair } from "yaml";
import type { Diagnostic } from "../core/diagnostic.ts";

/** Keys and indexes from the root of a file to a value in it. An index may be given as text. */
export type Path = readonly (string | number)[];

/** Where something stands: as the user named the file, line and column from 1. */
export interface Place {
  readonly file: string;
  readonly line: number | null;
  readonly column: number | null;
}

/** A file that was read: gives every value its place, so that whoever finds a fault can point at it. */
export interface Source {
  readonly file: string;
  /** The place of a value, or of its key; what is missing is placed at the nearest thing around it. */
  at(path: Path, part?: "key" | "value"): Place;
  /** The place of a piece of text inside a value. */
  within(path: Path, text: string): Place;
}

/** One complaint at one place. */
export function problem(place: Place, message: string, hint: string | null = null): Diagnostic {
  return { file: place.file, line: place.line, column: place.column, message, hint };
}

/** Gives the nodes of a parsed YAML document their places. */
export function sourceOf(document: Document, file: string, text: string, lines: LineCounter): Source {
  const placeOf = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  return {
    file,
    at: (path, part = "value") => placeOf(offsetOf(document, path, part)),
    within: (path, wanted) => {
      const node = find(document, path).node;
      const [from, to] = node?.range ?? [0, text.length];
      const offset = text.slice(from, to).indexOf(wanted);
      return placeOf(offset < 0 ? from : from + offset);
    },
  };
}

/** A source for text that is no YAML: a prompt file. */
export function sourceOfText(file: string, text: string): { readonly atOffset: (offset: number) => Place } {
  const lines = new LineCounter();
  lines.addNewLine(0);
  for (const match of text.matchAll(/\n/g)) lines.addNewLine(match.index + 1);
  return {
    atOffset: (offset) => {
      const { line, col } = lines.linePos(offset);
      return { file, line, column: col };
    },
  };
}

function offsetOf(document: Document, path: Path, part: "key" | "value"): number {
  const { node, key, depth } = find(document, path);
  const wantsKey = part === "key" || depth < path.length || (isScalar(node) && node.value === null);
  const target = wantsKey && key ? key : node;
  return target?.range?.[0] ?? key?.range?.[0] ?? 0;
}

interface Found {
  readonly node: Node | null;
  /** The key that leads to `node`; null in a list and at the root. */
  readonly key: Node | null;
  /** How much of the path was there. */
  readonly depth: number;
}

/** Walks as far along the path as the document goes. An alias is followed to what it stands for. */
function find(document: Document, path: Path): Found {
  let found: Found = { node: document.contents, key: null, depth: 0 };
  for (const segment of path) {
    const next = child(document, found, segment);
    if (next === null) return found;
    found = next;
  }
  return found;
}

function child(document: Document, { node, depth }: Found, segment: string | number): Found | null {
  const target = isAlias(node) ? (node.resolve(document) ?? null) : node;
  if (isMap(target)) {
    const pair = target.items.findLast((item) => keyText(item) === String(segment));
    return pair ? { node: asNode(pair.value), key: asNode(pair.key), depth: depth + 1 } : null;
  }
  if (isSeq(target) && Number(segment) in target.items) {
    return { node: asNode(target.items[Number(segment)]), key: null, depth: depth + 1 };
  }
  return null;
}

function keyText(pair: Pair): string | null {
  return isScalar(pair.key) ? String(pair.key.value) : null;
}

function asNode(value: unknown): Node | null {
  return isNode(value) ? value : null;
}
