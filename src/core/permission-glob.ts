/** Stands in a text for a piece that is not known before the command runs: a variable, the output of another command. */
export const HOLE = "\u0000";

/** How a pattern and a text go together. `possible`: only if what is not known comes out that way. */
export type GlobMatch = "certain" | "possible" | "none";

/** A pattern that was read once, to be held against many texts. */
export interface Glob {
  /** The whole text, never a part of it. Takes time in proportion to the text, whatever is in it. */
  match(text: string): GlobMatch;
}

interface Edge {
  /** One certain character; null: any that the edge takes. */
  readonly char: string | null;
  /** False: not a slash. */
  readonly crosses: boolean;
  readonly to: number;
}

/** One place in a pattern: where it leads without, and with a character. */
interface Node {
  readonly free: number[];
  readonly edges: Edge[];
}

/**
 * In paths `*` stays within a segment and `**` crosses them; in commands both stand for anything at all, and ` *` at the
 * end also for nothing. `?` is one character, `{a,b}` a choice.
 */
export function readGlob(pattern: string, kind: "path" | "command"): Glob {
  const nodes: Node[] = [{ free: [], edges: [] }];
  const last = addPattern(nodes, pattern, kind === "command");
  const literal = /^[^*?{]*/.exec(pattern)?.[0] ?? "";
  const prefix = kind === "command" && pattern.endsWith(" *") ? literal.trimEnd() : literal.replace(/\/$/, "");
  return {
    match(text) {
      if (!text.includes(HOLE)) {
        return text.startsWith(prefix) && walk(nodes, text, false).has(last) ? "certain" : "none";
      }
      if (walk(nodes, text, false).has(last)) return "certain";
      return walk(nodes, text, true).has(last) ? "possible" : "none";
    },
  };
}

function addPattern(nodes: Node[], pattern: string, isCommand: boolean): number {
  const isOpen = isCommand && pattern.endsWith(" *");
  let at = 0;
  for (const [token] of (isOpen ? pattern.slice(0, -2) : pattern).matchAll(/\*\*\/|\*+|\?|\{[^{}]*\}|[\s\S]/gu))
    at = addToken(nodes, at, token, isCommand);
  if (!isOpen) return at;
  const end = addRun(nodes, addText(nodes, at, " "), true);
  nodes[at]?.free.push(end);
  return end;
}

function addToken(nodes: Node[], at: number, token: string, isCommand: boolean): number {
  if (token === "**/") {
    const end = addText(nodes, addRun(nodes, at, true), "/");
    nodes[at]?.free.push(end);
    return end;
  }
  if (token.startsWith("*")) return addRun(nodes, at, isCommand || token.length > 1);
  if (token === "?") return addEdge(nodes, at, null, isCommand);
  if (token.length > 1 && token.startsWith("{")) return addChoice(nodes, at, token.slice(1, -1).split(","));
  return addText(nodes, at, token);
}

function addNode(nodes: Node[]): number {
  return nodes.push({ free: [], edges: [] }) - 1;
}

function addEdge(nodes: Node[], at: number, char: string | null, crosses: boolean): number {
  const to = addNode(nodes);
  nodes[at]?.edges.push({ char, crosses, to });
  return to;
}

function addText(nodes: Node[], at: number, text: string): number {
  let end = at;
  for (const char of text) end = addEdge(nodes, end, char, true);
  return end;
}

function addRun(nodes: Node[], at: number, crosses: boolean): number {
  const run = addNode(nodes);
  nodes[at]?.free.push(run);
  nodes[run]?.edges.push({ char: null, crosses, to: run });
  const end = addNode(nodes);
  nodes[run]?.free.push(end);
  return end;
}

function addChoice(nodes: Node[], at: number, choices: readonly string[]): number {
  const ends = choices.map((choice) => addText(nodes, at, choice));
  const end = addNode(nodes);
  for (const each of ends) nodes[each]?.free.push(end);
  return end;
}

/** The places that a text can lead to. `isGuessing`: a hole is whatever takes it furthest, else only what a `*` takes whole. */
function walk(nodes: readonly Node[], text: string, isGuessing: boolean): ReadonlySet<number> {
  let places = closure(nodes, [0], false);
  for (const char of text) {
    if (places.size === 0) return places;
    if (char === HOLE && isGuessing) {
      places = closure(nodes, places, true);
      continue;
    }
    const next: number[] = [];
    for (const place of places) {
      for (const edge of nodes[place]?.edges ?? []) if (takes(edge, char, place)) next.push(edge.to);
    }
    places = closure(nodes, next, false);
  }
  return places;
}

function takes(edge: Edge, char: string, from: number): boolean {
  if (char === HOLE) return edge.char === null && edge.crosses && edge.to === from;
  return edge.char === null ? edge.crosses || char !== "/" : edge.char === char;
}

function closure(nodes: readonly Node[], from: Iterable<number>, withEdges: boolean): ReadonlySet<number> {
  const found = new Set(from);
  for (const place of found) {
    for (const next of nodes[place]?.free ?? []) found.add(next);
    if (withEdges) for (const { to } of nodes[place]?.edges ?? []) found.add(to);
  }
  return found;
}
