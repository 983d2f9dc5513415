import { describe, expect, it } from "vitest";
import { CcpError } from "../../src/core/errors.ts";
import type { Json } from "../../src/core/json.ts";
import type { Lane } from "../../src/core/lane.ts";
import type { Models, Spool } from "../../src/core/ports.ts";
import { resolveLanes } from "../../src/providers/lanes.ts";
import { createModels } from "../../src/providers/models.ts";
import { wireServer } from "../support/wire-server.ts";
import { STORIES } from "../support/wire-stories.ts";
import { collect, endOf, framed, LANE_KEY, lane, memorySpool, request } from "../support/wires.ts";

const KEYS = { ANTHROPIC_API_KEY: "sk-ant-1", OPENAI_API_KEY: "sk-oai-1", ZHIPU_API_KEY: "zai-1" };
const PRICE = { input: 1e9, cacheRead: 1e9, cacheWrite: 1e9, output: 2e9, tiers: [] };

describe("what is known of a model", () => {
  it("is its price, its window and the usual length of an answer", async () => {
    const models = await modelsOf(await lanesOf(KEYS));
    expect(models.facts({ provider: "anthropic", model: "claude-sonnet-5" })).toEqual({
      ref: { provider: "anthropic", model: "claude-sonnet-5" },
      price: { input: 2e9, cacheRead: 0.2e9, cacheWrite: 2.5e9, cacheWriteHour: 4e9, output: 10e9, tiers: [] },
      contextWindow: 1_000_000,
      maxOutputTokens: 16_384,
      local: false,
      scripted: false,
      capabilities: { tools: true, thinking: true, vision: true },
    });
    expect(models.facts({ provider: "zai", model: "glm-5.3" })).toMatchObject({ price: { input: 1.4e9 } });
    expect(models.facts({ provider: "openai", model: "unheard-of" })).toMatchObject({
      price: null,
      contextWindow: null,
    });
  });

  it("is nothing to pay and a window of its own for Ollama", async () => {
    const models = await modelsOf(await lanesOf({ OLLAMA_HOST: ":11434" }));
    expect(models.facts({ provider: "ollama", model: "qwen3:8b" })).toMatchObject({
      price: { input: 0, output: 0 },
      contextWindow: 32_768,
      maxOutputTokens: 4_096,
      local: true,
    });
  });

  it("is what the user says of it", async () => {
    const said = {
      "claude-sonnet-5": { price: PRICE, contextWindow: 9_000, maxOutputTokens: 700 },
      small: { contextWindow: 9_000 },
    };
    const lanes = [lane("anthropic-messages", { id: "anthropic", baseUrl: "https://api.anthropic.com", models: said })];
    const models = await modelsOf(lanes);
    expect(models.facts({ provider: "anthropic", model: "claude-sonnet-5" })).toMatchObject({
      price: PRICE,
      contextWindow: 9_000,
      maxOutputTokens: 700,
    });
    expect(models.facts({ provider: "anthropic", model: "small" })).toMatchObject({ maxOutputTokens: 4_500 });
  });

  it("is how it changes files best: a patch for OpenAI's models, whole files for small ones, else what the user says", async () => {
    const models = await modelsOf([lane("openai-chat", { models: { "gpt-5.1": {}, own: { edits: "write" } } })]);
    const formOf = (model: string) => models.facts({ provider: "test", model }).edits ?? "edit";
    const forms = {
      ...{ "gpt-5.1": "apply_patch", "openai/gpt-oss-120b": "apply_patch", "o4-mini": "apply_patch" },
      ...{ "qwen3:8b": "write", "meta-llama/llama-3.1-8b-instruct": "write", "mistral:latest": "write", own: "write" },
      ...{ "claude-sonnet-5": "edit", "glm-5.3": "edit", "qwen3-coder:30b": "edit", "qwen3:30b-a3b": "edit" },
      ...{ "deepseek-r1:32b": "edit", "llama3.3:70b": "edit", "not-gpt": "edit", "mixtral:8x7b": "edit" },
    };
    expect(Object.fromEntries(Object.keys(forms).map((model) => [model, formOf(model)]))).toEqual(forms);
  });

  it("leaves room for no more than the window, whoever says otherwise", async () => {
    const said = { tiny: { contextWindow: 1_000, maxOutputTokens: 5_000 } };
    const models = await modelsOf([lane("ollama-chat", { contextTokens: 2_000, models: said })]);
    expect(models.facts({ provider: "test", model: "tiny" })).toMatchObject({
      contextWindow: 1_000,
      maxOutputTokens: 1_000,
    });
    expect(models.facts({ provider: "test", model: "other" })).toMatchObject({
      contextWindow: 2_000,
      maxOutputTokens: 1_000,
    });
  });

  it.each<[string, Partial<Lane>, Json]>([
    [
      "a proxy on this machine to a vendor is listed at the vendor's price",
      { id: "anthropic", local: true },
      { input: 2e9 },
    ],
    ["a server on this machine costs nothing", { id: "vllm", local: true }, { input: 0 }],
    [
      "a server on this machine costs what the user says",
      { id: "vllm", local: true, free: true, models: { "claude-sonnet-5": { price: PRICE } } },
      { input: 1e9 },
    ],
    ["what the user declares free is free", { id: "anthropic", free: true }, { input: 0 }],
    ["a server elsewhere has no known price", { id: "vllm" }, null],
  ])("%s", async (_claim, change, price) => {
    const baseUrl = change.local ? "http://127.0.0.1:4000" : "https://llm.corp";
    const models = await modelsOf([lane("openai-chat", { baseUrl, ...change })]);
    const facts = models.facts({ provider: change.id ?? "", model: "claude-sonnet-5" });
    if (price === null) expect(facts.price).toBeNull();
    else expect(facts.price).toMatchObject(price as object);
  });

  it("of the scripted provider: free, and announced as what it is", async () => {
    const models = await modelsOf(await lanesOf({}), { "a/t.yaml": { turns: [{ role: "doer", turn: 1 }] } });
    expect(models.facts({ provider: "scripted", model: "a/t.yaml" })).toMatchObject({
      price: { input: 0, output: 0 },
      local: false,
      scripted: true,
    });
  });
});

