import { readFileSync } from "node:fs";
import { join } from "node:path";
import { formatDiagnostic } from "../../src/core/diagnostic.ts";
import type { LoadContext } from "../../src/pipeline/context.ts";
import type { Expansion } from "../../src/pipeline/expand.ts";
import { loadPipeline } from "../../src/pipeline/load.ts";
import { checkTemplates, TEMPLATE_NAMES, type Templates } from "../../src/pipeline/templates.ts";

export const ROOT = join(import.meta.dirname, "..", "..");

/** The templates that ccp ships. */
export function shippedTemplates(): Templates {
  const texts = TEMPLATE_NAMES.map((name) => [name, readFileSync(join(ROOT, "templates", `${name}.md`), "utf8")]);
  const check = checkTemplates(Object.fromEntries(texts));
  if (!check.ok) throw new Error(check.faults.join("\n"));
  return check.templates;
}

const MODEL = ["anthropic/claude-sonnet-5"];

/** A project with a test command, keys for every role, and no prompt files. */
export const CONTEXT: LoadContext = {
  templates: shippedTemplates(),
  readPrompt: () => null,
  providers: ["anthropic", "openai", "ollama", "scripted"],
  defaultModels: { planner: MODEL, doer: MODEL, reviewer: MODEL },
  project: { testCommand: "npm test", testCommandSource: "package.json", copy: ["node_modules"], setup: "npm ci" },
  inputs: {},
};

/** Loads a text that must be sound. */
export function load(text: string, context: Partial<LoadContext> = {}): Expansion {
  const loaded = loadPipeline({ ...CONTEXT, ...context, path: "p.yaml", text });
  if (!loaded.ok) throw new Error(loaded.diagnostics.map(formatDiagnostic).join("\n"));
  return loaded;
}

/** Everything that is wrong with a text, as a user reads it; nothing when it loads. */
export function complaints(text: string, context: Partial<LoadContext> = {}): readonly string[] {
  const loaded = loadPipeline({ ...CONTEXT, ...context, path: "p.yaml", text });
  return loaded.ok
    ? []
    : loaded.diagnostics.map((diagnostic) => formatDiagnostic(diagnostic).replace("\n  hint: ", " | "));
}
