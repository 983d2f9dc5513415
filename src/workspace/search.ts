import { lstat } from "node:fs/promises";
import { join, relative } from "node:path";
import type { Readable } from "node:stream";
import { globMatcher } from "../core/glob-match.ts";
import type { FileOutcome, GrepMatch } from "../core/ports.ts";
import { type Place, refuse, show } from "./paths.ts";
import type { GrepQuery, Searcher, SearchProgram } from "./searcher.ts";

/** A search that takes longer would be better asked in a narrower way. */
const SEARCH_TIMEOUT_MS = 20_000;
/** Paths of one glob: far more than a model can use, few enough for memory. */
const MOST_PATHS = 10_000;
/** Characters of one matching line: minified files have lines of megabytes. Ripgrep cuts its lines itself, git does not. */
const LONGEST_TEXT = 500;

/** A newline, or the escape of one: an even number of backslashes before it are backslashes. `[^\n]` asks for none. */
const SPANS_LINES = /\n|(?<!\\)(?:\\\\)*\\n/;

/** Files below a place whose path from there, or from the root, matches; a pattern without `/` matches names at any depth. */
export async function searchNames(
  searcher: Searcher,
  place: Place,
  pattern: string,
): Promise<FileOutcome<readonly string[]>> {
  const paths: string[] = [];
  const isMeant = matcherBelow(pattern, place.path);
  const program = await searcher();
  const done = await search(program, { place, args: program.names(below(place)), separator: "\0" }, (record) => {
    const path = fromRoot(record);
    if (isMeant(path)) paths.push(path);
    return paths.length < MOST_PATHS;
  });
  return done.ok ? { ok: true, value: (program.namesLinks ? await filesAmong(place, paths) : paths).sort() } : done;
}

/** Matching lines below a place, in the order of their paths. Binary files are passed over. */
export async function searchText(
  searcher: Searcher,
  place: Place,
  query: GrepQuery,
): Promise<FileOutcome<readonly GrepMatch[]>> {
  if (SPANS_LINES.test(query.pattern.replace(/\[\^[^\]]*\]/g, "")))
    return refuse("a pattern cannot span lines: files are searched line by line");
  const matches: GrepMatch[] = [];
  const isMeant = query.glob === null ? () => true : matcherBelow(query.glob, place.path);
  const take = (match: GrepMatch) => {
    if (isMeant(match.path)) matches.push(match);
    return matches.length < query.maxMatches;
  };
  const program = await searcher();
  const args = program.lines(below(place), query);
  const done = await search(program, { place, args, separator: "\n" }, matchParser(take));
  return done.ok ? { ok: true, value: matches } : done;
}

/** The place as the programs are told it, from the root; empty: the root itself. */
function below(place: Place): string {
  return relative(place.root, place.real);
}

async function filesAmong(place: Place, paths: readonly string[]): Promise<string[]> {
  const found = await Promise.all(paths.map((path) => lstat(join(place.root, path)).catch(() => null)));
  return paths.filter((_, index) => found[index]?.isFile());
}

/** As in .gitignore: `*.ts` is any TypeScript file, `src/*.ts` one directly in `src`. */
function matcherBelow(pattern: string, place: string): (path: string) => boolean {
  const plain = pattern.replace(/^(\.?\/)+/, "").replace(/\/$/, "/**");
  const anywhere = plain.includes("/") ? plain : `**/${plain}`;
  const matches = globMatcher(anywhere);
  return (path) => (path.startsWith(`${place}/`) && matches(path.slice(place.length + 1))) || matches(path);
}

/**
 * Reads `path NUL line:text` (of git, a NUL for the colon). A path may have newlines in it, so what comes without a NUL is
 * the beginning of a path; only the notice about a binary file that was named outright is neither.
 */
function matchParser(take: (match: GrepMatch) => boolean): (record: string) => boolean {
  let begun = "";
  return (record) => {
    const nul = record.indexOf("\0");
    if (nul < 0) {
      begun = record.includes(": binary file matches") ? "" : `${begun}${record}\n`;
      return true;
    }
    const path = fromRoot(begun + record.slice(0, nul));
    begun = "";
    const [number = ""] = /^\d+/.exec(record.slice(nul + 1)) ?? [];
    const text = record.slice(nul + 1 + number.length + 1, nul + 1 + number.length + 1 + LONGEST_TEXT);
    return take({ path, line: Number(number), text: text.replace(/\r$/, "") });
  };
}

function fromRoot(path: string): string {
  return path.startsWith("./") ? path.slice(2) : path;
}

/** Runs a search below a place and hands over its records until `take` has had enough. */
async function search(
  program: SearchProgram,
  { place, args, separator }: { readonly place: Place; readonly args: readonly string[]; readonly separator: string },
  take: (record: string) => boolean,
): Promise<FileOutcome<void>> {
  if (place.missing.length > 0) return refuse(`${show(place.path)} does not exist`);
  const stats = await lstat(place.real);
  if (!stats.isFile() && !stats.isDirectory()) return refuse(`${show(place.path)} is a device, pipe or socket`);
  const { execa } = await import("execa");
  const subprocess = execa(program.file, args, {
    cwd: place.root,
    env: program.env,
    extendEnv: false,
    // A Ctrl-C reaches every process of the terminal's group: half a search would pass for a whole one.
    detached: true,
    stdin: "ignore",
    buffer: { stdout: false },
    reject: false,
    timeout: SEARCH_TIMEOUT_MS,
    forceKillAfterDelay: 500,
  });
  for await (const record of records(subprocess.stdout, separator)) {
    if (take(record)) continue;
    subprocess.kill();
    break;
  }
  const end = await subprocess;
  if (end.timedOut) return refuse(`the search took more than ${SEARCH_TIMEOUT_MS / 1000} s; give a narrower path`);
  const hasFailed = end.exitCode === 2 || end.exitCode === 128;
  return hasFailed && end.stderr !== "" ? refuse(complaintOf(end.stderr)) : { ok: true, value: undefined };
}

async function* records(stream: Readable, separator: string): AsyncGenerator<string> {
  let rest = "";
  stream.setEncoding("utf8");
  for await (const chunk of stream) {
    const parts = (rest + chunk).split(separator);
    rest = parts.pop() ?? "";
    yield* parts;
  }
  if (rest !== "") yield rest;
}

/** The sentence in a complaint that says what is wrong: `error: unclosed group`, `fatal: -e option, '(': missing …`. */
function complaintOf(stderr: string): string {
  const sentence = /^error: (.*)$/m.exec(stderr)?.[1] ?? stderr.split("\n")[0]?.replace(/^(rg|fatal): /, "") ?? "";
  return `the pattern is not a valid regular expression: ${sentence.slice(0, 300)}`;
}