describe("a model that cannot be asked", () => {
  it.each([
    [
      "antropic/claude",
      "unknown_provider",
      2,
      'unknown provider "antropic" in "antropic/claude"; known: anthropic, openai, openai-chat, openrouter, zai, ollama, scripted',
      'did you mean "anthropic"?',
    ],
    [
      "elsewhere/x",
      "unknown_provider",
      2,
      expect.stringContaining("known: anthropic"),
      "define it in providers.yaml, or name one of these",
    ],
    [
      "anthropic/claude",
      "missing_key",
      4,
      'provider "anthropic" has no key: ANTHROPIC_API_KEY is not set',
      "set ANTHROPIC_API_KEY or ANTHROPIC_AUTH_TOKEN, or choose another model",
    ],
    [
      "zai/glm-5.3",
      "missing_key",
      4,
      'provider "zai" has no key: ZHIPU_API_KEY is not set',
      "set ZHIPU_API_KEY, or choose another model",
    ],
  ])("%s: %s", async (name, code, exitCode, message, hint) => {
    const models = await modelsOf(await lanesOf({ OPENAI_API_KEY: "sk-1" }));
    const [provider = "", model = ""] = name.split("/");
    const error = thrownBy(() => models.facts({ provider, model }));
    expect(error).toBeInstanceOf(CcpError);
    expect(error).toMatchObject({ code, exitCode, message, hint });
    const end = await endOf(models.send(request({ model: { provider, model } }), call()));
    const failure = { class: exitCode === 4 ? "auth" : "invalid", message, mayBeBilled: false };
    expect(end).toMatchObject({ type: "failed", failure });
  });

  it("a key of the user's own naming is asked for by its name", async () => {
    const models = await modelsOf([lane("openai-chat", { id: "corp", credential: null, credentialName: "CORP_KEY" })]);
    expect(thrownBy(() => models.facts({ provider: "corp", model: "m" }))).toMatchObject({
      message: 'provider "corp" has no key: CORP_KEY is not set',
      hint: "set CORP_KEY, or choose another model",
    });
  });
});

