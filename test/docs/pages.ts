import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../support/cli.ts";

/** A page of ours: Markdown, by its path from the project's folder. */
export interface Page {
  readonly path: string;
  readonly text: string;
}

/** Everything that is written for readers. */
export const PAGES: readonly Page[] = [
  "README.md",
  "CHANGELOG.md",
  ...readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
].map((path) => ({ path, text: readFileSync(join(ROOT, path), "utf8") }));

export function page(path: string): string {
  const found = PAGES.find((candidate) => candidate.path === path);
  if (!found) throw new Error(`there is no page ${path}`);
  return found.text;
}

/** What stands in backticks, in fences or indented: words that a reader would type or look up. */
export function codeIn(text: string): readonly string[] {
  const fences = [...text.matchAll(/^```.*\n([\s\S]*?)^```$/gm)].map((match) => match[1] ?? "");
  const prose = text.replace(/^```[\s\S]*?^```$/gm, "");
  const indented = prose.split("\n").filter((line) => /^ {4}\S/.test(line));
  const spans = [...prose.matchAll(/`([^`\n]+)`/g)].map((match) => match[1] ?? "");
  return [...fences.flatMap((fence) => fence.split("\n")), ...indented, ...spans].map((code) => code.trim());
}

/** The rows of all tables of a text, their cells trimmed; a `\|` inside a cell is not an end. */
export function rowsIn(text: string): readonly (readonly string[])[] {
  const lines = text.split("\n").filter((line) => line.startsWith("|") && !/^\|[-| ]+\|$/.test(line));
  return lines.map((line) =>
    line
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim()),
  );
}
