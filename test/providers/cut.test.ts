import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { get_encoding } from "tiktoken";
import { describe, expect, it, onTestFinished } from "vitest";
import { createModels } from "../../src/providers/models.ts";
import { type CannedAnswer, canned } from "../support/wire-answers.ts";
import { wireServer } from "../support/wire-server.ts";
import {
  contentTypeOf,
  endOf,
  framed,
  lane,
  memorySpool,
  pieces,
  REAL_WIRES,
  type RealWire,
  recording,
  request,
  SENDERS,
} from "../support/wires.ts";

const SENTENCE = "The sum is wrong because the carry is dropped; mend it and run all the tests again. ";
const o200k = get_encoding("o200k_base");
const MAX_TOKENS = 512;

/** Each a token: sentences that differ in them repeat nothing within sight. */
const WORDS = ["carry", "sign", "digit", "limit", "index", "width", "value"];
/** Some 1,900 tokens by OpenAI's count, nearly four times what is asked for here. */
const TOO_LONG = Array.from({ length: 100 }, (_, index) => SENTENCE.replace("carry", WORDS[index % 7] ?? ""));

function body(wire: RealWire, answer: CannedAnswer): string {
  const { running, ending } = canned(wire, answer);
  return framed(wire, [...running, ...ending]);
}

function read(wire: RealWire, answer: CannedAnswer, maxTokens = MAX_TOKENS) {
  const bytes = Buffer.from(body(wire, answer));
  return endOf(SENDERS[wire](lane(wire), request({ maxTokens }), pieces([bytes], contentTypeOf(wire))));
}

describe.each(REAL_WIRES)("%s: an answer that only repeats itself", (wire) => {
  it("is cut long before its ceiling", async () => {
    const { running } = canned(wire, { texts: [`${TOO_LONG.slice(0, 5).join("")}`, ...Array(200).fill(SENTENCE)] });
    const server = await wireServer({
      headers: { "content-type": contentTypeOf(wire) },
      chunks: running.map((payload) => framed(wire, [payload]).replace("data: [DONE]\n\n", "")),
      ending: "silence",
    });
    const asked = request({ maxTokens: 16_384 });
    const end = await endOf(SENDERS[wire](lane(wire, { baseUrl: server.url }), asked, recording()));
    if (end.type !== "answered") throw new Error(end.failure.message);
    expect(end).toMatchObject({ stop: "length", cut: true, usage: { source: "estimated" } });
    const [part] = end.parts;
    expect(part?.kind === "text" ? part.text.length : 0).toBeLessThan(20 * SENTENCE.length);
  });
});

describe.each(REAL_WIRES)("%s: an answer that was cut, whatever the provider calls its end,", (wire) => {
  const whole = ['{"path":"a.ts",', '"text":"all of it"}'];

  it("is known by arguments that break off", async () => {
    // Ollama gives its calls whole, or not at all.
    if (wire === "ollama-chat") return;
    expect(await read(wire, { call: whole.slice(0, 1) })).toMatchObject({ type: "answered", stop: "length" });
    expect(await read(wire, { call: whole })).toMatchObject({ type: "answered", stop: "tool_calls" });
  });

  it("is known by its length", async () => {
    const answer = (output: number) =>
      read(wire, { texts: TOO_LONG.slice(0, 25), call: whole, usage: { input: 40, output } });
    expect(await answer(MAX_TOKENS)).toMatchObject({ type: "answered", stop: "length" });
    expect(await answer(MAX_TOKENS - 1)).toMatchObject({ type: "answered", stop: "tool_calls" });
  });
});

