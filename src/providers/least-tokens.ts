/**
 * Characters to a token, blanks and rulers folded, that no tokenizer in use reaches. Measured with o200k and cl100k, the
 * coarser counting, on 41,141 windows of 300 characters (prose, licences, Markdown, JSON, source code in six languages):
 * 3.4 in the median, 5.6 in 999 of 1,000, 6.8 at most; 5.5 at most in windows of 4,000. Only lists of a dozen rare long
 * words go beyond (` telecommunications` is one token). Other alphabets have fewer characters to a token.
 */
export const MOST_CHARACTERS_PER_TOKEN = 8;
/** The longest run of one sign that is one token: `====` in o200k (63.7 measured; of blanks it takes 127). */
const LONGEST_RUN = 64;

/**
 * What can be one token however long it is: blanks, a sign again and again, and the escape of a character, which some
 * servers write where the model wrote the character itself.
 */
const FOLDED = /\\u[0-9a-fA-F]{4}|\s{2,}|(.)\1{3,}/gu;

/**
 * The fewest tokens that a text can be, whatever the tokenizer: about half of the truth for prose and code. For telling
 * what cannot be so from what may be; no bill is made of it.
 */
export function leastTokens(text: string): number {
  let characters = text.length;
  for (const { 0: run } of text.matchAll(FOLDED)) characters -= run.length - (1 + run.length / LONGEST_RUN);
  return Math.max(0, Math.floor(characters / MOST_CHARACTERS_PER_TOKEN));
}
