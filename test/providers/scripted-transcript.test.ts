import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { Json } from "../../src/core/json.ts";
import { parseTranscript } from "../../src/providers/scripted-transcript.ts";

const NO_TOKENS = { input: 0, cacheRead: 0, cacheWrite: 0, output: 0 };

describe("a transcript", () => {
  it("needs little: who is answered, when", () => {
    expect(turnsOf({ turns: [{ role: "planner", turn: 1 }] })).toEqual([
      {
        role: "planner",
        purpose: null,
        step: null,
        turn: 1,
        conversation: null,
        say: null,
        think: null,
        calls: [],
        usage: NO_TOKENS,
        stop: null,
        delayMs: 0,
        fault: null,
      },
    ]);
  });

  it("keeps broken arguments as they are, and writes whole ones as JSON", () => {
    const calls = [
      { tool: "read", args: { path: "a.js" } },
      { tool: "read", raw: '{"path": ' },
      { tool: "ls" },
      { tool: "x", args: [1] },
    ];
    expect(turnsOf({ turns: [{ role: "doer", turn: 2, calls }] })[0]?.calls).toEqual([
      { tool: "read", rawArguments: '{"path":"a.js"}' },
      { tool: "read", rawArguments: '{"path": ' },
      { tool: "ls", rawArguments: "{}" },
      { tool: "x", rawArguments: "[1]" },
    ]);
  });

  it("describes a fault as shortly as by its class", () => {
    const fault = (json: Json) => turnsOf({ turns: [{ step: "a", turn: 1, fault: json }] })[0]?.fault;
    expect(fault({ class: "rate" })).toEqual({
      class: "rate",
      message: "scripted failure: rate",
      status: null,
      retryAfterMs: null,
      times: 1,
    });
    expect(fault({ class: "server", message: "boom", status: 500, retry_after_ms: 0, times: "always" })).toEqual({
      class: "server",
      message: "boom",
      status: 500,
      retryAfterMs: 0,
      times: Number.POSITIVE_INFINITY,
    });
  });
});

describe("what is wrong in a transcript is named with its place:", () => {
  it.each<[Json, readonly string[]]>([
    [null, ["expected keys and values, found nothing"]],
    ["turns", ['expected keys and values, found "turns"']],
    [[], ["expected keys and values, found a list"]],
    [{}, ["turns: at least one is needed"]],
    [{ turns: [] }, ["turns: at least one is needed"]],
    [{ turns: {} }, ["turns: expected a list, found keys and values"]],
    [{ turn: [] }, ['unknown key "turn"; did you mean "turns"?']],
    [{ turns: [{ turn: 1 }] }, ["turns[0]: role or step is needed"]],
    [{ turns: [{ role: "doer" }] }, ["turns[0]: turn is needed"]],
    [{ turns: [{ role: "doer", turn: 0 }] }, ["turns[0].turn: expected a whole number from 1, found 0"]],
    [{ turns: [{ role: "doer", turn: 1.5 }] }, ["turns[0].turn: expected a whole number from 1, found 1.5"]],
    [{ turns: [{ role: "doer", turn: "1" }] }, ['turns[0].turn: expected a whole number from 1, found "1"']],
    [{ turns: [{ role: 1, turn: 1 }] }, ["turns[0].role: expected a text, found 1"]],
    [{ turns: [{ role: "doer", turn: 1, sya: "x" }] }, ['turns[0]: unknown key "sya"; did you mean "say"?']],
    [{ turns: [{ role: "doer", turn: 1, say: ["x"] }] }, ["turns[0].say: expected a text, found a list"]],
    [{ turns: [{ role: "doer", turn: 1, calls: [{ args: {} }] }] }, ["turns[0].calls[0]: tool is needed"]],
    [
      { turns: [{ role: "doer", turn: 1, calls: [{ tool: "ls", args: {}, raw: "{}" }] }] },
      ["turns[0].calls[0]: args and raw exclude each other"],
    ],
    [
      { turns: [{ role: "doer", turn: 1, stop: "stop" }] },
      ['turns[0].stop: expected one of end, tool_calls, length, refusal, found "stop"'],
    ],
    [
      { turns: [{ role: "doer", turn: 1, usage: { input: -1, tokens: 3 } }] },
      [
        'turns[0].usage: unknown key "tokens"; known: input, cache_read, cache_write, output',
        "turns[0].usage.input: expected a whole number from 0, found -1",
      ],
    ],
    [{ turns: [{ role: "doer", turn: 1, fault: {} }] }, ["turns[0].fault: class is needed"]],
    [
      { turns: [{ role: "doer", turn: 1, fault: { class: "check-failed", times: 0 } }] },
      [
        'turns[0].fault.class: expected one of rate, quota, overloaded, server, timeout, network, overflow, auth, invalid, refusal, found "check-failed"',
        "turns[0].fault.times: expected a whole number from 1, found 0",
      ],
    ],
    [
      { turns: [{ role: "doer", turn: 1, delay_ms: "5s" }, { step: "a" }, { turn: 1 }] },
      [
        'turns[0].delay_ms: expected a whole number from 0, found "5s"',
        "turns[1]: turn is needed",
        "turns[2]: role or step is needed",
      ],
    ],
  ])("%j", (json, problems) => {
    expect(parseTranscript(json)).toEqual({ ok: false, problems });
  });
});

it("the example of the page about it is a transcript", () => {
  const page = readFileSync(resolve(import.meta.dirname, "../../docs/scripted-provider.md"), "utf8");
  const example = /```yaml transcript\n([\s\S]*?)```/.exec(page)?.[1] ?? "";
  const turns = turnsOf(parse(example) as Json);
  expect(turns.map(({ role, step, turn }) => [role ?? step, turn])).toEqual([
    ["planner", 1],
    ["doer", 1],
    ["doer", 2],
    ["reviewer", 1],
  ]);
  expect(turns[0]?.calls[0]?.tool).toBe("finish");
  expect(turns[2]?.fault).toMatchObject({ class: "overloaded", status: 529, times: 2 });
});

function turnsOf(json: Json) {
  const parsed = parseTranscript(json);
  if (!parsed.ok) throw new Error(parsed.problems.join("\n"));
  return parsed.turns;
}
