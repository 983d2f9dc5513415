import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import type { Usage } from "../../src/core/usage.ts";
import { AnswerDraft } from "../../src/providers/answer-draft.ts";
import { readResponsesEvent } from "../../src/providers/openai-responses-reader.ts";
import { answerBound, inputBound, inputFloor } from "../../src/providers/tokens.ts";
import { replayTransport, spoolHead } from "../../src/providers/transport.ts";
import { contentTypeOf, type End, endOf, framed, lane, type RealWire, request, SENDERS } from "../support/wires.ts";

/** Real streams, recorded by others; not part of the project. `CCP_WIRE`: where they are. */
const FOLDER = process.env.CCP_WIRE ?? resolve(import.meta.dirname, "../../../shared/wire");

interface Recording {
  readonly wire: RealWire;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  readonly payloads: readonly string[];
  readonly contains: {
    readonly text: string;
    readonly reasoning: string;
    readonly toolCalls: readonly { readonly name: string; readonly args: string }[];
    readonly stopReason: string | null;
    readonly usage: Readonly<Record<string, unknown>> | null;
    readonly error: { readonly message: string } | null;
  } | null;
}

const files = existsSync(FOLDER) ? readdirSync(FOLDER).filter((name) => name.includes("--")) : [];
if (files.length === 0) process.stdout.write(`recordings: skipped, ${FOLDER} is not there\n`);

describe.skipIf(files.length === 0)("a recorded stream, through the real SDK", () => {
  it.each(files)("%s reads as an independent reading found it", async (file) => {
    const recording: Recording = JSON.parse(readFileSync(join(FOLDER, file), "utf8"));
    const end = await read(recording);
    if (recording.contains === null) expectWithoutContains(file, end);
    else if (!recording.payloads.every(isJson)) expectNoAnswer(recording, recording.contains, end);
    else if (recording.contains.error) expectFailure(recording.contains, end);
    else expectAnswer(recording.wire, recording.contains, end);
  });

  it.each(files)("%s is not cut at the ceiling that it keeps to, and its usage is believed", async (file) => {
    const recording: Recording = JSON.parse(readFileSync(join(FOLDER, file), "utf8"));
    const free = await read(recording);
    const bound = await read(recording, Math.max(1, free.usage?.output ?? 1));
    const { usage } = recording.contains ?? {};
    // Where there is no report, the estimate has its end at the ceiling.
    if (usage) expect(bound.usage).toEqual(free.usage);
    if (usage) expect(bound.usage?.source).toBe("provider");
    if (bound.type === "answered") expect(bound.cut).toBe(false);
  });

  it("no answer was billed with more tokens than a request is bounded by that has it in its history", async () => {
    const known: string[] = [];
    for (const file of files) {
      const recording: Recording = JSON.parse(readFileSync(join(FOLDER, file), "utf8"));
      const end = await read(recording);
      if (end.type !== "answered" || end.usage.source !== "provider" || hides(end)) continue;
      known.push(file);
      const asked = { ...request({ system: "", messages: [{ role: "assistant", parts: end.parts }] }) };
      expect(inputBound(asked), file).toBeGreaterThanOrEqual(end.usage.output);
      expect(inputFloor(asked), file).toBeLessThanOrEqual(end.usage.output);
      const drafts = end.parts.map((part) =>
        part.kind === "tool_call" ? { ...part, text: part.rawArguments } : { ...part, name: "" },
      );
      expect(answerBound(drafts), file).toBeGreaterThanOrEqual(end.usage.output);
    }
    expect(known.length).toBeGreaterThan(8);
  });
});

/** More tokens than characters: reasoning that is not shown (and one stream with the figures of another). */
function hides(end: Extract<End, { type: "answered" }>): boolean {
  const texts = end.parts.map((part) => (part.kind === "tool_call" ? part.name + part.rawArguments : part.text));
  return texts.join("").length < end.usage.output;
}

function read(recording: Recording, maxTokens = 100_000): Promise<End> {
  const { wire, status, headers } = recording;
  const body = recording.body ?? framed(wire, recording.payloads);
  const head = spoolHead({ status, headers: { "content-type": contentTypeOf(wire), ...headers }, asked: null });
  const transport = replayTransport(Buffer.concat([head, Buffer.from(body)]));
  return endOf(SENDERS[wire](lane(wire), request({ maxTokens }), transport));
}

const STOPS: Readonly<Record<string, string>> = {
  end_turn: "end",
  stop: "end",
  tool_use: "tool_calls",
  tool_calls: "tool_calls",
  length: "length",
  refusal: "refusal",
};