describe.each(REAL_WIRES)("%s: a call that was written as text", (wire) => {
  const text = '<tool_call>{"name":"read","arguments":{"path":"a"}}</tool_call>';
  const tools = [{ name: "read", description: "Reads.", parameters: { type: "object" } }] as const;
  const answer = (textCalls: boolean, stop?: string) => {
    const bytes = Buffer.from(body(wire, { texts: ["I look. ", `\n${text}`], ...(stop ? { stop } : {}) }));
    const flagged = lane(wire, { models: { "some-model": { textCalls } } });
    return endOf(SENDERS[wire](flagged, request({ tools }), pieces([bytes], contentTypeOf(wire))));
  };

  it("is a call where the model is flagged, and text where it is not", async () => {
    expect(await answer(true)).toMatchObject({
      stop: "tool_calls",
      parts: [
        { kind: "text", text: "I look." },
        { kind: "tool_call", id: "call_1_1_1", name: "read", rawArguments: '{"path":"a"}' },
      ],
    });
    expect(await answer(false)).toMatchObject({ stop: "end", parts: [{ kind: "text", text: `I look. \n${text}` }] });
  });
});

describe.each(REAL_WIRES)("%s: an answer that outgrows what was asked for", (wire) => {
  it("is cut, and is then what the provider would have left at that length", async () => {
    const { running } = canned(wire, { texts: TOO_LONG });
    const server = await wireServer({
      headers: { "content-type": contentTypeOf(wire) },
      chunks: running.map((payload) => framed(wire, [payload]).replace("data: [DONE]\n\n", "")),
      // It would go on for ever.
      ending: "silence",
    });
    const asked = request({ maxTokens: MAX_TOKENS });
    const end = await endOf(SENDERS[wire](lane(wire, { baseUrl: server.url }), asked, recording()));
    if (end.type !== "answered") throw new Error(end.failure.message);
    expect(end).toMatchObject({ stop: "length", cut: true, usage: { output: MAX_TOKENS, source: "estimated" } });
    const [part] = end.parts;
    const text = part?.kind === "text" ? part.text : "";
    expect(TOO_LONG.join("").startsWith(text)).toBe(true);
    // Late enough to be certain, and early enough to matter.
    expect(o200k.encode(text).length).toBeGreaterThan(MAX_TOKENS);
    expect(o200k.encode(text).length).toBeLessThan(MAX_TOKENS * 2);
  });

  it("is not listened to any longer: the connection is ended", async () => {
    const { running } = canned(wire, { texts: TOO_LONG });
    const server = createServer();
    onTestFinished(() => void server.close());
    const isGone = new Promise<void>((resolve) => {
      server.once("request", (_, response) => {
        response.writeHead(200, { "content-type": contentTypeOf(wire) });
        response.write(framed(wire, running).replace("data: [DONE]\n\n", ""));
        response.once("close", resolve);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const end = await endOf(SENDERS[wire](lane(wire, { baseUrl }), request({ maxTokens: MAX_TOKENS }), recording()));
    expect(end).toMatchObject({ cut: true });
    await isGone;
  });

  it.each<[string, CannedAnswer]>([
    ["reasoning", { reasoning: TOO_LONG, texts: ["Done."] }],
    ["a text after reasoning", { reasoning: TOO_LONG.slice(0, 30), texts: TOO_LONG.slice(0, 30) }],
    ["one text", { texts: [TOO_LONG.join("")] }],
    ["blanks, at last", { texts: [" ".repeat(300_000)] }],
  ])("is cut, where it is %s", async (_, answer) => {
    expect(await read(wire, answer)).toMatchObject({ type: "answered", stop: "length", cut: true });
  });

  it("has no tool call that is not whole", async () => {
    const call = ['{"path":"a.ts","text":"', ...TOO_LONG, '"}'];
    const end = await read(wire, { texts: ["I shall write it."], call });
    expect(end).toMatchObject({ type: "answered", stop: "length", cut: true });
    const calls = end.type === "answered" ? end.parts.filter((part) => part.kind === "tool_call") : [];
    // Ollama gives its calls whole, and this one was whole when it came.
    expect(calls.map(({ rawArguments }) => rawArguments)).toEqual(wire === "ollama-chat" ? [call.join("")] : []);
  });

  it("has none that would look as if it took no arguments", async () => {
    const end = await read(wire, { reasoning: TOO_LONG.slice(0, 48), call: ["", SENTENCE.repeat(9)] });
    expect(end).toMatchObject({ type: "answered", cut: true, parts: [{ kind: "reasoning" }] });
  });

  it("is recovered from the spool as it was cut", async () => {
    const headers = { "content-type": contentTypeOf(wire) };
    const server = await wireServer({ headers, chunks: [body(wire, { texts: TOO_LONG })] });
    const spool = memorySpool();
    const lanes = [lane(wire, { baseUrl: server.url })];
    const models = await createModels({ lanes, spool, readTranscript: () => null });
    const asked = request({ maxTokens: MAX_TOKENS });
    const end = await endOf(models.send(asked, { callId: "c-1", signal: new AbortController().signal }));
    expect(end).toMatchObject({ cut: true });
    expect(await models.recover(asked.model, "c-1")).toMatchObject({ answer: end });
  });

  it("is let alone while it may be within it", async () => {
    const texts = TOO_LONG.slice(0, 26);
    const output = o200k.encode(texts.join("")).length;
    expect(output).toBeGreaterThan(480);
    const end = await read(wire, { texts, usage: { input: 40, output } });
    expect(end).toMatchObject({ type: "answered", stop: "end", cut: false, usage: { output, source: "provider" } });
  });

  it("is the bill where the provider reports it in the end", async () => {
    const end = await read(wire, { texts: ["Short."], usage: { input: 40, output: 9_000 } });
    const usage = { freshInput: 40, output: 9_000, source: "provider" };
    expect(end).toMatchObject({ type: "answered", stop: "length", cut: false, usage });
  });

  it("is never found in one that keeps to it, whatever text it is", async () => {
    const kinds = fc.constantFrom(
      SENTENCE,
      "const answer = 42;\n",
      "        }\n",
      "| --- | --- |\n",
      `${"=".repeat(120)}\n`,
      "修复测试。",
      "0x7f, ",
    );
    await fc.assert(
      fc.asyncProperty(fc.array(kinds, { minLength: 1, maxLength: 60 }), async (texts) => {
        const maxTokens = o200k.encode(texts.join("")).length;
        expect(await read(wire, { texts }, maxTokens)).toMatchObject({ type: "answered", cut: false });
      }),
      { numRuns: 50 },
    );
  });
});

describe("a provider that counts while it answers", () => {
  it.each<[RealWire, readonly string[]]>([
    // Its report comes before the first text, and that of the other with it.
    ["anthropic-messages", []],
    ["openai-chat", ["One. "]],
  ])("%s: is believed as soon as it is over", async (wire, shown) => {
    const usage = { input: 9, output: 700 };
    const end = await read(wire, { texts: ["One. ", "Two. "], outputSoFar: MAX_TOKENS + 1, usage });
    expect(end).toMatchObject({ type: "answered", stop: "length", cut: true, usage: { output: MAX_TOKENS + 1 } });
    expect(end).toMatchObject({ parts: shown.map((text) => ({ kind: "text", text })) });
  });

  it.each(["anthropic-messages", "openai-chat"] as const)("%s: is let alone at the ceiling itself", async (wire) => {
    const end = await read(wire, {
      texts: ["One. ", "Two. "],
      outputSoFar: MAX_TOKENS,
      usage: { input: 9, output: 500 },
    });
    expect(end).toMatchObject({ type: "answered", cut: false, parts: [{ text: "One. Two. " }] });
  });

  it("an error goes before the length of what came before it", async () => {
    const { running } = canned("openai-chat", { texts: TOO_LONG.slice(0, 10) });
    const error = {
      error: { code: 502, message: "gone" },
      choices: [],
      usage: { prompt_tokens: 9, completion_tokens: 600 },
    };
    const bytes = Buffer.from(framed("openai-chat", [...running, error]));
    const asked = request({ maxTokens: MAX_TOKENS });
    const end = await endOf(SENDERS["openai-chat"](lane("openai-chat"), asked, pieces([bytes])));
    expect(end).toMatchObject({ type: "failed", failure: { class: "server" }, usage: { output: 600 } });
  });
});
