import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { describe, expect, test } from "vitest";

const SRC = new URL("../src/", import.meta.url);
const files = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => file.split("\\").join("/"));
const sources = new Map(files.map((file) => [file, readFileSync(new URL(file, SRC), "utf8")]));

/** Static, type-only, dynamic imports and re-exports, also those in type positions. */
const IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*["']([^"']+)["']/g;

/** Comments and the insides of strings say nothing about what code does. */
function codeOf(source: string): string {
  return source
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/(^|[^:"'`])\/\/.*$/gm, "$1")
    .replace(/"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g, '""');
}

function importsOf(file: string): readonly string[] {
  return [...(sources.get(file) ?? "").matchAll(IMPORT)].map((match) => match[1] ?? "");
}

/** `core` of `core/run.ts`, `main.ts` of `main.ts`. */
const roomOf = (file: string) => file.split("/")[0] ?? "";
const targetOf = (file: string, specifier: string) => posix.join(posix.dirname(file), specifier);
const isOwn = (specifier: string) => specifier.startsWith(".");

/** `file -> import` for every import of ours that `allowed` does not allow. */
function crossings(allowed: (file: string, targetRoom: string) => boolean): readonly string[] {
  return files.flatMap((file) =>
    importsOf(file)
      .filter(isOwn)
      .filter((specifier) => !allowed(file, roomOf(targetOf(file, specifier))))
      .map((specifier) => `${file} -> ${specifier}`),
  );
}

function filesWith(pattern: RegExp, where: (file: string) => boolean): readonly string[] {
  return files.filter((file) => where(file) && pattern.test(codeOf(sources.get(file) ?? "")));
}

/** Files outside of `room` that import one of `packages`. */
function packageUsers(packages: readonly string[], rooms: readonly string[]): readonly string[] {
  return files.filter(
    (file) =>
      !rooms.includes(roomOf(file)) &&
      importsOf(file).some((specifier) =>
        packages.some((name) => specifier === name || specifier.startsWith(`${name}/`)),
      ),
  );
}

describe("the house", () => {
  test("the test itself sees every kind of import", () => {
    const kinds = [
      'import { a } from "./x.ts"',
      'import type { A } from "./x.ts"',
      'await import("./x.ts")',
      'export * from "./x.ts"',
      'type T = typeof import("./x.ts")',
      'import "./x.ts"',
    ];
    for (const kind of kinds) expect([...kind.matchAll(IMPORT)].map((match) => match[1])).toEqual(["./x.ts"]);
    expect(files.length).toBeGreaterThan(50);
  });

  test("rule 1: a room imports core and itself, nothing else", () => {
    expect(
      crossings((file, target) => {
        const room = roomOf(file);
        if (["main.ts", "wire", "cli"].includes(room)) return true;
        return target === "core" || target === room;
      }),
    ).toEqual([]);
  });

  test("rule 2: only wire knows the other rooms; cli imports core, wire and itself; main imports cli", () => {
    expect(
      crossings((file, target) => {
        const room = roomOf(file);
        if (room === "wire") return target !== "cli";
        if (room === "cli") return ["core", "wire", "cli"].includes(target);
        if (room === "main.ts") return target === "cli";
        return true;
      }),
    ).toEqual([]);
  });

  test("no import cycle", () => {
    const graph = new Map(
      files.map((file) => [
        file,
        importsOf(file)
          .filter(isOwn)
          .map((specifier) => targetOf(file, specifier)),
      ]),
    );
    const done = new Set<string>();
    const visit = (file: string, path: readonly string[]): readonly string[] => {
      if (path.includes(file)) return [[...path.slice(path.indexOf(file)), file].join(" -> ")];
      if (done.has(file)) return [];
      const found = (graph.get(file) ?? []).flatMap((next) => visit(next, [...path, file]));
      done.add(file);
      return found;
    };
    expect(files.flatMap((file) => visit(file, []))).toEqual([]);
  });
});

describe("what is not there", () => {
  test("core imports nothing: no package, no node", () => {
    const offenders = files
      .filter((file) => roomOf(file) === "core")
      .flatMap((file) => importsOf(file).filter((specifier) => !isOwn(specifier)));
    expect(offenders).toEqual([]);
  });

  test("no decision reads a clock, the environment or chance", () => {
    const impure =
      /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bperformance\.now\b|\bprocess\b|\bglobalThis\b|\bcrypto\b/;
    expect(filesWith(impure, (file) => roomOf(file) === "core")).toEqual([]);
  });

  test("each package is at home in its room", () => {
    expect(packageUsers(["better-sqlite3"], ["store"])).toEqual([]);
    expect(
      packageUsers(["@anthropic-ai/sdk", "openai", "ollama", "tiktoken", "@pydantic/genai-prices"], ["providers"]),
    ).toEqual([]);
    expect(
      packageUsers(["simple-git", "execa", "tar", "@vscode/ripgrep", "node:child_process"], ["workspace"]),
    ).toEqual([]);
    expect(packageUsers(["yaml"], ["pipeline"])).toEqual([]);
    expect(packageUsers(["ajv"], ["pipeline", "tools"])).toEqual([]);
    expect(packageUsers(["listr2", "picocolors"], ["ui"])).toEqual([]);
    expect(packageUsers(["commander"], ["cli"])).toEqual([]);
  });

  test("no SQL outside of the store", () => {
    const sql = /\b(SELECT\s+[\w*,\s.]+\s+FROM|INSERT\s+INTO|UPDATE\s+\w+\s+SET|CREATE\s+TABLE|PRAGMA\s)/;
    expect(files.filter((file) => roomOf(file) !== "store" && sql.test(sources.get(file) ?? ""))).toEqual([]);
  });

  test("the environment is read in cli/config.ts, and main.ts alone ends the process", () => {
    expect(filesWith(/\bprocess\s*\.\s*env\b|\bprocess\s*\[/, (file) => file !== "cli/config.ts")).toEqual([]);
    expect(filesWith(/\bprocess\s*\.\s*(exit|abort|exitCode)\b/, (file) => file !== "main.ts")).toEqual([]);
  });

  test("looking at providers and models loads no SDK", () => {
    const entries = [
      "main.ts",
      "wire/wire.ts",
      "wire/models.ts",
      "ui/ui.ts",
      "pipeline/library.ts",
      "providers/lanes.ts",
    ];
    const loaded = loadedWith([...entries, "providers/describe-providers.ts", "providers/describe-models.ts"]);
    expect(loaded.filter((specifier) => /^(@anthropic-ai\/sdk|openai|ollama|tiktoken)(\/|$)/.test(specifier))).toEqual(
      [],
    );
    expect(loadedWith(["pipeline/library.ts"])).toContain("ajv");
  });

  test("no console outside of ui and cli", () => {
    expect(filesWith(/\bconsole\s*\./, (file) => !["ui", "cli"].includes(roomOf(file)))).toEqual([]);
  });

  test("code that runs a model knows no pipelines, and code that runs pipelines knows no models", () => {
    const agent = files.filter((file) => roomOf(file) === "agent").flatMap((file) => importsOf(file));
    expect(agent.filter((specifier) => /\/(pipeline|next|run)\.ts$/.test(specifier))).toEqual([]);
    expect(filesWith(/anthropic|openai|ollama|openrouter/i, (file) => roomOf(file) === "engine")).toEqual([]);
  });

  test("no tool touches a file but through its workspace", () => {
    const offenders = files.filter(
      (file) =>
        roomOf(file) === "tools" &&
        importsOf(file).some((specifier) => /^(node:)?(fs|child_process|net|http)/.test(specifier)),
    );
    expect(offenders).toEqual([]);
  });

  test("no any, no enum, no default export, no name of the house's black list", () => {
    expect(filesWith(/(:|<|\bas)\s*any\b|\benum\s+\w|\bexport\s+default\b/, () => true)).toEqual([]);
    expect(
      filesWith(
        /\b(?:(?:class|interface|function|const)\s+\w*(?:Manager|Service|Handler|Helper|Util)s?\b|type\s+\w*(?:Manager|Service|Handler|Helper|Util)s?\s*[=<])/,
        () => true,
      ),
    ).toEqual([]);
  });

  test("nothing is sent anywhere that the user did not configure: no address but the providers' own", () => {
    const addresses = files.flatMap((file) =>
      [...codeWithStrings(file).matchAll(/https?:\/\/[\w.-]+/g)].map((match) => `${roomOf(file)} ${match[0]}`),
    );
    const known = addresses.filter(
      (address) =>
        !/^(providers |core http:\/\/127\.0\.0\.1|pipeline https:\/\/(json-schema\.org|raw\.githubusercontent\.com))/.test(
          address,
        ) && !/127\.0\.0\.1|localhost|json-schema\.org|example/.test(address),
    );
    expect(known).toEqual([]);
  });
});

/** What a file needs before it can begin: its static imports, theirs, and so on. Types are gone by then. */
function loadedWith(entries: readonly string[]): readonly string[] {
  const loaded = new Set<string>();
  const visit = (file: string): void => {
    if (loaded.has(file)) return;
    loaded.add(file);
    const source = (sources.get(file) ?? "").replace(/^(?:import|export) type\s[^;]*;/gm, "");
    for (const [, specifier = ""] of source.matchAll(/^(?:import|export)\s(?:[^;"]*\bfrom\s+)?"([^"]+)"/gm))
      if (isOwn(specifier)) visit(targetOf(file, specifier));
      else loaded.add(specifier);
  };
  for (const entry of entries) visit(entry);
  return [...loaded];
}

function codeWithStrings(file: string): string {
  return (sources.get(file) ?? "").replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "$1");
}
