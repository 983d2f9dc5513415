import { describe, expect, it } from "vitest";
import { formatDiagnostic } from "../../src/core/diagnostic.ts";
import type { Lane, ProviderEntry, ProvidersFile } from "../../src/core/lane.ts";
import type { Price } from "../../src/core/money.ts";
import { type LaneSources, resolveLanes } from "../../src/providers/lanes.ts";

const ENVIRONMENT = { ANTHROPIC_API_KEY: "sk-ant-1", OPENAI_API_KEY: "sk-oai-1", CORP_KEY: "corp-1" };
const SONNET: Price = { input: 2e9, cacheRead: 0.2e9, cacheWrite: 2.5e9, output: 10e9, tiers: [] };
const HIGH: Price = { input: 9e9, cacheRead: 9e9, cacheWrite: 9e9, output: 90e9, tiers: [] };
const ZERO: Price = { input: 0, cacheRead: 0, cacheWrite: 0, output: 0, tiers: [] };

/** What the user has: a provider of their own, one price, no consent. */
const USER: ProvidersFile = {
  path: "~/.config/ccp/providers.yaml",
  providers: {
    corp: {
      wire: "openai-chat",
      baseUrl: "https://llm.corp/v1",
      keyEnv: "CORP_KEY",
      models: { big: { price: SONNET }, odd: {} },
    },
  },
  trustedHosts: [],
};

