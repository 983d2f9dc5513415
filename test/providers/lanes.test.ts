import { describe, expect, it } from "vitest";
import { formatDiagnostic } from "../../src/core/diagnostic.ts";
import type { Lane, ProviderEntry, ProvidersFile } from "../../src/core/lane.ts";
import { laneStanding } from "../../src/providers/lane-standing.ts";
import { type LaneSources, providersOrThrow, resolveLanes } from "../../src/providers/lanes.ts";
import { stallLimits } from "../../src/providers/stall-limits.ts";

const KEYS = {
  ANTHROPIC_API_KEY: "sk-ant-1",
  OPENAI_API_KEY: "sk-oai-1",
  OPENROUTER_API_KEY: "sk-or-1",
  ZHIPU_API_KEY: "zai-1",
};

describe("the built-in lanes", () => {
  it("are listed with their keys, and what has none is listed too", async () => {
    const lanes = await resolved({ environment: { ...KEYS, ZHIPU_API_KEY: undefined } });
    expect(
      lanes.map(({ id, wire, baseUrl, auth, credential, credentialName }) => [
        id,
        wire,
        baseUrl,
        auth,
        credential,
        credentialName,
      ]),
    ).toEqual([
      ["anthropic", "anthropic-messages", "https://api.anthropic.com", "x-api-key", "sk-ant-1", "ANTHROPIC_API_KEY"],
      ["openai", "openai-responses", "https://api.openai.com/v1", "bearer", "sk-oai-1", "OPENAI_API_KEY"],
      ["openai-chat", "openai-chat", "https://api.openai.com/v1", "bearer", "sk-oai-1", "OPENAI_API_KEY"],
      ["openrouter", "openai-chat", "https://openrouter.ai/api/v1", "bearer", "sk-or-1", "OPENROUTER_API_KEY"],
      ["zai", "openai-chat", "https://api.z.ai/api/paas/v4", "bearer", null, "ZHIPU_API_KEY"],
      ["ollama", "ollama-chat", "http://127.0.0.1:11434", "none", null, null],
      ["scripted", "scripted", "", "none", null, null],
    ]);
  });

  it("take Anthropic's token as a bearer where there is no key", async () => {
    const token = { ANTHROPIC_AUTH_TOKEN: "tok-1" };
    expect(await laneOf("anthropic", { environment: token })).toMatchObject({
      auth: "bearer",
      credential: "tok-1",
      credentialName: "ANTHROPIC_AUTH_TOKEN",
    });
    expect(await laneOf("anthropic", { environment: { ...token, ANTHROPIC_API_KEY: "sk-1" } })).toMatchObject({
      auth: "x-api-key",
      credential: "sk-1",
    });
    expect(await laneOf("anthropic", { environment: { ...token, ANTHROPIC_API_KEY: "" } })).toMatchObject({
      credential: "tok-1",
    });
  });

  it("take a key without the blanks that were pasted with it", async () => {
    expect(await laneOf("openai", { environment: { OPENAI_API_KEY: " sk-1\n" } })).toMatchObject({
      credential: "sk-1",
    });
    expect(await laneOf("openai", { environment: { OPENAI_API_KEY: "  " } })).toMatchObject({ credential: null });
  });

  it.each([
    ["anthropic", "ANTHROPIC_BASE_URL"],
    ["openai", "OPENAI_BASE_URL"],
    ["openai-chat", "OPENAI_BASE_URL"],
    ["openrouter", "OPENROUTER_BASE_URL"],
    ["zai", "ZHIPU_BASE_URL"],
    ["ollama", "OLLAMA_HOST"],
  ])("%s goes where %s says", async (id, name) => {
    expect(await laneOf(id, { environment: { [name]: "https://proxy.example.com/x/" } })).toMatchObject({
      baseUrl: "https://proxy.example.com/x",
      local: false,
    });
  });

  it("refuse an address that is none, once for each variable, and never show it", async () => {
    const environment = { OPENAI_BASE_URL: "https://user:hunter2@example.com", OLLAMA_HOST: "no host" };
    expect(await refused({ environment })).toEqual([
      "OPENAI_BASE_URL  not the address of an http server\n  hint: give it like https://api.openai.com/v1, without user name, password or query, or unset it",
      "OLLAMA_HOST  not the address of an http server\n  hint: give it like http://127.0.0.1:11434, without user name, password or query, or unset it",
    ]);
  });

  it("have one that answers from a transcript", async () => {
    expect(await laneOf("scripted", {})).toMatchObject({
      wire: "scripted",
      baseUrl: "",
      free: true,
      local: false,
    });
  });
});