function expectAnswer(wire: RealWire, contains: NonNullable<Recording["contains"]>, end: End): void {
  if (end.type !== "answered") throw new Error(`failed: ${end.failure.message}`);
  const texts = (kind: "text" | "reasoning") =>
    end.parts.map((part) => (part.kind !== "tool_call" && part.kind === kind ? part.text : "")).join("");
  expect(texts("text")).toBe(contains.text);
  expect(texts("reasoning")).toBe(contains.reasoning);
  expect(end.parts.flatMap((part) => (part.kind === "tool_call" ? [[part.name, part.rawArguments]] : []))).toEqual(
    contains.toolCalls.map(({ name, args }) => [name, args === "" ? "{}" : args]),
  );
  const stop =
    contains.stopReason === "completed"
      ? contains.toolCalls.length > 0
        ? "tool_calls"
        : "end"
      : STOPS[contains.stopReason ?? ""];
  if (contains.stopReason !== null) expect(end.stop).toBe(stop);
  if (contains.usage === null) expect(end.usage.output).toBeGreaterThan(0);
  else expect(end.usage).toEqual(usageOf(wire, contains.usage));
}

function expectFailure(contains: NonNullable<Recording["contains"]>, end: End): void {
  if (end.type !== "failed") throw new Error("answered, where the provider reported an error");
  expect(end.failure.message).toContain(contains.error?.message.slice(0, 80));
  expect(end.failure.httpStatus).toBe(200);
  expect(end.usage).toEqual(contains.usage === null ? null : usageOf("openai-chat", contains.usage));
}

/** Recordings of error statuses, and one of an answer in one piece, where a stream was not asked for. */
function expectWithoutContains(file: string, end: End): void {
  const outcome = end.type === "answered" ? end.stop : `${end.failure.httpStatus} ${end.failure.class}`;
  const expected = {
    "openai-chat--chat-bad-request.json": "400 invalid",
    "openai-chat--chat-unknown-model.json": "404 invalid",
    "openai-chat--chat-parallel-tools.json": "tool_calls",
    "openai-chat--test_openrouter_errors_raised-1.json": "429 rate",
    "openai-chat--test_openrouter_errors_raised-2.json": "429 rate",
    "openai-chat--test_openrouter_errors_raised-3.json": "429 rate",
  }[file];
  expect(outcome).toBe(expected);
}

/**
 * In one recording two events are not JSON, the last among them: without it there is no answer, and with a gap in it
 * there must be none. What came whole is read as it should be.
 */
function expectNoAnswer(recording: Recording, contains: NonNullable<Recording["contains"]>, end: End): void {
  expect(end).toMatchObject({ type: "failed", failure: { class: "network", mayBeBilled: true } });
  const draft = new AnswerDraft();
  for (const payload of recording.payloads.filter(isJson)) readResponsesEvent(draft, JSON.parse(payload));
  expect(draft.parts.map((part) => ({ name: part.name, args: part.text }))).toEqual(contains.toolCalls);
  expect([draft.stop, draft.usage, draft.ended]).toEqual([contains.stopReason, contains.usage, false]);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The wire's own figures, taken apart by the arithmetic of its documentation. */
function usageOf(wire: RealWire, usage: Readonly<Record<string, unknown>>): Usage {
  const number = (path: string): number => {
    const value = path
      .split(".")
      .reduce<unknown>((from, name) => (from as Record<string, unknown> | undefined)?.[name], usage);
    return typeof value === "number" ? value : 0;
  };
  const parts = {
    "anthropic-messages": {
      freshInput: number("input_tokens"),
      cacheRead: number("cache_read_input_tokens"),
      cacheWrite: number("cache_creation_input_tokens"),
      output: number("output_tokens"),
      reasoning: 0,
    },
    "openai-responses": {
      freshInput: number("input_tokens") - number("input_tokens_details.cached_tokens"),
      cacheRead: number("input_tokens_details.cached_tokens"),
      cacheWrite: 0,
      output: number("output_tokens"),
      reasoning: number("output_tokens_details.reasoning_tokens"),
    },
    "openai-chat": {
      freshInput: number("prompt_tokens") - number("prompt_tokens_details.cached_tokens"),
      cacheRead: number("prompt_tokens_details.cached_tokens"),
      cacheWrite: 0,
      // The total counts everything once, also where reasoning is counted beside the completion.
      output: number("total_tokens") - number("prompt_tokens"),
      // One recorded provider reports more reasoning than output.
      reasoning: Math.min(
        number("completion_tokens_details.reasoning_tokens"),
        number("total_tokens") - number("prompt_tokens"),
      ),
    },
    "ollama-chat": {
      freshInput: number("prompt_eval_count"),
      cacheRead: 0,
      cacheWrite: 0,
      output: number("eval_count"),
      reasoning: 0,
    },
  }[wire];
  return { ...parts, source: "provider" };
}
