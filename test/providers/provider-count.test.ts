import { describe, expect, it, vi } from "vitest";
import type { Lane } from "../../src/core/lane.ts";
import type { Message, ModelRequest } from "../../src/core/model.ts";
import { anthropicRequest } from "../../src/providers/anthropic-request.ts";
import { ANTHROPIC_VERSION } from "../../src/providers/lane-fetch.ts";
import { createModels } from "../../src/providers/models.ts";
import { openaiResponsesRequest } from "../../src/providers/openai-responses-request.ts";
import { providerCount } from "../../src/providers/provider-count.ts";
import { inputBound } from "../../src/providers/tokens.ts";
import { deafUrl, type Reply, type WireServer, wireServer } from "../support/wire-server.ts";
import { LANE_KEY, lane, memorySpool, request } from "../support/wires.ts";

const CODE = "export const answer = (list) => list.reduce((sum, one) => sum + one, 0); ".repeat(60);
const HISTORY: readonly Message[] = [
  { role: "user", text: CODE },
  { role: "assistant", parts: [{ kind: "tool_call", id: "c-1", name: "ls", rawArguments: '{"path":"."}' }] },
  { role: "tool", toolCallId: "c-1", name: "ls", text: "a.ts", isError: false },
];
const TOOLS = [{ name: "ls", description: "Lists.", parameters: { type: "object" } as const }];
const { maxTokens: _, ...ASKED } = request({ messages: HISTORY, tools: TOOLS });

const COUNTING = ["anthropic-messages", "openai-responses"] as const;
const JSON_TYPE = { "content-type": "application/json" };

function counting(...counts: readonly (number | string)[]): Promise<WireServer> {
  return wireServer(...counts.map((count) => json({ input_tokens: count })));
}

function json(body: unknown, status = 200): Reply {
  return { status, headers: JSON_TYPE, chunks: [JSON.stringify(body)] };
}

async function tight(lanes: readonly Lane[], asked: Omit<ModelRequest, "maxTokens"> = ASKED): Promise<number> {
  return (await createModels({ lanes, spool: memorySpool(), readTranscript: () => null })).tightInputBound(asked);
}

