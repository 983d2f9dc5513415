/**
 * True when the whole of `text` matches `pattern`. In paths `*` stays within a segment and `**` crosses them;
 * `?` is one character and `{a,b}` a choice.
 */
export function matchesPath(pattern: string, text: string): boolean {
  return toRegExp(pattern, "[^/]").test(text);
}

function toRegExp(pattern: string, one: string): RegExp {
  const source = pattern.replace(/\*\*\/|\*\*|\*|\?|\{[^{}]*\}|[.+^$()|[\]\\{}]/g, (token) => {
    if (token === "**/") return "(?:[^]*/)?";
    if (token === "**") return "[^]*";
    if (token === "*") return `${one}*`;
    if (token === "?") return one;
    if (token.length > 1) return `(?:${token.slice(1, -1).split(",").map(literal).join("|")})`;
    return literal(token);
  });
  return new RegExp(`^${source}$`);
}

function literal(text: string): string {
  return text.replace(/[.*+?^$()|[\]\\{}]/g, "\\$&");
}
