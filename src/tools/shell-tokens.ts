/** A piece of shell text: part of a word, or a sign that begins or ends something. */
export interface Token {
  readonly kind: "text" | "quote" | "open" | "close" | "space" | "end" | "document";
  /** As it stands in the script. */
  readonly text: string;
  /** What it adds to the word. */
  readonly value: string;
}

/** What decides how a character is read. */
export interface Reading {
  readonly inQuotes: boolean;
  /** What ends the substitution that is being read; null outside of one. */
  readonly closer: ")" | "`" | null;
  readonly word: string | null;
}

/** The token that begins at a place, given what is being read there. */
export function tokenAt(script: string, at: number, frame: Reading): Token {
  const rest = script.slice(at, at + 2);
  const char = rest[0] ?? "";
  const is = (kind: Token["kind"], text = char, value = ""): Token => ({ kind, text, value });
  if (char === "\\") return is("text", rest, rest === "\\\n" ? "" : rest.slice(1));
  if (char === '"') return is("quote");
  if (rest === "$(") return is("open", rest);
  if (char === "`") return is(frame.closer === "`" ? "close" : "open");
  if (frame.inQuotes) return is("text", char, char);
  if (char === "'") return quotedAt(script, at);
  if (char === "#" && frame.word === null) return is("space", /^[^\n]*/.exec(script.slice(at))?.[0] ?? char);
  if (rest === "<<" && script[at + 2] !== "<") return documentAt(script, at) ?? is("text", rest, rest);
  if (rest === "<(" || rest === ">(") return is("open", rest);
  if (char === "(") return is("open");
  if (char === ")") return is(frame.closer === ")" ? "close" : "end");
  if (rest === "&>" || (char === "&" && /[<>]$/.test(frame.word ?? ""))) return is("text", char, char);
  if (/[;&|\n]/.test(char)) return is("end");
  return /\s/.test(char) ? is("space") : is("text", char, char);
}

function quotedAt(script: string, at: number): Token {
  const end = script.indexOf("'", at + 1);
  const text = script.slice(at, end < 0 ? script.length : end + 1);
  return { kind: "text", text, value: text.slice(1, end < 0 ? undefined : -1) };
}

function documentAt(script: string, at: number): Token | null {
  const text = /^<<-?[ \t]*(?:'[^'\n]*'|"[^"\n]*"|\\?[\w.-]+)/.exec(script.slice(at, at + 200))?.[0];
  return text === undefined ? null : { kind: "document", text, value: "" };
}