describe("what a lane costs", () => {
  it("is nothing for Ollama on this machine, and for one that the user has elsewhere", async () => {
    expect(await laneOf("ollama", {})).toMatchObject({ free: true, local: true, contextTokens: 32_768 });
    expect(await laneOf("ollama", { environment: { OLLAMA_HOST: "gpu-box" } })).toMatchObject({
      free: true,
      local: false,
    });
  });

  it("is not nothing for a lane with a key, though a proxy on this machine serves it", async () => {
    const environment = { ...KEYS, OPENAI_BASE_URL: "http://127.0.0.1:4000" };
    expect(await laneOf("openai", { environment })).toMatchObject({ free: false, local: true, credential: "sk-oai-1" });
  });

  it("is what the user says", async () => {
    expect(await laneOf("openai", { user: file({ openai: { free: true } }) })).toMatchObject({ free: true });
    expect(await laneOf("ollama", { user: file({ ollama: { free: false } }) })).toMatchObject({ free: false });
  });
});

describe("the user's file", () => {
  it("adds providers, with a key or without", async () => {
    const user = file({
      corp: { wire: "openai-chat", baseUrl: "https://llm.corp/v1/", keyEnv: "CORP_KEY" },
      claude: { wire: "anthropic-messages", baseUrl: "https://claude.corp", keyEnv: "CORP_KEY", auth: "bearer" },
      direct: { wire: "anthropic-messages", baseUrl: "https://claude.corp", keyEnv: "CORP_KEY" },
      vllm: { wire: "openai-chat", baseUrl: "http://localhost:8000/v1" },
      box: { wire: "ollama-chat", baseUrl: "http://gpu-box:11434" },
      open: { wire: "openai-chat", baseUrl: "http://gpu-box:8000/v1" },
    });
    const sources = { user, environment: { CORP_KEY: "corp-1" } };
    expect(await laneOf("corp", sources)).toMatchObject({
      baseUrl: "https://llm.corp/v1",
      auth: "bearer",
      credential: "corp-1",
      free: false,
    });
    expect(await laneOf("claude", sources)).toMatchObject({ auth: "bearer", credentialName: "CORP_KEY" });
    expect(await laneOf("direct", sources)).toMatchObject({ auth: "x-api-key" });
    expect(await laneOf("vllm", sources)).toMatchObject({ auth: "none", free: true, local: true, contextTokens: null });
    expect(await laneOf("box", sources)).toMatchObject({
      auth: "none",
      free: true,
      local: false,
      contextTokens: 32_768,
    });
    expect(await laneOf("open", sources)).toMatchObject({ auth: "none", free: false, local: false });
  });

  it("lists several keys, of which all that are set are used, each in the same header", async () => {
    const user = file({
      corp: { wire: "openai-chat", baseUrl: "https://llm.corp/v1", keyEnv: ["KEY_A", "KEY_B", "KEY_C"] },
      anthropic: { keyEnv: ["KEY_B", "ANTHROPIC_API_KEY"] },
      zai: { keyEnv: ["ZHIPU_API_KEY"] },
    });
    const sources = { user, environment: { ...KEYS, KEY_B: "b-1", KEY_C: "c-1" } };
    const corp = await laneOf("corp", sources);
    expect(corp).toMatchObject({ auth: "bearer", credential: "b-1", credentialName: "KEY_B" });
    expect(corp?.keys).toEqual([
      { name: "KEY_A", credential: null },
      { name: "KEY_B", credential: "b-1" },
      { name: "KEY_C", credential: "c-1" },
    ]);
    expect(await laneOf("anthropic", sources)).toMatchObject({ auth: "x-api-key", credential: "b-1" });
    expect((await laneOf("zai", sources))?.keys).toBeUndefined();
    expect((await laneOf("openai", sources))?.keys).toBeUndefined();
  });

  it("names its keys to others without a word of them, and another value by another name", async () => {
    const user = file({ corp: { wire: "openai-chat", baseUrl: "https://llm.corp/v1", keyEnv: ["KEY_A", "KEY_B"] } });
    const standing = async (environment: Record<string, string>) =>
      laneStanding((await laneOf("corp", { user, environment })) as Lane);
    const two = await standing({ KEY_A: "canary-a", KEY_B: "canary-b" });
    expect(two?.credentials.map(({ name }) => name)).toEqual(["KEY_A", "KEY_B"]);
    expect(JSON.stringify(two)).not.toContain("canary");
    const replaced = await standing({ KEY_A: "canary-a", KEY_B: "canary-c" });
    expect(replaced?.credentials[0]).toEqual(two?.credentials[0]);
    expect(replaced?.credentials[1]?.key).not.toBe(two?.credentials[1]?.key);
    expect((await standing({ KEY_B: "canary-b" }))?.credentials).toEqual([
      { name: null, key: two?.credentials[1]?.key },
    ]);
    expect(laneStanding((await laneOf("scripted", {})) as Lane)).toBeNull();
  });

  it("says how long it is waited for, and of what it does not say each wire has its own", async () => {
    const user = file({
      zai: { waits: { firstEventMs: 900_000 } },
      ollama: { waits: { silenceMs: 1_000 } },
    });
    const limitsOf = async (id: string) => stallLimits((await laneOf(id, { user, environment: KEYS })) as Lane);
    expect(await limitsOf("zai")).toEqual({ firstEventTimeoutMs: 900_000, idleTimeoutMs: 120_000 });
    expect(await limitsOf("ollama")).toEqual({ firstEventTimeoutMs: 600_000, idleTimeoutMs: 1_000 });
    expect(await limitsOf("anthropic")).toEqual({ firstEventTimeoutMs: 120_000, idleTimeoutMs: 120_000 });
    expect(await limitsOf("openrouter")).toEqual({ firstEventTimeoutMs: 300_000, idleTimeoutMs: 120_000 });
  });

  it("names keys for profiles, which count where one of them is chosen, and nowhere else", async () => {
    const scopedEnv = { ci: "CI_KEY", work: ["WORK_KEY", "WORK_KEY_2"] };
    const user = file({ zai: { keyEnv: "MY_KEY", scopedEnv, auth: "bearer" }, openai: {} });
    const environment = { ...KEYS, MY_KEY: "mine", CI_KEY: "ci", WORK_KEY_2: "work" };
    const keyOf = async (profile: string | null, id = "zai") => {
      const lane = await laneOf(id, { user, environment, profile });
      return [lane?.credentialName, lane?.credential];
    };
    expect(await keyOf(null)).toEqual(["MY_KEY", "mine"]);
    expect(await keyOf("ci")).toEqual(["CI_KEY", "ci"]);
    expect(await keyOf("work")).toEqual(["WORK_KEY_2", "work"]);
    expect(await keyOf("ci", "openai")).toEqual(["OPENAI_API_KEY", "sk-oai-1"]);
    expect(await refused({ user, environment, profile: "cii" })).toEqual([
      'CCP_PROFILE  no provider has a key for "cii"\n  hint: did you mean "ci"?',
    ]);
    expect(await refused({ environment, profile: "toString" })).toEqual([
      'CCP_PROFILE  no provider has a key for "toString"\n  hint: name one in auth.scoped_env of a provider; or unset it',
    ]);
    const project = file({ zai: { scopedEnv: { ci: "OTHER_KEY" } } });
    expect((await refused({ project, environment })).join()).toMatch(
      /cannot choose which key is used \(auth\.scoped_env\)/,
    );
  });

  it("draws on the quota and the limits of the lane whose key it uses, however it is called", async () => {
    const user = file({ zai: { quota: { day: { maxTokens: 7 } }, limits: { concurrency: 1 } } });
    const project = file({ p1: { via: "zai" }, p2: { via: "zai", baseUrl: "https://api.z.ai/api/%70aas/v4" } });
    const standing = async (id: string) =>
      laneStanding((await laneOf(id, { user, project, environment: KEYS })) as Lane);
    const own = await standing("zai");
    for (const id of ["p1", "p2"]) {
      expect(await standing(id)).toEqual(own);
      expect(await laneOf(id, { user, project, environment: KEYS })).toMatchObject({ account: "zai" });
    }
    const other = { user: file({ mine: { via: "zai", keyEnv: "MY_KEY" } }), environment: { ...KEYS, MY_KEY: "m" } };
    expect((await laneOf("mine", other))?.account).toBeUndefined();
  });

  it("gives a provider a quota, which a project may lower and never raise", async () => {
    const user = file({ zai: { quota: { day: { maxCostNanos: 50, maxTokens: 900 }, week: { maxTokens: 7 } } } });
    const project = file({
      zai: { quota: { day: { maxCostNanos: 20, maxTokens: 1000 }, week: { maxCostNanos: 3 } } },
      openai: { quota: { day: { maxTokens: 5 } } },
    });
    expect((await laneOf("zai", { user, project }))?.quota).toEqual({
      day: { maxCostNanos: 20, maxTokens: 900 },
      week: { maxCostNanos: 3, maxTokens: 7 },
    });
    expect((await laneOf("zai", { user, project: file({ zai: {} }) }))?.quota).toEqual(user.providers.zai?.quota);
    expect((await laneOf("openai", { user, project }))?.quota).toEqual({ day: { maxTokens: 5 } });
  });

  it("changes built-in ones, and yields to the environment", async () => {
    const user = file({
      zai: { wire: "anthropic-messages", baseUrl: "https://api.z.ai/api/anthropic" },
      openrouter: { keyEnv: "OTHER_KEY" },
      anthropic: { auth: "bearer" },
      openai: { auth: "none", baseUrl: "http://127.0.0.1:1234" },
      ollama: { baseUrl: "http://gpu-box:11434", contextTokens: 65_536 },
    });
    const sources = { user, environment: { ...KEYS, OTHER_KEY: "other-1", OLLAMA_HOST: "big-box" } };
    expect(await laneOf("zai", sources)).toMatchObject({
      wire: "anthropic-messages",
      baseUrl: "https://api.z.ai/api/anthropic",
      auth: "bearer",
      credential: "zai-1",
    });
    expect(await laneOf("openrouter", sources)).toMatchObject({ credential: "other-1", credentialName: "OTHER_KEY" });
    expect(await laneOf("anthropic", sources)).toMatchObject({ auth: "bearer", credential: "sk-ant-1" });
    expect(await laneOf("openai", sources)).toMatchObject({ auth: "none", credential: null, free: true, local: true });
    expect(await laneOf("ollama", sources)).toMatchObject({ baseUrl: "http://big-box:11434", contextTokens: 65_536 });
  });

  it.each<[string, ProviderEntry, string]>([
    [
      "antropic",
      { baseUrl: "https://x.example" },
      'it is not built in, so it needs wire and base_url\n  hint: did you mean "anthropic"?',
    ],
    [
      "corp",
      { wire: "openai-chat" },
      "it is not built in, so it needs wire and base_url\n  hint: known: anthropic, openai, openai-chat, openrouter, zai, ollama",
    ],
    ["a/b", { wire: "openai-chat", baseUrl: "https://x.example" }, "a provider's name has no slash in it"],
    [
      "openai",
      { baseUrl: "ftp://x.example" },
      "base_url is not a plain http(s) address\n  hint: leave out user name, password, query and fragment",
    ],
    ["openai", { auth: "none", keyEnv: "K" }, "auth: none and key_env contradict each other\n  hint: drop one of them"],
    ["ollama", { auth: "bearer" }, "auth: bearer needs a key\n  hint: name its environment variable in key_env"],
    [
      "openai",
      { wire: "scripted" },
      "a transcript cannot stand for a real provider\n  hint: define one of another name, with wire: scripted",
    ],
    [
      "scripted",
      { baseUrl: "https://x.example" },
      "the scripted provider is as it is\n  hint: define one of another name, with wire: scripted",
    ],
  ])("with %s: %j is refused", async (id, entry, message) => {
    expect(await refused({ user: file({ [id]: entry }) })).toEqual([`user.yaml  provider "${id}": ${message}`]);
  });
});

