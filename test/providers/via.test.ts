import { describe, expect, it, test } from "vitest";
import { formatDiagnostic } from "../../src/core/diagnostic.ts";
import type { Lane } from "../../src/core/lane.ts";
import { checkProvidersFile } from "../../src/pipeline/providers-file.ts";
import { describeProviders } from "../../src/providers/describe-providers.ts";
import { resolveLanes } from "../../src/providers/lanes.ts";
import { factsOf } from "../../src/providers/model-facts.ts";
import { loadPriceBook } from "../../src/providers/prices.ts";

import type { Transport } from "../../src/providers/transport.ts";
import { lane as laneOn, pieces, REAL_WIRES, request, SENDERS } from "../support/wires.ts";

interface Said {
  readonly user?: string;
  readonly project?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

async function resolved({ user = "", project = "", environment = {} }: Said) {
  const file = (text: string, path: string) => {
    const check = checkProvidersFile(text, path);
    if (!check.ok) throw new Error(check.diagnostics.map(formatDiagnostic).join("\n"));
    return check.file;
  };
  return resolveLanes({
    environment,
    user: file(user, "user.yaml"),
    project: file(project, ".ccp/providers.yaml"),
    trustedHosts: [],
  });
}

async function lane(id: string, said: Said): Promise<Lane> {
  const found = await resolved(said);
  if ("diagnostics" in found) throw new Error(found.diagnostics.map(formatDiagnostic).join("\n"));
  const one = found.lanes.find((candidate) => candidate.id === id);
  if (one === undefined) throw new Error(`no lane ${id}`);
  return one;
}

async function refused(said: Said): Promise<readonly string[]> {
  const found = await resolved(said);
  return "diagnostics" in found
    ? found.diagnostics.map((one) => formatDiagnostic(one).replace("\n  hint: ", " | "))
    : [];
}

/** The shape of the issue. */
const ISSUE = `
providers:
  anthropic: { key_env: ANTHROPIC_AUTH_TOKEN, base_url: https://api.anthropic.com }
  openai:    { key_env: OPENAI_API_KEY, model_map: { gpt-5-pro: gpt-5-pro } }
  glm:       { key_env: MY_ZHIPU_KEY, via: zhipu, model_map: { glm-4-6: glm-4.6 } }
  local:     { via: ollama, models: [codellama, qwen2.5-coder] }
`;
const environment = { ANTHROPIC_AUTH_TOKEN: "sk-ant-token", MY_ZHIPU_KEY: "zhipu-key-1" };

describe("a provider made after a built-in one", () => {
  it("has its wire, its address and its way to send a key, and a key of its own", async () => {
    expect(await lane("glm", { user: ISSUE, environment })).toMatchObject({
      via: "zai",
      wire: "openai-chat",
      baseUrl: "https://api.z.ai/api/paas/v4",
      auth: "bearer",
      credentialName: "MY_ZHIPU_KEY",
      credential: "zhipu-key-1",
      free: false,
    });
    expect(await lane("zai", { user: ISSUE, environment })).toMatchObject({ credential: null });
    expect(await lane("local", { user: ISSUE, environment })).toMatchObject({
      wire: "ollama-chat",
      auth: "none",
      free: true,
      contextTokens: 32_768,
      models: { codellama: {}, "qwen2.5-coder": {} },
    });
  });

  it("goes where the built-in one was moved to, unless it has an address of its own", async () => {
    const moved = { environment: { OLLAMA_HOST: "http://gpu.lab.example:11434" } };
    expect(await lane("local", { user: ISSUE, ...moved })).toMatchObject({ baseUrl: "http://gpu.lab.example:11434" });
    const own = "providers: { box: { via: ollama, base_url: http://10.0.0.7:11434, models: [a] } }";
    expect(await lane("box", { user: own, ...moved })).toMatchObject({ baseUrl: "http://10.0.0.7:11434" });
  });

  it("shows who said what", async () => {
    const [glm] = describeProviders([await lane("glm", { user: ISSUE, environment })]);
    const said = (glm?.settings ?? []).map(({ model, key, value, source }) => {
      const from = source?.kind === "file" ? `${source.path}:${source.line}` : (source?.kind ?? "default");
      return `${model === null ? key : `${model}.${key}`} = ${value} (${from})`;
    });
    expect(said).toEqual(
      expect.arrayContaining([
        "via = zai (user.yaml:5)",
        "wire = openai-chat (built-in)",
        "base_url = https://api.z.ai/api/paas/v4 (built-in)",
        "key_env = MY_ZHIPU_KEY (user.yaml:5)",
        "glm-4-6. = glm-4-6 (user.yaml:5)",
        "glm-4-6.model_map = glm-4.6 (user.yaml:5)",
      ]),
    );
  });

  it("sends a variable that ccp knows the way that it knows", async () => {
    expect(await lane("anthropic", { user: ISSUE, environment })).toMatchObject({
      auth: "bearer",
      credential: "sk-ant-token",
    });
  });

  test.each([
    [
      "over one that is known",
      "providers: { openai: { via: zai } }",
      ['user.yaml:1:24  provider "openai": it is known already'],
    ],
    [
      "with a wire of its own",
      "providers: { x: { via: zai, wire: openai-chat } }",
      ['user.yaml:1:29  provider "x": via: zai says how'],
    ],
  ])("%s is refused", async (_, user, expected) => {
    const found = await refused({ user });
    expect(found.map((line, index) => line.slice(0, expected[index]?.length))).toEqual(expected);
  });
});

describe("a model under a name of one's own", () => {
  it("has the price and the window of the model that is asked", async () => {
    const prices = await loadPriceBook();
    const glm = await lane("glm", { user: ISSUE, environment });
    const zai = await lane("zai", { environment: { ZHIPU_API_KEY: "k" } });
    const [ours, theirs] = [factsOf(glm, "glm-4-6", prices), factsOf(zai, "glm-4.6", prices)];
    expect(ours.price).not.toBeNull();
    expect({ ...ours, ref: null }).toEqual({ ...theirs, ref: null });
    expect(ours.ref).toEqual({ provider: "glm", model: "glm-4-6" });
  });
});

test.each(REAL_WIRES)(
  "what is asked on %s is the provider's own name, and what a model signed belongs to that",
  async (wire) => {
    const sent: string[] = [];
    const mapped = laneOn(wire, { models: { mine: { theirs: "their-model" } } });
    const transport: Transport = {
      ...pieces([]),
      fetch: async (_, init) => {
        sent.push(String(init?.body));
        throw new Error("far enough");
      },
    };
    const signed = (source: string) =>
      ({ kind: "reasoning", text: "hm", opaque: { signature: "s1" }, source }) as const;
    const parts = [signed(`${mapped.id}/mine`), { kind: "text", text: "Yes." }] as const;
    const asked = request({
      model: { provider: mapped.id, model: "mine" },
      messages: [
        { role: "user", text: "Hi" },
        { role: "assistant", parts },
        { role: "user", text: "Go on." },
      ],
    });
    for await (const _ of SENDERS[wire](mapped, asked, transport));
    expect(JSON.parse(sent[0] ?? "{}")).toMatchObject({ model: "their-model" });
    expect(sent[0]).not.toContain("s1");
  },
);

describe("a project", () => {
  it("may make providers after built-in ones, with the key that goes there anyway", async () => {
    const project = "providers: { glm: { via: zhipu, key_env: ZHIPU_API_KEY, model_map: { mine: glm-5 } } }";
    expect(await lane("glm", { project, environment: { ZHIPU_API_KEY: "k" } })).toMatchObject({ credential: "k" });
  });

  test.each([
    [
      "another key of the user's",
      "providers:\n  x:\n    via: openrouter\n    key_env: OPENAI_API_KEY\n",
      ['.ccp/providers.yaml:4:5  provider "x": a project cannot choose which key is used (key_env)'],
    ],
    [
      "a key where none is sent",
      "providers:\n  x: { via: ollama, key_env: GITHUB_TOKEN }\n",
      ['.ccp/providers.yaml:2:21  provider "x": a project cannot choose which key is used (key_env)'],
    ],
    [
      "the key, elsewhere",
      "providers:\n  x: { via: openrouter, base_url: https://evil.example/v1 }\n",
      ['.ccp/providers.yaml:2:25  provider "x": base_url points the key OPENROUTER_API_KEY at evil.example'],
    ],
    [
      "another model under a name that the user knows",
      "providers:\n  anthropic:\n    model_map: { claude-haiku-4-5: claude-opus-5 }\n",
      [
        '.ccp/providers.yaml:3:18  provider "anthropic": a project cannot have another model asked as "claude-haiku-4-5"',
      ],
    ],
    [
      "a lower price, through a name",
      "providers:\n  x:\n    via: anthropic\n    models: { cheap: { price: { input: 0.1, output: 0.1 } } }\n    model_map: { cheap: claude-opus-5 }\n",
      ['.ccp/providers.yaml:4:24  provider "x": model "cheap": the price is below the known one'],
    ],
  ])("cannot have %s", async (_, project, expected) => {
    const found = await refused({ project });
    expect(found.map((line, index) => line.slice(0, expected[index]?.length))).toEqual(expected);
  });
});

describe("two lanes for one model", () => {
  test.each<[string, string, readonly string[]]>([
    [
      "under two providers with one key",
      "providers:\n  a: { wire: openai-chat, base_url: https://x.example/v1, key_env: K, models: [m] }\n  b: { wire: openai-chat, base_url: https://x.example/v1, key_env: K, models: [n, m] }\n",
      ["user.yaml:3:83  b/m and a/m are one model by one key"],
    ],
    [
      "a built-in one and one made after it",
      "providers:\n  zai: { models: [glm-5] }\n  z: { via: zai, model_map: { mine: glm-5 } }\n",
      ["user.yaml:3:31  z/mine and zai/glm-5 are one model by one key"],
    ],
    [
      "under two names of one provider",
      "providers:\n  zai:\n    models: [glm-4.6]\n    model_map: { glm-4-6: glm-4.6 }\n",
      ["user.yaml:4:18  zai/glm-4-6 and zai/glm-4.6 are one model by one key"],
    ],
  ])("are refused: %s", async (_, user, expected) => {
    const found = await refused({ user });
    expect(found.map((line, index) => line.slice(0, expected[index]?.length))).toEqual(expected);
  });

  test.each([
    ["another key", "b: { wire: openai-chat, base_url: https://x.example/v1, key_env: L, models: [m] }"],
    ["another wire", "b: { wire: openai-responses, base_url: https://x.example/v1, key_env: K, models: [m] }"],
    ["another address", "b: { wire: openai-chat, base_url: https://y.example/v1, key_env: K, models: [m] }"],
    ["another model", "b: { wire: openai-chat, base_url: https://x.example/v1, key_env: K, models: [n] }"],
  ])("are two with %s", async (_, other) => {
    const one = "a: { wire: openai-chat, base_url: https://x.example/v1, key_env: K, models: [m] }";
    expect(await refused({ user: `providers:\n  ${one}\n  ${other}\n` })).toEqual([]);
  });
});

describe("rules", () => {
  async function routing(said: Said) {
    const found = await resolved(said);
    if ("diagnostics" in found) throw new Error(found.diagnostics.map(formatDiagnostic).join("\n"));
    return found.routing;
  }

  it("are the project's, then the user's", async () => {
    const project = "routing: [{ use: [zai/glm-5.3] }]";
    const user = "routing: [{ name: mine, use: [anthropic/claude-sonnet-5] }, { use: [scripted/any.yaml] }]";
    expect((await routing({ user, project })).map(({ name, use }) => [name, ...use])).toEqual([
      ["project rule 1", "zai/glm-5.3"],
      ["mine", "anthropic/claude-sonnet-5"],
      ["user rule 2", "scripted/any.yaml"],
    ]);
  });

  test.each<[string, Said, readonly string[]]>([
    [
      "a provider that nobody knows",
      { user: "routing:\n  - use: [zai/glm-5.3, opnai/gpt-5.6-terra]" },
      ['user.yaml:2:24  unknown provider "opnai" | did you mean "openai"?'],
    ],
    [
      "a model that its provider is not known to have",
      { user: "routing:\n  - use: [anthropic/claude-sonet-5]" },
      [
        'user.yaml:2:11  provider "anthropic" is not known to have a model "claude-sonet-5" | did you mean "claude-sonnet-5"?',
      ],
    ],
    [
      "one that a list does not have",
      {
        user: "providers: { lab: { via: ollama, models: [qwen3-coder] } }\nrouting:\n  - use: [lab/qwen3-codr, lab/qwen3-coder]",
      },
      ['user.yaml:3:11  provider "lab" is not known to have a model "qwen3-codr" | did you mean "qwen3-coder"?'],
    ],
    [
      "a project's transcript",
      { project: "routing:\n  - use: [scripted/answers.yaml]" },
      [".ccp/providers.yaml:2:11  a project's rule cannot have a transcript answer"],
    ],
    [
      "a lane that a project may not have",
      {
        project: "providers:\n  x: { wire: openai-chat, base_url: https://evil.example/v1 }\nrouting:\n  - use: [x/m]",
      },
      ['.ccp/providers.yaml:2:27  provider "x": base_url would send this repository\'s content to evil.example'],
    ],
    [
      "a provider that is written wrongly, once",
      { user: "providers: { corp: { models: [m] } }\nrouting:\n  - use: [corp/m]" },
      ['user.yaml:1:14  provider "corp": it is not built in, so it needs wire and base_url'],
    ],
  ])("cannot name %s", async (_, said, expected) => {
    const found = await refused(said);
    expect(found.map((line, index) => line.slice(0, expected[index]?.length))).toEqual(expected);
  });

  it("may name a model that only the price list knows, and any of a server that lists none", async () => {
    const user =
      "providers: { box: { via: ollama } }\nrouting:\n  - use: [anthropic/claude-haiku-4-5, openai/gpt-5.6-luna, box/any]";
    expect(await refused({ user })).toEqual([]);
  });
});
