import { describe, expect, test } from "vitest";
import type { ProvidersFile } from "../../src/core/lane.ts";
import type { ValueSource } from "../../src/core/value-source.ts";
import { checkProvidersFile } from "../../src/pipeline/providers-file.ts";
import { describeProviders, type ProviderDescription } from "../../src/providers/describe-providers.ts";
import { providersOrThrow } from "../../src/providers/lanes.ts";

describe("every value in force says where it was said", () => {
  test("by nobody: built in, or a default", async () => {
    expect(settings(await described("anthropic", {}))).toEqual([
      "wire: anthropic-messages (built-in)",
      "base_url: https://api.anthropic.com (built-in)",
      "key_env: ANTHROPIC_API_KEY or ANTHROPIC_AUTH_TOKEN (built-in)",
      "auth: x-api-key (built-in)",
      "free: false (default)",
      "first_event_timeout: 2m (default)",
      "silence_timeout: 2m (default)",
    ]);
    expect(settings(await described("ollama", {}))).toContain("context_tokens: 32768 (built-in)");
  });

  test("by the user, the project and the environment, the one that counts", async () => {
    const user = [
      "providers:",
      "  anthropic:",
      "    base_url: https://mine.example",
      "    silence_timeout: 90s",
      "    models: { next: { price: { input: 4, output: 20 }, context_window: 100 } }",
    ];
    const project = [
      "providers:",
      "  anthropic:",
      "    models:",
      "      next: { context_window: 200 }",
      "      other: {}",
    ];
    const environment = { ANTHROPIC_BASE_URL: "https://proxy.example/" };
    const all = settings(await described("anthropic", { user, project, environment }));
    expect(all.filter((line) => !line.endsWith("(built-in)"))).toEqual([
      "base_url: https://proxy.example (ANTHROPIC_BASE_URL)",
      "free: false (default)",
      "first_event_timeout: 2m (default)",
      "silence_timeout: 90s (user:4)",
      "next: next (project:4)",
      "next price.input: 4 (user:5)",
      "next price.output: 20 (user:5)",
      "next price.cache_read: 4 (default)",
      "next price.cache_write: 5 (default)",
      "next context_window: 200 (project:4)",
      "other: other (project:5)",
    ]);
    expect(settings(await described("anthropic", { user }))).toContain("base_url: https://mine.example (user:3)");
  });

  test("of a limit the lower one counts, and whoever said it", async () => {
    const user = ["providers:", "  zai:", "    limits: { concurrency: 4, requests_per_minute: 60 }"];
    const project = [
      "providers:",
      "  zai:",
      "    limits: { concurrency: 9, requests_per_minute: 6, tokens_per_minute: 7 }",
    ];
    expect(settings(await described("zai", { user, project })).filter((line) => line.startsWith("limits"))).toEqual([
      "limits.concurrency: 4 (user:3)",
      "limits.requests_per_minute: 6 (project:3)",
      "limits.tokens_per_minute: 7 (project:3)",
    ]);
  });

  test("and what a word makes meaningless has no source any more", async () => {
    const without = ["providers:", "  openai:", "    auth: none", "    base_url: http://localhost:1"];
    const none = settings(await described("openai", { user: without }));
    expect(none).toContain("auth: none (user:3)");
    expect(none.some((line) => line.startsWith("key_env"))).toBe(false);
    const chosen = settings(
      await described("anthropic", { user: ["providers:", "  anthropic:", "    key_env: MY_KEY"] }),
    );
    expect(chosen).toContain("key_env: MY_KEY (user:3)");
    expect(chosen).toContain("auth: x-api-key (default)");
  });

  test("a model may be called like what every object has", async () => {
    const project = ["providers:", "  anthropic:", "    models: [constructor, __proto__]"];
    const provider = await described("anthropic", { project });
    expect(provider.models).toEqual(["constructor", "__proto__"]);
    expect(settings(provider).slice(-2)).toEqual([
      "constructor: constructor (project:3)",
      "__proto__: __proto__ (project:3)",
    ]);
  });
});

test("no key is in a description, not even one that was put into an address or a model's name", async () => {
  const environment = {
    OPENAI_API_KEY: "canary-7Hq2Zr9mX4",
    OPENAI_BASE_URL: "https://gw.example/canary-7Hq2Zr9mX4/v1",
  };
  const user = ["providers:", "  openai: { models: [canary-7Hq2Zr9mX4] }"];
  const provider = await described("openai", { environment, user });
  expect(provider.hasKey).toBe(true);
  expect(provider.keyVariables).toEqual(["OPENAI_API_KEY"]);
  expect(JSON.stringify(provider)).not.toContain("canary");
});

test("who bills is told from who does not", async () => {
  const user = ["providers:", "  lab: { wire: ollama-chat, base_url: 'http://gpu.example:1', free: true }"];
  expect((await described("openai", {})).cost).toBe("billed");
  expect((await described("lab", { user })).cost).toBe("free");
  expect((await described("ollama", {})).cost).toBe("local");
});

interface Said {
  readonly user?: readonly string[];
  readonly project?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

async function described(id: string, { user, project, environment = {} }: Said): Promise<ProviderDescription> {
  const files = { user: user ? file(user, "user") : null, project: project ? file(project, "project") : null };
  const { lanes } = await providersOrThrow({ ...files, environment, trustedHosts: [] });
  const found = describeProviders(lanes).find((provider) => provider.id === id);
  if (!found) throw new Error(`no ${id}`);
  return found;
}

function file(lines: readonly string[], path: string): ProvidersFile {
  const checked = checkProvidersFile(lines.join("\n"), path);
  if (!checked.ok) throw new Error(checked.diagnostics.map(({ message }) => message).join("\n"));
  return checked.file;
}

/** `next price.input: 4 (user:5)` */
function settings({ settings: all }: ProviderDescription): readonly string[] {
  return all.map(({ model, key, value, source }) => {
    return `${[model, key].filter(Boolean).join(" ")}: ${value} (${sourceWord(source)})`;
  });
}

function sourceWord(source: ValueSource | null): string {
  if (source === null) return "default";
  if (source.kind === "file") return `${source.path}:${source.line}`;
  return source.kind === "environment" ? source.name : source.kind;
}