describe("a transcript", () => {
  const turn = (say: string, more: object = {}): Json => ({ turns: [{ role: "doer", turn: 1, say, ...more }] });
  const scripted = (path: string) => request({ model: { provider: "scripted", model: path } });

  it("is named where others have a model, or by a lane of its own", async () => {
    const canned: Lane = {
      ...lane("openai-chat", { id: "canned", baseUrl: "two.yaml", auth: "none" }),
      wire: "scripted",
    };
    const transcripts = { "/x/one.yaml": turn("one"), "two.yaml": turn("two") };
    const models = await modelsOf([...(await lanesOf({})), canned], transcripts);
    const answer = await endOf(models.send(scripted("/x/one.yaml"), call()));
    expect(answer).toMatchObject({ parts: [{ text: "one" }] });
    const other = await endOf(models.send(request({ model: { provider: "canned", model: "any" } }), call()));
    expect(other).toMatchObject({ parts: [{ text: "two" }] });
  });

  it("is read once, so that its faults come to an end", async () => {
    const models = await modelsOf(await lanesOf({}), { "t.yaml": turn("at last", { fault: { class: "rate" } }) });
    models.facts({ provider: "scripted", model: "t.yaml" });
    expect((await endOf(models.send(scripted("t.yaml"), call()))).type).toBe("failed");
    expect((await endOf(models.send(scripted("t.yaml"), call()))).type).toBe("answered");
  });

  it.each([
    ["missing.yaml", "no_transcript", "there is no transcript missing.yaml"],
    [
      "wrong.yaml",
      "invalid_transcript",
      'wrong.yaml  turns[0]: turn is needed\nwrong.yaml  turns[1]: unknown key "sya"; did you mean "say"?',
    ],
  ])("%s is refused before anything is asked: %s", async (path, code, message) => {
    const wrong = { turns: [{ role: "doer" }, { role: "doer", turn: 1, sya: "x" }] };
    const models = await modelsOf(await lanesOf({}), { "wrong.yaml": wrong });
    const error = thrownBy(() => models.facts({ provider: "scripted", model: path }));
    expect(error).toMatchObject({ code, exitCode: 2, message });
    expect(await endOf(models.send(scripted(path), call()))).toMatchObject({ failure: { class: "invalid", message } });
  });
});

describe("a call", () => {
  it("goes to the lane that its model names, with that lane's key", async () => {
    const [one, two] = [await chatServer(), await chatServer()];
    const models = await modelsOf([
      lane("openai-chat", { id: "one", baseUrl: one.url, credential: "key-of-one-01" }),
      lane("openai-chat", { id: "two", baseUrl: two.url, credential: "key-of-two-02" }),
    ]);
    await endOf(models.send(request({ model: { provider: "two", model: "vendor/m:free" } }), call()));
    expect(one.received).toHaveLength(0);
    expect(two.received.map(({ headers }) => headers.authorization)).toEqual(["Bearer key-of-two-02"]);
    expect(JSON.parse(two.received[0]?.body ?? "")).toMatchObject({ model: "vendor/m:free" });
  });

  it("shows no secret in its failure", async () => {
    const server = await wireServer({
      status: 400,
      chunks: [`{"error":{"message":"bad: ${LANE_KEY} and hunter2-hunter2"}}`],
    });
    const models = await createModels({
      lanes: [lane("openai-chat", { baseUrl: server.url })],
      spool: memorySpool(),
      readTranscript: noTranscript,
      secrets: ["hunter2-hunter2"],
    });
    const end = await endOf(models.send(request(), call()));
    expect(JSON.stringify(end)).toContain("bad: [redacted by ccp] and [redacted by ccp]");
  });

  it("that finds its disk full is ccp's own trouble, and is thrown", async () => {
    const server = await chatServer();
    const full = new CcpError("disk_full", 9, "no space left");
    const spool: Spool = {
      ...memorySpool(),
      write: () => {
        throw full;
      },
    };
    const models = await createModels({
      lanes: [lane("openai-chat", { baseUrl: server.url })],
      spool,
      readTranscript: noTranscript,
    });
    await expect(collect(models.send(request(), call()))).rejects.toBe(full);
  });
});

function modelsOf(lanes: readonly Lane[], transcripts: Readonly<Record<string, Json>> = {}): Promise<Models> {
  const readTranscript = (path: string) => transcripts[path] ?? noTranscript(path);
  return createModels({ lanes, spool: memorySpool(), readTranscript });
}

function noTranscript(path: string): Json {
  throw new CcpError("no_transcript", 2, `there is no transcript ${path}`);
}

async function lanesOf(environment: Readonly<Record<string, string>>): Promise<readonly Lane[]> {
  const resolved = await resolveLanes({ environment, user: null, project: null, trustedHosts: [] });
  if ("diagnostics" in resolved) throw new Error(resolved.diagnostics.map(({ message }) => message).join("\n"));
  return resolved.lanes;
}

function chatServer() {
  return wireServer({ chunks: [framed("openai-chat", STORIES["openai-chat"])] });
}

function call(): { readonly callId: string; readonly signal: AbortSignal } {
  return { callId: "c-1", signal: new AbortController().signal };
}

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return null;
}
