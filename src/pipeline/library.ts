import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { formatDiagnostic } from "../core/diagnostic.ts";
import { CcpError, EXIT, hasCode, messageOf } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import type { ProvidersFile } from "../core/lane.ts";
import { didYouMean } from "../core/suggest.ts";
import type { LoadContext } from "./context.ts";
import type { Expanded } from "./expand.ts";
import { pipelineCandidates } from "./find.ts";
import { loadPipeline } from "./load.ts";
import { checkProvidersFile } from "./providers-file.ts";
import { checkTemplates, TEMPLATE_NAMES, type Templates } from "./templates.ts";
import { parseYaml } from "./transcript-file.ts";
import { checkUserConfig, NO_USER_CONFIG, type UserConfig } from "./user-config.ts";

/** Where the library reads. All absolute. */
export interface LibraryPlaces {
  readonly packageRoot: string;
  readonly repoRoot: string;
  readonly cwd: string;
}

/** What a pipeline is held against, beside what the library knows itself. */
export type LoadOptions = Omit<LoadContext, "templates" | "readPrompt">;

/** Pipelines, templates and other files of ours on disk, found, read and checked. */
export interface Library {
  /** `name`: a path, a name, or null for the repository's default. */
  load(name: string | null, options: LoadOptions): Expanded & { readonly path: string };
}

/** Nothing is read until it is asked for. */
export function openLibrary(places: LibraryPlaces): Library {
  return {
    load(name, options) {
      const { path, text } = readPipeline(name, places);
      const readPrompt = (prompt: string) => readInside(places.repoRoot, resolve(dirname(path), prompt));
      const shown = relative(places.cwd, path);
      const shownPath = shown.startsWith("..") ? path : shown;
      return {
        ...loadPipeline({
          ...options,
          path: shownPath,
          text,
          templates: readTemplates(places.packageRoot),
          readPrompt,
        }),
        path,
      };
    },
  };
}

/** A `providers.yaml`; null when there is none. Throws with everything that is wrong with it. */
export function readProvidersFile(path: string): ProvidersFile | null {
  const text = readIfThere(path);
  if (text === null) return null;
  const checked = checkProvidersFile(text, path);
  if (checked.ok) return checked.file;
  throw new CcpError(
    "invalid_providers",
    EXIT.credentials,
    `${path} cannot be used\n${checked.diagnostics.map(formatDiagnostic).join("\n")}`,
    {
      hint: "nothing was started; its keys are in docs/providers-file.md",
    },
  );
}

/** The user's `config.yaml`; nothing is decided where there is none. Throws with everything that is wrong with it. */
export function readUserConfig(path: string): UserConfig {
  const text = readIfThere(path);
  if (text === null) return NO_USER_CONFIG;
  const checked = checkUserConfig(text, path);
  if (checked.ok) return checked.config;
  throw new CcpError(
    "invalid_config",
    EXIT.credentials,
    `${path} cannot be used\n${checked.diagnostics.map(formatDiagnostic).join("\n")}`,
    {
      hint: "nothing was started: your ceilings would not hold",
    },
  );
}

/** The YAML of a transcript, as data. Throws for a file that is not there or no YAML. */
export function readTranscript(path: string): Json {
  const text = readIfThere(path);
  if (text === null)
    throw new CcpError("no_transcript", EXIT.usage, `there is no transcript ${path}`, {
      hint: "nothing was started; check the path",
    });
  const parsed = parseYaml(text, path);
  if (parsed.ok) return parsed.json;
  throw new CcpError(
    "invalid_transcript",
    EXIT.usage,
    `the transcript cannot be read\n${parsed.diagnostics.map(formatDiagnostic).join("\n")}`,
    {
      hint: "nothing was started; the format is in docs/scripted-provider.md",
    },
  );
}

function readPipeline(name: string | null, places: LibraryPlaces): { readonly path: string; readonly text: string } {
  const candidates = pipelineCandidates(name, { ...places, shippedDir: join(places.packageRoot, "pipelines") });
  for (const path of candidates) {
    const text = readIfThere(path);
    if (text !== null) return { path, text };
  }
  const known = knownPipelines(places);
  const near = didYouMean(name ?? "", known);
  throw new CcpError("unknown_pipeline", EXIT.usage, `there is no pipeline ${name ?? "default"}`, {
    hint: `${near ? `did you mean ${near}? ` : ""}Known here: ${known.join(", ")}. Looked for ${candidates.join(", ")}`,
  });
}

/** Names that may stand after `--pipeline`: the repository's own, then the shipped ones. */
function knownPipelines({ repoRoot, packageRoot }: LibraryPlaces): readonly string[] {
  const folders = [join(repoRoot, ".ccp", "pipelines"), join(packageRoot, "pipelines")];
  const files = folders.flatMap((folder) => (existsSync(folder) ? readdirSync(folder).sort() : []));
  return [...new Set(files.flatMap((file) => /^(.+)\.ya?ml$/.exec(file)?.[1] ?? []))];
}

function readTemplates(packageRoot: string): Templates {
  const found = Object.fromEntries(
    TEMPLATE_NAMES.map((name) => [name, readFileSync(join(packageRoot, "templates", `${name}.md`), "utf8")]),
  );
  const checked = checkTemplates(found);
  if (checked.ok) return checked.templates;
  throw new Error(`a template that ccp ships is broken: ${checked.faults.join("; ")}`);
}

/** A prompt file's text; null when it is not there or not inside the repository's tree, links followed: `.git` holds credentials. */
function readInside(root: string, path: string): string | null {
  try {
    const real = realpathSync(path);
    const top = realpathSync(root) + sep;
    const isInside = real.startsWith(top) && !real.slice(top.length).split(sep).includes(".git");
    return isInside ? readFileSync(real, "utf8") : null;
  } catch {
    return null;
  }
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    if (hasCode(cause, "ENOENT", "ENOTDIR")) return null;
    throw new CcpError("unreadable", EXIT.usage, `${path} cannot be read: ${messageOf(cause)}`, {
      hint: "nothing was started",
      cause,
    });
  }
}