it("a provider of any other name may answer from a transcript, and is free", async () => {
  const user = file({ canned: { wire: "scripted", baseUrl: "answers/demo.yaml" } });
  expect(await laneOf("canned", { user })).toMatchObject({
    wire: "scripted",
    baseUrl: "answers/demo.yaml",
    auth: "none",
    free: true,
    local: false,
  });
});

it("lanes that nobody can use as configured are refused with everything that is wrong", async () => {
  const sources = sourcesOf({ environment: { OLLAMA_HOST: "no host" }, user: file({ corp: {} }) });
  await expect(providersOrThrow(sources)).rejects.toMatchObject({
    code: "invalid_providers",
    exitCode: 4,
    message: expect.stringMatching(/OLLAMA_HOST {2}not the address[\s\S]*user\.yaml {2}provider "corp"/),
  });
  expect((await providersOrThrow(sourcesOf({}))).lanes).toEqual(await resolved({}));
});

it("everything that is wrong is reported at once, and then there are no lanes", async () => {
  const diagnostics = await refused({
    environment: { OPENAI_BASE_URL: "nonsense" },
    user: file({ corp: {}, "a/b": {} }),
    project: { path: ".ccp/providers.yaml", providers: { openai: { free: true } }, trustedHosts: ["evil.example"] },
  });
  expect(diagnostics.map((line) => line.split("  ")[0])).toEqual([
    "OPENAI_BASE_URL",
    "user.yaml",
    "user.yaml",
    "user.yaml",
    ".ccp/providers.yaml",
    ".ccp/providers.yaml",
  ]);
});

function file(providers: ProvidersFile["providers"]): ProvidersFile {
  return { path: "user.yaml", providers, trustedHosts: [] };
}

function sourcesOf(change: Partial<LaneSources>): LaneSources {
  return { environment: {}, user: null, project: null, trustedHosts: [], ...change };
}

async function resolved(change: Partial<LaneSources>): Promise<readonly Lane[]> {
  const result = await resolveLanes(sourcesOf(change));
  if ("diagnostics" in result) throw new Error(result.diagnostics.map(formatDiagnostic).join("\n"));
  return result.lanes;
}

async function laneOf(id: string, change: Partial<LaneSources>): Promise<Lane | undefined> {
  return (await resolved(change)).find((lane) => lane.id === id);
}

async function refused(change: Partial<LaneSources>): Promise<readonly string[]> {
  const result = await resolveLanes(sourcesOf(change));
  return "diagnostics" in result ? result.diagnostics.map(formatDiagnostic) : [];
}
