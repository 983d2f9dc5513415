import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { formatDiagnostic } from "../../src/core/diagnostic.ts";
import { canonicalJson, type JsonSchema } from "../../src/core/json.ts";
import { isSignedBy, keyIdOf, publicKeyOf } from "../../src/guards/policy-keys.ts";
import { loadPipeline } from "../../src/pipeline/load.ts";
import { checkPolicyPack, checkPolicySource } from "../../src/pipeline/policy-file.ts";
import { POLICY_SCHEMA } from "../../src/pipeline/policy-schema.ts";
import { checkProvidersFile } from "../../src/pipeline/providers-file.ts";
import { PROVIDERS_SCHEMA } from "../../src/pipeline/providers-schema.ts";
import { PIPELINE_SCHEMA } from "../../src/pipeline/schema.ts";
import { parseYaml } from "../../src/pipeline/transcript-file.ts";
import { parseTranscript } from "../../src/providers/scripted-transcript.ts";
import { CONTEXT, ROOT } from "../pipeline/context.ts";

interface Example {
  readonly page: string;
  readonly line: number;
  readonly language: string;
  readonly text: string;
}

const PAGES = readdirSync(join(ROOT, "docs")).filter((name) => name.endsWith(".md"));
const EXAMPLES = PAGES.flatMap(examplesOf);

describe("the examples of the docs", () => {
  test.each(examplesIn("yaml pipeline"))("$page:$line is a pipeline that loads", ({ page, text }) => {
    const providers = ["anthropic", "openai", "openrouter", "zai", "ollama"];
    const readPrompt = () => "You are the doer.";
    const inputs = { issue: "17", area: "src/api" };
    const declared = Object.fromEntries(Object.entries(inputs).filter(([name]) => text.includes(`  ${name}:`)));
    const loaded = loadPipeline({ ...CONTEXT, providers, readPrompt, inputs: declared, path: page, text });
    expect(loaded.ok ? [] : loaded.diagnostics.map(formatDiagnostic)).toEqual([]);
    expect(loaded.ok && loaded.warnings).toEqual([]);
  });

  test.each(examplesIn("yaml providers"))("$page:$line is a providers file", ({ page, text }) => {
    const checked = checkProvidersFile(text, page);
    expect(checked.ok ? [] : checked.diagnostics.map(formatDiagnostic)).toEqual([]);
  });

  test.each(examplesIn("yaml transcript"))("$page:$line is a transcript", ({ page, text }) => {
    const yaml = parseYaml(text, page);
    expect(yaml.ok ? [] : yaml.diagnostics.map(formatDiagnostic)).toEqual([]);
    const transcript = parseTranscript(yaml.ok ? yaml.json : null);
    expect(transcript.ok ? [] : transcript.problems).toEqual([]);
  });

  test.each(examplesIn("yaml policy"))("$page:$line is a policy that can be signed", ({ page, text }) => {
    const checked = checkPolicySource(text, page);
    expect(checked.ok ? [] : checked.diagnostics.map(formatDiagnostic)).toEqual([]);
  });

  test("a signed policy is the one above it, and the key below has signed it", () => {
    const [source, pack, key] = ["yaml policy", "json pack", "pem key"].map((kind) => examplesIn(kind)[0]?.text ?? "");
    const written = checkPolicySource(source ?? "", "policy.yaml");
    const signed = checkPolicyPack(pack ?? "", "policy.json");
    const shared = publicKeyOf(key ?? "");
    if (!written.ok || !signed.ok || shared === null) throw new Error("an example is broken");
    expect(canonicalJson(signed.pack.signed)).toBe(canonicalJson(written.signed));
    expect(signed.pack.keyId).toBe(keyIdOf(shared));
    expect(isSignedBy(signed.pack.signed, signed.pack.signature, shared)).toBe(true);
  });

  test("are found at all", () => {
    expect(examplesIn("yaml pipeline").length).toBeGreaterThan(5);
    expect(examplesIn("yaml providers").length).toBeGreaterThan(1);
    expect(examplesIn("yaml transcript").length).toBeGreaterThan(0);
  });
});

describe("every key is shown in an example", () => {
  test.each<[string, JsonSchema]>([
    ["pipeline-file.md", PIPELINE_SCHEMA],
    ["providers-file.md", PROVIDERS_SCHEMA],
    ["policy-pack.md", POLICY_SCHEMA],
  ])("%s", (page, schema) => {
    const shown = examplesOf(page).map((example) => example.text);
    expect(keysOf(schema).filter((key) => !shown.some((example) => new RegExp(`\\b${key}:`).test(example)))).toEqual(
      [],
    );
  });
});

function examplesIn(language: string): readonly Example[] {
  return EXAMPLES.filter((example) => example.language === language);
}

function examplesOf(page: string): readonly Example[] {
  const text = readFileSync(join(ROOT, "docs", page), "utf8");
  return [...text.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)].map((match) => ({
    page,
    line: text.slice(0, match.index).split("\n").length + 1,
    language: match[1] ?? "",
    text: match[2] ?? "",
  }));
}

/** Names of keys that a schema gives, at any depth. */
function keysOf(schema: JsonSchema): readonly string[] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([key, inner]) => [key, ...keysOf(inner)]);
  const inner = [
    ...(schema.anyOf ?? []),
    ...(schema.items ? [schema.items] : []),
    ...(typeof schema.additionalProperties === "object" ? [schema.additionalProperties] : []),
  ];
  return [...new Set([...own, ...inner.flatMap(keysOf)])];
}
