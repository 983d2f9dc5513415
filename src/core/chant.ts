/** So often the same words come one after the other before they count as a chant, … */
const TIMES = 6;
/** … and so many characters of them at least: a table of equal rows is shorter. */
const LEAST_CHARACTERS = 600;
/** The longest verse that is noticed, in characters: a paragraph. */
const LONGEST_VERSE = 400;

/** Characters that come between two looks at a text that is still arriving. */
export const CHANT_STRIDE = 400;
/** Characters from its end that a look has to see. */
export const CHANT_WINDOW = TIMES * LONGEST_VERSE;

/** True when somewhere in a text the same words are said again and again. Its cost grows with the text, not faster. */
export function chants(text: string): boolean {
  for (let end = LEAST_CHARACTERS; end < text.length + CHANT_STRIDE; end += CHANT_STRIDE)
    if (chantsAtEnd(text.slice(Math.max(0, end - CHANT_WINDOW), end))) return true;
  return false;
}

/**
 * True when a text ends with the same words again and again. Of a longer text only the last `CHANT_WINDOW` characters
 * are looked at. Rules and tables of zeros have no letters, and are none.
 */
export function chantsAtEnd(text: string): boolean {
  const backwards = [...text.slice(-CHANT_WINDOW).replaceAll(/\s+/g, " ")].reverse();
  const borders = bordersOf(backwards);
  for (let length = backwards.length; length >= LEAST_CHARACTERS; length--) {
    const period = length - (borders[length - 1] ?? 0);
    if (period * TIMES <= length && /\p{L}/u.test(backwards.slice(0, period).join(""))) return true;
  }
  return false;
}

/** For each beginning of a text: how long the longest part is that it both begins and ends with (Knuth, Morris, Pratt). */
function bordersOf(text: readonly string[]): readonly number[] {
  const borders = [0];
  let border = 0;
  for (let at = 1; at < text.length; at++) {
    while (border > 0 && text[at] !== text[border]) border = borders[border - 1] ?? 0;
    if (text[at] === text[border]) border++;
    borders.push(border);
  }
  return borders;
}
