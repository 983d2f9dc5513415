/** How one indentation that a model wrote stands in the file. */
interface Pair {
  readonly written: string;
  readonly real: string;
}

/**
 * New lines, indented as the file is, judging by the lines that were sought and those that were found for them. Null when
 * that gives no certain answer: one indentation stands for two, or tabs and spaces cannot be matched.
 */
export function reindent(
  lines: readonly string[],
  sought: readonly string[],
  found: readonly string[],
): readonly string[] | null {
  const pairs = pairsOf(sought, found);
  if (pairs === null) return null;
  const indented = lines.map((line) => (isBlank(line) ? "" : withIndent(line, pairs)));
  return indented.every((line) => line !== null) ? indented : null;
}

/** The white space at the beginning of a line. */
function indentOf(line: string): string {
  return /^[ \t]*/.exec(line)?.[0] ?? "";
}

function isBlank(line: string): boolean {
  return /^[ \t\r\f\v]*$/.test(line);
}

/** Each written indentation with the real one, the deepest first; null when one of them stands for two. */
function pairsOf(sought: readonly string[], found: readonly string[]): readonly Pair[] | null {
  const real = new Map<string, string>();
  for (const [index, line] of sought.entries()) {
    if (isBlank(line)) continue;
    const [written, there] = [indentOf(line), indentOf(found[index] ?? "")];
    if ((real.get(written) ?? there) !== there) return null;
    real.set(written, there);
  }
  const pairs = [...real].map(([written, there]) => ({ written, real: there }));
  return pairs.sort((a, b) => b.written.length - a.written.length);
}

function withIndent(line: string, pairs: readonly Pair[]): string | null {
  const written = indentOf(line);
  const indent = realIndent(written, pairs);
  return indent === null ? null : indent + line.slice(written.length);
}

/** The known indentation nearest below and what comes on top of it, or the nearest above and what is less. */
function realIndent(written: string, pairs: readonly Pair[]): string | null {
  const below = pairs.find((pair) => written.startsWith(pair.written));
  if (below !== undefined) {
    const extra = converted(written.slice(below.written.length), pairs);
    return extra === null ? null : below.real + extra;
  }
  const above = pairs.findLast((pair) => pair.written.startsWith(written));
  const surplus = above && converted(above.written.slice(written.length), pairs);
  if (!above || surplus === null || surplus === undefined || !above.real.endsWith(surplus)) return null;
  return above.real.slice(0, above.real.length - surplus.length);
}

/** White space of the model's in that of the file: as it is, unless one of them has tabs where the other has spaces. */
function converted(extra: string, pairs: readonly Pair[]): string | null {
  if (extra === "") return "";
  const [from, to] = [
    kindOf(pairs.map((pair) => pair.written).join("") + extra),
    kindOf(pairs.map((pair) => pair.real).join("")),
  ];
  if (from === "mixed" || to === "mixed") return null;
  if (to === "none" || from === to) return extra;
  const unit = unitOf(pairs);
  if (unit === null || (extra.length * unit.real) % unit.written !== 0) return null;
  return (to === "tabs" ? "\t" : " ").repeat((extra.length * unit.real) / unit.written);
}

function kindOf(space: string): "none" | "tabs" | "spaces" | "mixed" {
  if (space === "") return "none";
  if (!space.includes(" ")) return "tabs";
  return space.includes("\t") ? "mixed" : "spaces";
}

/** How many characters of the file stand for how many of the model's; null when no line of both is indented. */
function unitOf(pairs: readonly Pair[]): { readonly written: number; readonly real: number } | null {
  const pair = pairs.find(({ written, real }) => written !== "" && real !== "");
  return pair === undefined ? null : { written: pair.written.length, real: pair.real.length };
}