describe.each(COUNTING)("%s: the provider's own count", (wire) => {
  it("makes the bound: a little more than what it says", async () => {
    const server = await counting(2_000);
    expect(inputBound(ASKED)).toBeGreaterThan(3_000);
    expect(await tight([lane(wire, { baseUrl: server.url })])).toBe(2_000 * 1.05 + 16);
  });

  it("is asked for in the words in which the call would be sent, but for what a count has no use for", async () => {
    const server = await counting(2_000);
    const asked = lane(wire, { baseUrl: server.url });
    await tight([asked]);
    const [{ path, body } = { path: "", body: "" }] = server.received;
    const { max_tokens, stream: __, ...anthropic } = anthropicRequest(asked, { ...ASKED, maxTokens: 1 });
    const { model, input, instructions, tools } = openaiResponsesRequest(asked, { ...ASKED, maxTokens: 1 });
    const isAnthropic = wire === "anthropic-messages";
    expect(path).toBe(isAnthropic ? "/v1/messages/count_tokens" : "/responses/input_tokens");
    expect(JSON.parse(body)).toEqual(
      JSON.parse(JSON.stringify(isAnthropic ? anthropic : { model, input, instructions, tools })),
    );
    expect([max_tokens, server.received.length]).toEqual([1, 1]);
  });

  it("goes out with the lane's headers and no others", async () => {
    const server = await counting(2_000);
    vi.stubEnv("ANTHROPIC_CUSTOM_HEADERS", "x-canary: seen");
    vi.stubEnv("OPENAI_CUSTOM_HEADERS", "x-canary: seen");
    await tight([lane(wire, { baseUrl: server.url })]);
    vi.unstubAllEnvs();
    const { host, "content-length": length, connection, ...headers } = server.received[0]?.headers ?? {};
    expect([host, length, connection]).toEqual([expect.any(String), expect.any(String), "close"]);
    expect(headers).toEqual({
      accept: "application/json",
      "content-type": "application/json",
      "user-agent": "ccp",
      ...(wire === "anthropic-messages"
        ? { "anthropic-version": ANTHROPIC_VERSION, "x-api-key": LANE_KEY }
        : { authorization: `Bearer ${LANE_KEY}` }),
    });
  });

  it("never loosens the local bound", async () => {
    const server = await counting(1_000_000);
    expect(await tight([lane(wire, { baseUrl: server.url })])).toBe(inputBound(ASKED));
  });

  it.each<[string, Reply]>([
    ["that is down", { status: 503, chunks: ["out of order"] }],
    ["that is overrun", json({ error: { type: "rate_limit_error", message: "slow down" } }, 429)],
    ["that wants another key", json({ error: { type: "authentication_error", message: "no" } }, 401)],
    ["that answers with a web page", { headers: { "content-type": "text/html" }, chunks: ["<!DOCTYPE html>"] }],
    ["that answers with half of it", { headers: JSON_TYPE, chunks: ['{"input_tok'], ending: "cut" }],
    ["that answers with something else", json({ tokens: 5 })],
    ["that answers with nothing", json(null)],
    ["that counts in text", json({ input_tokens: "2000" })],
    ["that counts less than the text can be", json({ input_tokens: 7 })],
    ["that counts nothing", json({ input_tokens: 0 })],
    ["that counts in halves", json({ input_tokens: 2_000.5 })],
  ])("from a server %s is done without", async (_, reply) => {
    const server = await wireServer(reply);
    expect(await tight([lane(wire, { baseUrl: server.url })])).toBe(inputBound(ASKED));
    expect(server.received).toHaveLength(1);
  });

  it("is done without where nobody answers", async () => {
    expect(await tight([lane(wire, { baseUrl: await deafUrl() })])).toBe(inputBound(ASKED));
  });

  it.each<[string, Reply]>([
    ["at all", { chunks: [], ending: "silence" }],
    ["to its end", { headers: JSON_TYPE, chunks: ['{"input_tokens":'], ending: "silence" }],
  ])("is not waited for where it does not come %s", async (_, reply) => {
    const server = await wireServer(reply);
    expect(await providerCount(40)(lane(wire, { baseUrl: server.url }), ASKED)).toBeNull();
  });

  it("is not fetched from where a redirect leads to", async () => {
    const elsewhere = await counting(2_000);
    const server = await wireServer({ status: 307, headers: { location: `${elsewhere.url}/v1` }, chunks: [] });
    expect(await tight([lane(wire, { baseUrl: server.url })])).toBe(inputBound(ASKED));
    expect(elsewhere.received).toHaveLength(0);
  });

  it.each([404, 405])("is not asked for again where there is none (%i), but for another model", async (status) => {
    const server = await wireServer(json({ error: { message: "not found" } }, status), json({ input_tokens: 2_000 }));
    const lanes = [lane(wire, { baseUrl: server.url })];
    const models = await createModels({ lanes, spool: memorySpool(), readTranscript: () => null });
    expect(await models.tightInputBound(ASKED)).toBe(inputBound(ASKED));
    expect(await models.tightInputBound(ASKED)).toBe(inputBound(ASKED));
    expect(server.received).toHaveLength(1);
    const other = { ...ASKED, model: { ...ASKED.model, model: "another-model" } };
    expect(await models.tightInputBound(other)).toBe(2_000 * 1.05 + 16);
  });

  it("is asked for again where it only failed", async () => {
    const server = await wireServer({ status: 503, chunks: [] }, json({ input_tokens: 2_000 }));
    const lanes = [lane(wire, { baseUrl: server.url })];
    const models = await createModels({ lanes, spool: memorySpool(), readTranscript: () => null });
    expect(await models.tightInputBound(ASKED)).toBe(inputBound(ASKED));
    expect(await models.tightInputBound(ASKED)).toBe(2_000 * 1.05 + 16);
  });

  it("leaves nothing in the spool, and is not asked for without a key", async () => {
    const server = await counting(2_000);
    const spool = memorySpool();
    const lanes = [lane(wire, { baseUrl: server.url, credential: null })];
    const models = await createModels({ lanes, spool, readTranscript: () => null });
    expect(await models.tightInputBound(ASKED)).toBe(inputBound(ASKED));
    expect(server.received).toHaveLength(0);
    const open = await createModels({
      lanes: [lane(wire, { baseUrl: server.url })],
      spool: { ...spool, write: () => expect.unreachable("nothing of a count is kept") },
      readTranscript: () => null,
    });
    expect(await open.tightInputBound(ASKED)).toBe(2_000 * 1.05 + 16);
  });
});

describe("the tightest bound elsewhere", () => {
  it.each(["openai-chat", "ollama-chat"] as const)("%s: is the local one, and nobody is asked", async (wire) => {
    const server = await counting(2_000);
    expect(await tight([lane(wire, { baseUrl: server.url })])).toBe(inputBound(ASKED));
    expect(server.received).toHaveLength(0);
  });

  it("is by OpenAI's tokenizer for OpenAI's models, where their provider does not count", async () => {
    const server = await wireServer({ status: 404, chunks: [] });
    const asked = (provider: string) => ({ ...ASKED, model: { provider, model: "m" } });
    const lanes = [
      lane("openai-responses", { id: "openai", baseUrl: server.url }),
      lane("openai-chat", { id: "openai-chat", baseUrl: server.url }),
    ];
    for (const id of ["openai", "openai-chat"]) {
      expect(await tight(lanes, asked(id))).toBeLessThan(inputBound(ASKED) * 0.8);
    }
    expect(await tight(lanes, asked("nobody"))).toBe(inputBound(ASKED));
  });
});
