import { describe, expect, it } from "vitest";
import type { Json } from "../../src/core/json.ts";
import type { Asker, ModelEvent, ModelRequest } from "../../src/core/model.ts";
import { type ScriptedProvider, scriptedProvider } from "../../src/providers/scripted.ts";
import { parseTranscript } from "../../src/providers/scripted-transcript.ts";
import { collect, endOf, request } from "../support/wires.ts";

const MODEL = { provider: "scripted", model: "transcript" };

describe("an answer from a transcript", () => {
  it("is streamed in pieces and then given whole", async () => {
    const provider = scripted({
      role: "doer",
      turn: 1,
      think: "hm",
      say: "Käse 🧀 und Brot",
      calls: [{ tool: "read", args: { path: "a.js" } }, { tool: "ls" }],
      usage: { input: 10, cache_read: 5, cache_write: 2, output: 7 },
    });
    const events = await collect(provider.send(asked({}), signal()));
    expect(events.map((event) => event.type)).toEqual([
      "reasoning",
      "text",
      "text",
      "text",
      "tool_call",
      "tool_call",
      "answered",
    ]);
    expect(events.map((event) => (event.type === "text" ? event.text : "")).join("")).toBe("Käse 🧀 und Brot");
    expect(events.at(-1)).toEqual({
      type: "answered",
      parts: [
        { kind: "reasoning", text: "hm", opaque: null, source: "scripted/transcript" },
        { kind: "text", text: "Käse 🧀 und Brot" },
        { kind: "tool_call", id: "call_1_1_1", name: "read", rawArguments: '{"path":"a.js"}' },
        { kind: "tool_call", id: "call_1_1_2", name: "ls", rawArguments: "{}" },
      ],
      stop: "tool_calls",
      usage: { freshInput: 10, cacheRead: 5, cacheWrite: 2, output: 7, reasoning: 0, source: "provider" },
      providerCostNanos: null,
      servedBy: null,
      cut: false,
    });
  });

  it.each<[Json, string]>([
    [{ say: "done" }, "end"],
    [{}, "end"],
    [{ calls: [{ tool: "ls" }] }, "tool_calls"],
    [{ calls: [{ tool: "ls" }], stop: "length" }, "length"],
    [{ say: "no", stop: "refusal" }, "refusal"],
  ])("%j stops with %s", async (answer, stop) => {
    const provider = scripted({ role: "doer", turn: 1, ...(answer as object) });
    expect(await endOf(provider.send(asked({}), signal()))).toMatchObject({ type: "answered", stop });
  });

  it("is cut between characters, not within one", async () => {
    const events = await collect(scripted({ role: "doer", turn: 1, say: "🧀🍞🧀🍞" }).send(asked({}), signal()));
    const texts = events.flatMap((event) => (event.type === "text" ? [event.text] : []));
    expect(texts).toEqual(["🧀🍞", "🧀🍞"]);
  });

  it("has nothing substituted in it", async () => {
    const say = "${steps.plan.output} {{x}} $HOME";
    const provider = scripted({ role: "doer", turn: 1, say });
    expect(await endOf(provider.send(asked({}), signal()))).toMatchObject({ parts: [{ kind: "text", text: say }] });
  });
});

describe("a request is answered by the first turn that matches", () => {
  const provider = scripted(
    { step: "fix", role: "doer", turn: 1, conversation: 2, say: "second try of fix" },
    { step: "fix", turn: 1, say: "fix" },
    { role: "doer", turn: 1, say: "any doer" },
    { role: "doer", turn: 2, say: "turn two" },
    { role: "doer", turn: 1, say: "never reached" },
  );

  it.each<[Partial<Asker>, string]>([
    [{ stepId: "fix" }, "fix"],
    [{ stepId: "fix", conversation: 2 }, "second try of fix"],
    [{ stepId: "fix", conversation: 3 }, "fix"],
    [{ stepId: "fix", role: "planner" }, "fix"],
    [{ stepId: "fix", role: "planner", conversation: 2 }, "fix"],
    [{ stepId: "build" }, "any doer"],
    [{ stepId: "build", turn: 2 }, "turn two"],
  ])("%j: %s", async (asker, say) => {
    expect(await endOf(provider.send(asked(asker), signal()))).toMatchObject({ parts: [{ text: say }] });
  });

  it("and otherwise fails, saying who asked", async () => {
    const end = await endOf(
      provider.send(asked({ role: "reviewer", stepId: "judge", conversation: 2, turn: 3 }), signal()),
    );
    expect(end).toMatchObject({
      type: "failed",
      failure: {
        class: "invalid",
        message: 'the transcript has no answer for role "reviewer", step "judge", conversation 2, turn 3',
        mayBeBilled: false,
      },
    });
  });

  it("wherever in the run the process began", async () => {
    const fresh = () => scripted({ role: "doer", turn: 1, say: "one" }, { role: "doer", turn: 2, say: "two" });
    const resumed = await endOf(fresh().send(asked({ turn: 2 }), signal()));
    const whole = fresh();
    await endOf(whole.send(asked({ turn: 1 }), signal()));
    expect(await endOf(whole.send(asked({ turn: 2 }), signal()))).toEqual(resumed);
  });
});

