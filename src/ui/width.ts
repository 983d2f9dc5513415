const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });
const ASCII = /^[ -~]*$/;
const WIDTHLESS = /^[\p{Mn}\p{Me}\p{Cf}\p{Cc}]+$/u;
const EMOJI = /\p{Emoji_Presentation}|\p{Extended_Pictographic}\ufe0f|[\d#*]\ufe0f?\u20e3|\p{Regional_Indicator}{2}/u;
/** East Asian wide and fullwidth blocks, as Unicode's EastAsianWidth.txt lists them, rounded to blocks. */
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u;
/** Code units looked at for each column asked for: a letter may carry marks, but not a page of them. */
const UNITS_PER_COLUMN = 16;

/** Columns that a terminal gives to the text, which has no control characters in it. */
export function displayWidth(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes.segment(text)) width += graphemeWidth(segment);
  return width;
}

/** At most `width` columns of the text, an ellipsis where it was cut. */
export function clip(text: string, width: number): string {
  if (width <= 0) return "";
  const head = text.slice(0, width * UNITS_PER_COLUMN).toWellFormed();
  if (head.length === text.length && displayWidth(head) <= width) return text;
  return `${take(head, width - 1)}…`;
}

/** Exactly `width` columns: clipped or padded with spaces. */
export function aligned(text: string, width: number, align: "left" | "right" = "left"): string {
  const clipped = clip(text, width);
  const padding = " ".repeat(Math.max(0, width - displayWidth(clipped)));
  return align === "left" ? clipped + padding : padding + clipped;
}

/**
 * Lines of at most `width` columns, broken at spaces, all but the first indented. A word that is longer stays whole,
 * so that a path can be copied from the terminal.
 */
export function wrapWords(text: string, width: number, indent = "    "): readonly string[] {
  if (displayWidth(text) <= width) return [text];
  const lines: string[] = [];
  let line = "";
  for (const word of text.match(/\s*\S+/g) ?? []) {
    if (line !== "" && displayWidth(line + word) > width) {
      lines.push(line);
      line = indent + word.trimStart();
    } else line += word;
  }
  return [...lines, line];
}

function take(text: string, width: number): string {
  let taken = "";
  let used = 0;
  for (const { segment } of graphemes.segment(text)) {
    used += graphemeWidth(segment);
    if (used > width) break;
    taken += segment;
  }
  return taken;
}

function graphemeWidth(grapheme: string): number {
  if (WIDTHLESS.test(grapheme)) return 0;
  return WIDE.test(grapheme) || EMOJI.test(grapheme) ? 2 : 1;
}
