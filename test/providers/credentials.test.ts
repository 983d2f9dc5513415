import { describe, expect, it, onTestFinished, vi } from "vitest";
import { sourceOf } from "../../src/providers/history.ts";
import { ANTHROPIC_VERSION } from "../../src/providers/lane-fetch.ts";
import { createModels } from "../../src/providers/models.ts";
import { writeFiles } from "../support/git.ts";
import { tempDir } from "../support/temp.ts";
import { wireServer } from "../support/wire-server.ts";
import { STORIES } from "../support/wire-stories.ts";
import {
  contentTypeOf,
  endOf,
  framed,
  LANE_KEY,
  lane,
  memorySpool,
  REAL_WIRES,
  type RealWire,
  recording,
  request,
  SENDERS,
} from "../support/wires.ts";

const CANARY = "canary-9f8e7d6c5b4a";

/** Everything that the SDKs are known to read by themselves, set to what must never be seen. */
function setCanaries(elsewhere: string): void {
  const home = tempDir("ccp-home");
  const profile = { type: "api_key", api_key: CANARY, base_url: elsewhere };
  writeFiles(home, { ".config/anthropic/configs/default.json": JSON.stringify(profile) });
  const names =
    "ANTHROPIC_API_KEY ANTHROPIC_AUTH_TOKEN ANTHROPIC_IDENTITY_TOKEN ANTHROPIC_WEBHOOK_SIGNING_KEY OPENAI_API_KEY " +
    "OPENAI_ADMIN_KEY OPENAI_ORG_ID OPENAI_PROJECT_ID OPENAI_WEBHOOK_SECRET OLLAMA_API_KEY";
  for (const name of names.split(" ")) vi.stubEnv(name, CANARY);
  for (const name of ["ANTHROPIC_CUSTOM_HEADERS", "OPENAI_CUSTOM_HEADERS"]) {
    const list = [
      "x-canary",
      "authorization",
      "x-api-key",
      "anthropic-version",
      "anthropic-beta",
      "user-agent",
      "cookie",
    ];
    vi.stubEnv(name, list.map((header) => `${header}: ${CANARY}`).join("\n"));
  }
  for (const name of ["ANTHROPIC_BASE_URL", "OPENAI_BASE_URL", "OLLAMA_HOST"]) vi.stubEnv(name, elsewhere);
  vi.stubEnv("HOME", home);
  onTestFinished(() => void vi.unstubAllEnvs());
}

function serving(wire: RealWire) {
  return wireServer({ headers: { "content-type": contentTypeOf(wire) }, chunks: [framed(wire, STORIES[wire])] });
}

describe.each(REAL_WIRES)("%s", (wire) => {
  it.each(["x-api-key", "bearer", "none"] as const)(
    "auth %s: only the lane's key leaves, in its one header",
    async (auth) => {
      const server = await serving(wire);
      const elsewhere = await wireServer({ chunks: [] });
      setCanaries(elsewhere.url);
      const changed = { baseUrl: server.url, auth, credential: auth === "none" ? null : LANE_KEY };
      const end = await endOf(SENDERS[wire](lane(wire, changed), request(), recording()));

      expect(end.type).toBe("answered");
      expect(elsewhere.received).toEqual([]);
      const [received] = server.received;
      const { host: _, "content-length": __, connection: ___, accept: ____, ...headers } = received?.headers ?? {};
      expect(headers).toEqual({
        "content-type": "application/json",
        "user-agent": "ccp",
        ...(wire === "anthropic-messages" ? { "anthropic-version": ANTHROPIC_VERSION } : {}),
        ...(auth === "x-api-key" ? { "x-api-key": LANE_KEY } : {}),
        ...(auth === "bearer" ? { authorization: `Bearer ${LANE_KEY}` } : {}),
      });
      expect(JSON.stringify(received)).not.toContain(CANARY);
      expect(received?.body).not.toContain(LANE_KEY);
    },
  );

  it("the key is not in the spool, and neither are the provider's cookies", async () => {
    const server = await wireServer({
      headers: { "content-type": contentTypeOf(wire), "set-cookie": "session=abc", "request-id": "req-1" },
      chunks: [framed(wire, STORIES[wire])],
    });
    const spool = memorySpool();
    await endOf(
      SENDERS[wire](
        lane(wire, { baseUrl: server.url, credential: LANE_KEY, auth: "bearer" }),
        request(),
        recording({ spool }),
      ),
    );
    const [head = "", ...body] = spool.text("c-1").split("\n");
    expect(body.join("\n")).toBe(framed(wire, STORIES[wire]));
    expect(JSON.parse(head)).toMatchObject({
      status: 200,
      headers: { "content-type": contentTypeOf(wire), "request-id": "req-1" },
    });
    expect(spool.text("c-1")).not.toContain(LANE_KEY);
    expect(spool.text("c-1")).not.toContain("session=abc");
  });

  it("nothing is written to the console, whatever comes", async () => {
    const written = (["log", "info", "warn", "error", "debug"] as const).map((name) => vi.spyOn(console, name));
    const headers = { "content-type": contentTypeOf(wire) };
    const half = framed(wire, STORIES[wire]).slice(0, 400);
    const server = await wireServer(
      { headers, chunks: [half] },
      { headers, chunks: ["\n\n", half], ending: "cut" },
      { headers: { "content-type": "text/plain" }, status: 500, chunks: ["no"] },
      { headers: { "content-type": "application/json" }, status: 404, chunks: ["{"] },
      { headers, chunks: [framed(wire, STORIES[wire])] },
    );
    vi.stubEnv("ANTHROPIC_LOG", "debug");
    vi.stubEnv("OPENAI_LOG", "debug");
    onTestFinished(() => void vi.unstubAllEnvs());
    for (let turn = 0; turn < 5; turn++) {
      const asked = request({ model: { provider: "test", model: "claude-sonnet-4-5" } });
      await endOf(SENDERS[wire](lane(wire, { baseUrl: server.url }), asked, recording()));
    }
    expect(written.flatMap((spy) => spy.mock.calls)).toEqual([]);
    for (const spy of written) spy.mockRestore();
  });
});