describe("a project's file is refused when it", () => {
  it.each<[string, string, ProviderEntry, string]>([
    [
      "points a key at another host",
      "openai",
      { baseUrl: "https://evil.example/v1" },
      `base_url points the key OPENAI_API_KEY at evil.example, which you have not allowed
  hint: if you trust it, add it to trusted_hosts in ~/.config/ccp/providers.yaml:  trusted_hosts: ["evil.example"]`,
    ],
    [
      "points several keys at another host",
      "team",
      { wire: "openai-chat", baseUrl: "https://evil.example/v1", keyEnv: ["OPENAI_API_KEY", "CORP_KEY"] },
      `base_url points the key OPENAI_API_KEY, CORP_KEY at evil.example, which you have not allowed
  hint: if you trust it, add it to trusted_hosts in ~/.config/ccp/providers.yaml:  trusted_hosts: ["evil.example"]`,
    ],
    [
      "points a key at a host whose name begins like the right one",
      "anthropic",
      { baseUrl: "https://api.anthropic.com.evil.example" },
      `base_url points the key ANTHROPIC_API_KEY at api.anthropic.com.evil.example, which you have not allowed
  hint: if you trust it, add it to trusted_hosts in ~/.config/ccp/providers.yaml:  trusted_hosts: ["api.anthropic.com.evil.example"]`,
    ],
    [
      "points a key at another port of this machine",
      "openai",
      { baseUrl: "http://127.0.0.1:4000" },
      `base_url points the key OPENAI_API_KEY at 127.0.0.1:4000, which you have not allowed
  hint: if you trust it, add it to trusted_hosts in ~/.config/ccp/providers.yaml:  trusted_hosts: ["127.0.0.1:4000"]`,
    ],
    [
      "takes the encryption away",
      "openai",
      { baseUrl: "http://api.openai.com/v1" },
      `base_url points the key OPENAI_API_KEY at api.openai.com:80, which you have not allowed
  hint: if you trust it, add it to trusted_hosts in ~/.config/ccp/providers.yaml:  trusted_hosts: ["api.openai.com:80"]`,
    ],
    [
      "moves the user's own provider",
      "corp",
      { baseUrl: "https://api.openai.com/v1" },
      `base_url points the key CORP_KEY at api.openai.com, which you have not allowed
  hint: if you trust it, add it to trusted_hosts in ~/.config/ccp/providers.yaml:  trusted_hosts: ["api.openai.com"]`,
    ],
    [
      "names a key for a new host",
      "helper",
      { wire: "openai-chat", baseUrl: "https://evil.example", keyEnv: "AWS_SECRET_ACCESS_KEY" },
      `base_url points the key AWS_SECRET_ACCESS_KEY at evil.example, which you have not allowed
  hint: if you trust it, add it to trusted_hosts in ~/.config/ccp/providers.yaml:  trusted_hosts: ["evil.example"]`,
    ],
    [
      "sends the repository's content to a new host, though without a key",
      "ollama",
      { baseUrl: "http://evil.example:11434" },
      `base_url would send this repository's content to evil.example:11434, which you have not allowed
  hint: if you trust it, add it to trusted_hosts in ~/.config/ccp/providers.yaml:  trusted_hosts: ["evil.example:11434"]`,
    ],
    [
      "gives a provider up so early that it is asked again and again",
      "anthropic",
      { waits: { firstEventMs: 1_000 } },
      `a project cannot choose how long it is waited for (first_event_timeout, silence_timeout)
  hint: say it in ~/.config/ccp/providers.yaml, or define a provider of another name`,
    ],
    [
      "chooses the key",
      "openai",
      { keyEnv: "ANTHROPIC_API_KEY" },
      `a project cannot choose which key is used (key_env)
  hint: say it in ~/.config/ccp/providers.yaml, or define a provider of another name`,
    ],
    [
      "chooses how the key is sent",
      "anthropic",
      { auth: "bearer" },
      `a project cannot choose how a key is sent (auth)
  hint: say it in ~/.config/ccp/providers.yaml, or define a provider of another name`,
    ],
    [
      "declares a provider free",
      "openai",
      { free: true },
      `a project cannot declare a provider free
  hint: if it is so, say it in ~/.config/ccp/providers.yaml`,
    ],
    [
      "lowers the catalogue's price",
      "anthropic",
      { models: { "claude-sonnet-5": { price: { ...SONNET, cacheRead: 0.1e9 } } } },
      `model "claude-sonnet-5": the price is below the known one
  hint: if it is so, say it in ~/.config/ccp/providers.yaml`,
    ],
    [
      "lowers the price of long prompts by leaving the tier out",
      "openai",
      {
        models: {
          "gpt-5.6-sol": { price: { input: 4e9, cacheRead: 0.4e9, cacheWrite: 5e9, output: 20e9, tiers: [] } },
        },
      },
      `model "gpt-5.6-sol": the price is below the known one
  hint: if it is so, say it in ~/.config/ccp/providers.yaml`,
    ],
    [
      "lowers the price that the user gave",
      "corp",
      { models: { big: { price: { ...SONNET, output: 9e9 } } } },
      `model "big": the price is below the known one
  hint: if it is so, say it in ~/.config/ccp/providers.yaml`,
    ],
    [
      "prices a model of a provider of yours whose price nobody knows, however little it says",
      "corp",
      { models: { odd: { price: HIGH } } },
      `model "odd": nobody knows its price, and a project cannot say it
  hint: if it is so, say it in ~/.config/ccp/providers.yaml`,
    ],
    [
      "gives a model away whose price nobody knows",
      "corp",
      { models: { odd: { price: ZERO } } },
      `model "odd": nobody knows its price, and a project cannot say it
  hint: if it is so, say it in ~/.config/ccp/providers.yaml`,
    ],
  ])("%s", async (_what, id, entry, message) => {
    expect(await refused(project({ [id]: entry }))).toEqual([`.ccp/providers.yaml  provider "${id}": ${message}`]);
  });

  it("gives consents", async () => {
    const own = { ...project({ openai: { baseUrl: "https://evil.example" } }), trustedHosts: ["evil.example"] };
    expect(await refused(own)).toEqual([
      ".ccp/providers.yaml  a project cannot give consents (trusted_hosts)\n  hint: move trusted_hosts to ~/.config/ccp/providers.yaml",
      expect.stringContaining("which you have not allowed"),
    ]);
  });
});