describe("a fault", () => {
  const overloaded = { class: "overloaded", message: "busy", status: 529, retry_after_ms: 20, times: 2 };

  it("fails as many attempts of a turn as it says, then the turn is answered", async () => {
    const provider = scripted({ role: "doer", turn: 1, say: "at last", fault: overloaded });
    const ends = [];
    for (let attempt = 0; attempt < 4; attempt++) ends.push(await endOf(provider.send(asked({}), signal())));
    expect(ends[0]).toEqual({
      type: "failed",
      failure: { class: "overloaded", message: "busy", httpStatus: 529, retryAfterMs: 20, mayBeBilled: false },
      usage: null,
      providerCostNanos: null,
    });
    expect(ends.map((end) => end.type)).toEqual(["failed", "failed", "answered", "answered"]);
  });

  it("counts each step, conversation and turn by itself", async () => {
    const provider = scripted({ role: "doer", turn: 1, fault: { class: "rate" } });
    const type = async (asker: Partial<Asker>) => (await endOf(provider.send(asked(asker), signal()))).type;
    expect(await type({ stepId: "a" })).toBe("failed");
    expect(await type({ stepId: "b" })).toBe("failed");
    expect(await type({ stepId: "a", conversation: 2 })).toBe("failed");
    expect(await type({ stepId: "a" })).toBe("answered");
  });

  it("can go on for ever", async () => {
    const provider = scripted({ role: "doer", turn: 1, fault: { class: "server", times: "always" } });
    for (let attempt = 0; attempt < 5; attempt++) {
      expect(await endOf(provider.send(asked({}), signal()))).toMatchObject({ failure: { class: "server" } });
    }
  });
});

describe("a call that is stopped", () => {
  const forever = { role: "doer", turn: 1, delay_ms: 3_600_000, say: "too late" };

  it("does not wait any longer", async () => {
    const controller = new AbortController();
    const end = endOf(scripted(forever).send(asked({}), controller.signal));
    controller.abort();
    expect(await end).toMatchObject({ type: "failed", failure: { message: "aborted", mayBeBilled: false } });
  });

  it("does not begin to", async () => {
    expect(await endOf(scripted(forever).send(asked({}), AbortSignal.abort()))).toMatchObject({ type: "failed" });
  });

  it("ends in the middle of its text", async () => {
    const controller = new AbortController();
    const events: ModelEvent[] = [];
    for await (const event of scripted({ role: "doer", turn: 1, say: "abcdef" }).send(asked({}), controller.signal)) {
      events.push(event);
      controller.abort();
    }
    expect(events.map((event) => event.type)).toEqual(["text", "failed"]);
  });

  it("uses up no fault", async () => {
    const provider = scripted({ role: "doer", turn: 1, fault: { class: "rate" } });
    await endOf(provider.send(asked({}), AbortSignal.abort()));
    expect(await endOf(provider.send(asked({}), signal()))).toMatchObject({ failure: { class: "rate" } });
  });
});

it("a turn can keep its asker waiting", async () => {
  const provider = scripted({ role: "doer", turn: 1, delay_ms: 2, say: "here" });
  expect(await endOf(provider.send(asked({}), signal()))).toMatchObject({ type: "answered" });
});

function scripted(...turns: readonly Json[]): ScriptedProvider {
  const parsed = parseTranscript({ turns });
  if (!parsed.ok) throw new Error(parsed.problems.join("\n"));
  return scriptedProvider(parsed.turns);
}

function asked(asker: Partial<Asker>): ModelRequest {
  return request({ model: MODEL, asker: { role: "doer", stepId: "build", conversation: 1, turn: 1, ...asker } });
}

function signal(): AbortSignal {
  return new AbortController().signal;
}
