/**
 * How keys of well-known services look; a sample of each is in the test. Each begins with letters of its own, and none
 * can be matched in two ways: a long text takes time in proportion to its length.
 */
const PATTERNS: readonly string[] = [
  // Of model providers. With a digit and a capital: `sk-fading-circle-container` is a class in a style sheet.
  String.raw`sk-(?=[\w-]{0,64}[0-9])(?=[\w-]{0,64}[A-Z])[\w-]{20,}`,
  "sk-(?:or-v1-)?[0-9a-f]{32,}",
  "[rs]k_(?:live|test)_[A-Za-z0-9]{16,}",
  "gh[pousr]_[A-Za-z0-9]{36,}",
  "github_pat_[A-Za-z0-9_]{22,}",
  String.raw`glpat-[\w-]{20,}`,
  "A(?:KIA|SIA)[A-Z0-9]{16}(?![A-Za-z0-9])",
  String.raw`AIza[\w-]{35,}`,
  "xox[abeoprs]-[A-Za-z0-9-]{10,}",
  "npm_[A-Za-z0-9]{36,}",
  "hf_[A-Za-z0-9]{34,}",
  String.raw`eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}`,
];

/** Matches what looks like a key of a service. */
export const SECRET_PATTERNS = new RegExp(`(?<![A-Za-z0-9])(?:${PATTERNS.join("|")})`, "g");

const KEY_BEGIN = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----/g;
const KEY_END = /-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----/g;
/** A key of 16,384 bits has some 13,000 letters. */
const LONGEST_KEY = 16_384;
/** Lines of base64, perhaps numbered, quoted or escaped. */
const KEY_BODY = /(?:[\s",\\|:>]{1,8}(?:\d{1,6}[\t|: ]{1,3})?[A-Za-z0-9+/=]{16,})+/y;

/** Replaces private keys in PEM form: whole ones, and as much as there is of one whose end is not there. */
export function withoutPrivateKeys(text: string, instead: string): string {
  if (!text.includes("-----BEGIN ")) return text;
  const parts: string[] = [];
  let at = 0;
  for (const begin of text.matchAll(KEY_BEGIN)) {
    if (begin.index < at) continue;
    const end = endOfKey(text, begin.index, begin.index + begin[0].length);
    if (end === null) continue;
    parts.push(text.slice(at, begin.index), instead);
    at = end;
  }
  return parts.join("") + text.slice(at);
}

/** Null: there is only the line with which one would begin. */
function endOfKey(text: string, start: number, bodyStart: number): number | null {
  KEY_BODY.lastIndex = bodyStart;
  const body = KEY_BODY.exec(text);
  if (body === null && !text.slice(bodyStart, start + LONGEST_KEY).includes("-----END ")) return null;
  KEY_END.lastIndex = bodyStart;
  const rest = KEY_END.exec(text.slice(0, start + LONGEST_KEY));
  if (rest !== null) return rest.index + rest[0].length;
  return body === null ? null : bodyStart + body[0].length;
}