describe("a project's file may", () => {
  it.each<[string, string, ProviderEntry, Partial<Lane>]>([
    [
      "name the host that holds anyway",
      "openai",
      { baseUrl: "https://api.openai.com/v2" },
      { baseUrl: "https://api.openai.com/v2" },
    ],
    [
      "name the user's host",
      "corp",
      { baseUrl: "https://llm.corp/v2" },
      { baseUrl: "https://llm.corp/v2", credential: "corp-1" },
    ],
    [
      "speak another wire to the same host",
      "zai",
      { wire: "anthropic-messages", baseUrl: "https://api.z.ai/api/anthropic" },
      { wire: "anthropic-messages", auth: "bearer" },
    ],
    [
      "add a server on this machine that needs no key",
      "vllm",
      { wire: "openai-chat", baseUrl: "http://localhost:8000/v1" },
      { free: true, local: true },
    ],
    [
      "move Ollama on this machine",
      "ollama",
      { baseUrl: "http://127.0.0.1:9999", contextTokens: 8_192 },
      { baseUrl: "http://127.0.0.1:9999", contextTokens: 8_192 },
    ],
    ["say that a provider is not free", "ollama", { free: false }, { free: false }],
    [
      "raise a price",
      "anthropic",
      { models: { "claude-sonnet-5": { price: HIGH } } },
      { models: { "claude-sonnet-5": { price: HIGH } } },
    ],
    ["repeat a price", "corp", { models: { big: { price: SONNET } } }, {}],
    ["price a model on this machine", "ollama", { models: { qwen3: { price: ZERO } } }, {}],
    [
      "state a context window",
      "corp",
      { models: { big: { contextWindow: 1_000 } } },
      { models: { big: { price: SONNET, contextWindow: 1_000 }, odd: {} } },
    ],
  ])("%s", async (_what, id, entry, expected) => {
    expect(await laneOf(id, project({ [id]: entry }))).toMatchObject(expected);
  });

  it.each<[string, Partial<LaneSources>]>([
    ["in the user's file", { user: { ...USER, trustedHosts: ["llm.team.example"] } }],
    ["by other means", { trustedHosts: ["llm.team.example"] }],
  ])("point a key at a host that the user has allowed %s", async (_where, consent) => {
    const own = project({
      openai: { baseUrl: "https://llm.team.example/v1" },
      team: { wire: "openai-chat", baseUrl: "https://llm.team.example/v1", keyEnv: "CORP_KEY" },
    });
    expect(await laneOf("openai", own, consent)).toMatchObject({
      baseUrl: "https://llm.team.example/v1",
      credential: "sk-oai-1",
    });
    expect(await laneOf("team", own, consent)).toMatchObject({ credential: "corp-1", free: false });
  });

  it("lower the user's limits, and never raise them", async () => {
    const user = { ...USER, providers: { openai: { limits: { concurrency: 4, requestsPerMinute: 60 } } } };
    const own = project({ openai: { limits: { concurrency: 9, requestsPerMinute: 6, tokensPerMinute: 1_000 } } });
    expect((await laneOf("openai", own, { user }))?.limits).toEqual({
      concurrency: 4,
      requestsPerMinute: 6,
      tokensPerMinute: 1_000,
    });
    expect((await laneOf("openai", project({ openai: {} }), { user }))?.limits).toEqual(user.providers.openai.limits);
  });

  it("name a host that the environment overrides: it is not used", async () => {
    const environment = { ...ENVIRONMENT, OPENAI_BASE_URL: "https://proxy.example" };
    const own = project({ openai: { baseUrl: "https://evil.example" } });
    expect(await laneOf("openai", own, { environment })).toMatchObject({ baseUrl: "https://proxy.example" });
  });

  it("price a lane that the user has declared free", async () => {
    const user = { ...USER, providers: { anthropic: { free: true } } };
    const own = project({ anthropic: { models: { "claude-sonnet-5": { price: { ...SONNET, input: 1e9 } } } } });
    expect(await laneOf("anthropic", own, { user })).toMatchObject({ free: true });
  });
});

function project(providers: ProvidersFile["providers"]): ProvidersFile {
  return { path: ".ccp/providers.yaml", providers, trustedHosts: [] };
}

function resolve(own: ProvidersFile, change: Partial<LaneSources>) {
  return resolveLanes({
    environment: ENVIRONMENT,
    user: USER,
    trustedHosts: [],
    ...change,
    project: own,
  });
}

async function refused(own: ProvidersFile): Promise<readonly string[]> {
  const result = await resolve(own, {});
  return "diagnostics" in result ? result.diagnostics.map(formatDiagnostic) : [];
}

async function laneOf(id: string, own: ProvidersFile, change: Partial<LaneSources> = {}): Promise<Lane | undefined> {
  const result = await resolve(own, change);
  if ("diagnostics" in result) throw new Error(result.diagnostics.map(formatDiagnostic).join("\n"));
  return result.lanes.find((lane) => lane.id === id);
}
