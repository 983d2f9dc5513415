/** Text in which nothing is hidden, and how many characters had to be written as marks. */
export interface VisibleText {
  readonly text: string;
  readonly marks: number;
}

/**
 * Text with every character that acts without being seen written as a mark, `⟨U+202E⟩`: codes of terminals, turns of the
 * direction of writing, zero-width and tag characters. What a person does not see in a file, a model shall not obey
 * unseen. Newlines and tabs stay; so do the joiners and selectors that letters and emoji need.
 */
export function visibleText(text: string): VisibleText {
  let marks = 0;
  const shown = text.replace(HIDDEN, (character, offset: number) => {
    if (isPartOfASign(character, text.slice(Math.max(0, offset - 3), offset), text.slice(offset + 1, offset + 3)))
      return character;
    marks++;
    return markOf(character);
  });
  return { text: shown, marks };
}

/**
 * Control characters but newline and tab, separators of lines and paragraphs, marks of annotations, and all that Unicode
 * wants drawn as nothing: turns of direction, joiners, selectors, tags, fillers.
 */
const HIDDEN = /[^\P{Cc}\n\t]|[\p{Default_Ignorable_Code_Point}\p{Zl}\p{Zp}\ufff9-\ufffb]/gu;

/** A joiner between signs of a script that needs it, or between emoji; the one selector of an emoji. In Latin text both only hide. */
function isPartOfASign(character: string, before: string, after: string): boolean {
  if (character === "\u200c" || character === "\u200d") return JOINED_BEFORE.test(before) && JOINED_AFTER.test(after);
  return (character === "\ufe0e" || character === "\ufe0f") && /\p{Emoji}$/u.test(before);
}

const JOINED_BEFORE =
  /(?:(?!\p{Script=Latin}|[\ufe00-\ufe0f])[\p{L}\p{M}]|[\p{Extended_Pictographic}\p{Emoji_Modifier}]\ufe0f?)$/u;
const JOINED_AFTER = /^(?:(?!\p{Script=Latin})\p{L}|\p{Extended_Pictographic})/u;

function markOf(character: string): string {
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase();
  return `⟨U+${code.padStart(4, "0")}⟩`;
}
