import { globMatcher } from "./glob-match.ts";

/**
 * True when the whole of `text` matches `pattern`. In paths `*` stays within a segment and `**` crosses them;
 * `?` is one character and `{a,b}` a choice. `matchesCommand` is the looser form for shell commands.
 */
export function matchesPath(pattern: string, text: string): boolean {
  return globMatcher(pattern)(text);
}

/** True when the whole command matches; `*` stands for anything at all. */
export function matchesCommand(pattern: string, command: string): boolean {
  return toRegExp(pattern).test(command);
}

function toRegExp(pattern: string): RegExp {
  const source = pattern.replace(/\*\*\/|\*\*|\*|\?|\{[^{}]*\}|[.+^$()|[\]\\{}]/g, (token) => {
    if (token === "**/") return "(?:[^]*/)?";
    if (token === "**") return "[^]*";
    if (token === "*") return "[^]*";
    if (token === "?") return "[^]";
    if (token.length > 1) return `(?:${token.slice(1, -1).split(",").map(literal).join("|")})`;
    return literal(token);
  });
  return new RegExp(`^${source}$`);
}

function literal(text: string): string {
  return text.replace(/[.*+?^$()|[\]\\{}]/g, "\\$&");
}