it("our version of Anthropic's wire is the pinned SDK's own", async () => {
  const { Anthropic } = await import("@anthropic-ai/sdk");
  let sent: string | null = null;
  const client = new Anthropic({
    apiKey: "x",
    maxRetries: 0,
    fetch: async (_, init) => {
      sent = new Headers(init?.headers as Record<string, string>).get("anthropic-version");
      return Response.json({});
    },
  });
  await client.post("/v1/messages", { body: {} });
  expect(sent).toBe(ANTHROPIC_VERSION);
});

describe("several keys of one lane", () => {
  const keys = [
    { name: "KEY_A", credential: "canary-key-a" },
    { name: "KEY_B", credential: "canary-key-b" },
  ];
  const first = { credential: "canary-key-a", credentialName: "KEY_A", keys };

  it("a call is sent with the one that it names, and no word of the other leaves", async () => {
    const server = await serving("openai-chat");
    const lanes = [lane("openai-chat", { baseUrl: server.url, ...first })];
    const models = await createModels({ lanes, spool: memorySpool(), readTranscript: () => null });
    for (const credential of ["KEY_B", "KEY_A", null]) {
      await endOf(models.send(request(), { callId: "c", signal: new AbortController().signal, credential }));
    }
    expect(server.received.map(({ headers }) => headers.authorization)).toEqual([
      "Bearer canary-key-b",
      "Bearer canary-key-a",
      "Bearer canary-key-a",
    ]);
    expect(JSON.stringify(server.received[0])).not.toContain("canary-key-a");
  });

  it("one that the lane does not have is a failure, and nothing is sent", async () => {
    const server = await serving("openai-chat");
    const lanes = [lane("openai-chat", { baseUrl: server.url, ...first })];
    const models = await createModels({ lanes, spool: memorySpool(), readTranscript: () => null });
    const end = await endOf(
      models.send(request(), { callId: "c", signal: new AbortController().signal, credential: "X" }),
    );
    expect(end).toMatchObject({ type: "failed", failure: { class: "auth", mayBeBilled: false } });
    expect(server.received).toEqual([]);
  });

  it("what a provider repeats of either is blotted out", async () => {
    const body = '{"error":{"message":"bad keys canary-key-a and canary-key-b"}}';
    const server = await wireServer({ status: 400, headers: { "content-type": "application/json" }, chunks: [body] });
    const lanes = [lane("openai-chat", { baseUrl: server.url, ...first })];
    const models = await createModels({ lanes, spool: memorySpool(), readTranscript: () => null });
    const end = await endOf(models.send(request(), { callId: "c", signal: new AbortController().signal }));
    expect(JSON.stringify(end)).not.toContain("canary");
  });

  it("reasoning goes back only to the account that it came from", () => {
    const one = lane("openai-chat", first);
    const other = { ...one, credentialName: "KEY_B" };
    expect(sourceOf(one, request())).not.toBe(sourceOf(other, request()));
    expect(sourceOf(lane("openai-chat"), request())).toBe("test/some-model");
  });
});

describe("what a provider will still take", () => {
  it.each(REAL_WIRES)("comes with the end of an answer on %s, and with a failure", async (wire) => {
    const said = { "x-ratelimit-remaining-requests": "3", "x-ratelimit-reset-requests": "20s" };
    const good = { headers: { "content-type": contentTypeOf(wire), ...said }, chunks: [framed(wire, STORIES[wire])] };
    const bad = { status: 429, headers: { "content-type": "application/json", ...said }, chunks: ["{}"] };
    const server = await wireServer(good, bad);
    for (const type of ["answered", "failed"]) {
      const end = await endOf(SENDERS[wire](lane(wire, { baseUrl: server.url }), request(), recording()));
      expect(end).toMatchObject({ type, allowances: [{ unit: "requests", remaining: 3, limit: null }] });
    }
  });
});
