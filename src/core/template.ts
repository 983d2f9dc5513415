/** A prompt, parsed: literal text and the references in it. */
export type Segment =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "reference"; readonly name: string; readonly offset: number };

const REFERENCE = /\$\{([^${}]*)\}/g;

/** Splits a template at its `${…}` references. Whether a name is known is the caller's question. */
export function parseTemplate(source: string): readonly Segment[] {
  const segments: Segment[] = [];
  let end = 0;
  for (const match of source.matchAll(REFERENCE)) {
    if (match.index > end) segments.push({ kind: "text", text: source.slice(end, match.index) });
    segments.push({ kind: "reference", name: (match[1] ?? "").trim(), offset: match.index });
    end = match.index + match[0].length;
  }
  if (end < source.length) segments.push({ kind: "text", text: source.slice(end) });
  return segments;
}

/** Names that a template refers to. */
export function referencesOf(source: string): readonly Extract<Segment, { kind: "reference" }>[] {
  return parseTemplate(source).filter((segment) => segment.kind === "reference");
}

/** Fills a template. Values go in as they are and are never read again: a `${…}` inside a value stays text. */
export function renderTemplate(source: string, lookUp: (name: string) => string): string {
  return parseTemplate(source)
    .map((segment) => (segment.kind === "text" ? segment.text : lookUp(segment.name)))
    .join("");
}

/** Text from elsewhere (a command, a file, a model), marked so that it reads as data and cannot close its own mark. */
export function quoteData(name: string, text: string): string {
  return `<data name="${name}">\n${text.replace(/<(\s*\/\s*data)/gi, "<\\$1")}\n</data>`;
}
