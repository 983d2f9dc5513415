import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { applyUtterance, type Conversation, EMPTY_CONVERSATION, type Utterance } from "../../src/core/conversation.ts";
import { MALFORMED_MARK } from "../../src/core/faults.ts";
import { repeatedText } from "../../src/core/loop.ts";
import type { Part, StopReason } from "../../src/core/model.ts";
import type { ToolEffect } from "../../src/core/permission.ts";
import type { ToolUse } from "../../src/core/ports.ts";
import { nextTurn, togetherOf } from "../../src/core/turn.ts";

const task: Utterance = { type: "said", why: "task", text: "do it" };
const call = (id: string, name = "read"): Part => ({ kind: "tool_call", id, name, rawArguments: "{}" });
const own = (id: string): Part => ({ kind: "tool_call", id, name: "read", rawArguments: `{"path":"${id}"}` });
const text = (words: string): Part => ({ kind: "text", text: words });
const answer = (stop: StopReason, ...parts: Part[]): Utterance => ({ type: "answered", parts, stop });
const result = (id: string, change: Partial<Extract<Utterance, { type: "tool" }>> = {}): Utterance => ({
  type: "tool",
  toolCallId: id,
  name: "read",
  text: "ok",
  status: "ok",
  finish: null,
  ...change,
});
const nudge: Utterance = { type: "said", why: "nudge", text: "call finish" };
const after = (...utterances: Utterance[]): Conversation => utterances.reduce(applyUtterance, EMPTY_CONVERSATION);
const next = (...utterances: Utterance[]) => nextTurn(after(...utterances), 60);

test("a conversation begins with a question to the model", () => {
  expect(next(task)).toEqual({ type: "ask" });
});

test("the tool calls of an answer are carried out in call order, then the model is asked again", () => {
  const begun = [task, answer("tool_calls", call("a"), call("b"))] as const;
  expect(next(...begun)).toEqual({ type: "call-tools", calls: [call("a"), call("b")] });
  expect(next(...begun, result("a"))).toEqual({ type: "call-tools", calls: [call("b")] });
  expect(next(...begun, result("a"), result("b"))).toEqual({ type: "ask" });
});

test("at most eight calls are in hand at once", () => {
  const calls = Array.from({ length: 9 }, (_, index) => call(`c${index}`));
  expect(next(task, answer("tool_calls", ...calls))).toEqual({ type: "call-tools", calls: calls.slice(0, 8) });
});

test("the stop reason is not trusted when there are tool calls", () => {
  expect(next(task, answer("end", call("a")))).toMatchObject({ type: "call-tools" });
});

test("only an accepted finish ends a conversation", () => {
  expect(next(task, answer("end", text("all done!")))).toEqual({ type: "say", why: "nudge" });
  const finished = [
    task,
    answer("tool_calls", call("f", "finish")),
    result("f", { name: "finish", finish: { status: "done" } }),
  ];
  expect(next(...finished)).toEqual({ type: "finish", value: { status: "done" } });
});

test("a model that merely stops is reminded twice, then given up as incomplete", () => {
  const talk = [task, answer("end", text("done")), nudge, answer("end", text("really")), nudge];
  expect(next(...talk)).toEqual({ type: "ask" });
  expect(next(...talk, answer("end", text("bye")))).toMatchObject({ type: "fail", class: "incomplete" });
});

test("a tool call between reminders starts the count afresh", () => {
  const talk = [
    task,
    answer("end", text("x")),
    nudge,
    answer("end", text("x")),
    nudge,
    answer("tool_calls", call("a")),
    result("a"),
  ];
  expect(next(...talk, answer("end", text("x")))).toEqual({ type: "say", why: "nudge" });
});

test("a truncated answer runs no tool", () => {
  expect(next(task, answer("length", call("a")))).toEqual({ type: "say", why: "truncated" });
  const cut: Utterance = { type: "said", why: "truncated", text: "smaller" };
  const thrice = [answer("length", call("a")), cut, answer("length", call("b")), cut, answer("length", call("c"))];
  expect(next(task, ...thrice)).toMatchObject({ type: "fail", class: "malformed" });
});

const bad = (id: string) => result(id, { status: "error", text: `${MALFORMED_MARK}no` });
const denied = (id: string) => result(id, { status: "denied", text: "Denied: no" });
/** Answers in a row, each with one call of its own arguments and its result. */
const rounds = (count: number, outcome: (id: string) => Utterance): readonly Utterance[] =>
  Array.from({ length: count }, (_, round) => {
    return [answer("tool_calls", own(`r${round}`)), outcome(`r${round}`)];
  }).flat();

test("malformed calls in three answers in a row end the conversation; a good one in between does not count", () => {
  expect(next(task, ...rounds(2, bad))).toEqual({ type: "ask" });
  expect(next(task, ...rounds(3, bad))).toMatchObject({ type: "fail", class: "malformed" });
  const [first, second, third] = [rounds(1, bad), rounds(2, bad), answer("tool_calls", call("good"))];
  expect(next(task, ...second, third, result("good"), ...first)).toEqual({ type: "ask" });
});

test("calls of one answer that are all malformed count as one: the model has seen none of the results", () => {
  const begun = [task, answer("tool_calls", ...["a", "b", "c", "d"].map(own))];
  expect(next(...begun, bad("a"), bad("b"), bad("c"))).toMatchObject({ type: "call-tools" });
  expect(next(...begun, bad("a"), bad("b"), bad("c"), bad("d"))).toEqual({ type: "ask" });
});

test("denied calls in five answers in a row end the conversation; one that was carried out in between does not count", () => {
  expect(next(task, ...rounds(4, denied))).toEqual({ type: "ask" });
  expect(next(task, ...rounds(5, denied))).toMatchObject({ type: "fail", class: "denied" });
  const failed = (id: string) => result(id, { status: "error", text: "no such file" });
  const again = [...rounds(4, denied), ...rounds(1, failed), ...rounds(4, denied)];
  expect(next(task, ...again)).toEqual({ type: "ask" });
});

test("an ordinary tool error is not a malformed call", () => {
  const missing = (id: string) => result(id, { status: "error", text: "no such file" });
  expect(
    next(task, answer("tool_calls", own("a"), own("b"), own("c")), missing("a"), missing("b"), missing("c")),
  ).toEqual({ type: "ask" });
});

test("empty answers are asked about, then given up", () => {
  const empty = answer("end", text("  "));
  const said: Utterance = { type: "said", why: "empty", text: "?" };
  expect(next(task, empty)).toEqual({ type: "say", why: "empty" });
  expect(next(task, empty, said, empty, said, empty)).toMatchObject({ type: "fail", class: "empty" });
});

test("a refusal is the end", () => {
  expect(next(task, answer("refusal", text("no")))).toMatchObject({ type: "fail", class: "refusal" });
});

test("a conversation has at most its number of turns", () => {
  const talk = after(task, answer("tool_calls", call("a")), result("a"));
  expect(nextTurn(talk, 1)).toMatchObject({ type: "fail", class: "max-turns" });
  expect(nextTurn(talk, 2)).toEqual({ type: "ask" });
});

test("a red check takes a finish back: the same conversation goes on", () => {
  const finished = [task, answer("tool_calls", call("f", "finish")), result("f", { name: "finish", finish: {} })];
  const red: Utterance = { type: "said", why: "check-failed", text: "1 failed" };
  expect(next(...finished, red)).toEqual({ type: "ask" });
});

const same = (count: number, text = "same") => rounds(count, (id) => result(id, { text })).map(unified);
/** Rounds that all call the same. */
function unified(utterance: Utterance): Utterance {
  if (utterance.type !== "answered") return utterance;
  const parts = utterance.parts.map((part) => (part.kind === "tool_call" ? { ...part, rawArguments: "{}" } : part));
  return { ...utterance, parts };
}
const told: Utterance = { type: "said", why: "loop", text: "in circles" };
const refused = result("again", { status: "error", text: repeatedText({ name: "read" }) });

test("the same call with the same result: a reminder, a refusal, the end", () => {
  expect(next(task, ...same(2))).toEqual({ type: "ask" });
  expect(next(task, ...same(3))).toEqual({ type: "say", why: "loop" });
  const reminded = [task, ...same(3), told];
  expect(next(...reminded)).toEqual({ type: "ask" });
  const again = answer("tool_calls", call("again"));
  expect(next(...reminded, again)).toEqual({ type: "refuse-call", call: call("again") });
  expect(next(...reminded, again, refused)).toEqual({ type: "ask" });
  const last = answer("tool_calls", call("last"));
  expect(next(...reminded, again, refused, last)).toMatchObject({ type: "fail", class: "loop" });
});

test("a call of another kind leads out of the circle", () => {
  const other = answer("tool_calls", { kind: "tool_call", id: "o", name: "ls", rawArguments: "{}" });
  const out = [
    task,
    ...same(3),
    told,
    answer("tool_calls", call("again")),
    refused,
    other,
    result("o", { name: "ls" }),
  ];
  expect(next(...out, answer("tool_calls", call("after")))).toEqual({ type: "call-tools", calls: [call("after")] });
});

test("a red check is news: what comes after it repeats nothing", () => {
  const red: Utterance = { type: "said", why: "check-failed", text: "1 failed" };
  expect(next(task, ...same(2), red, ...same(2), red, ...same(2))).toEqual({ type: "ask" });
});

test("an answer that says the same words over and over is told so, and the third ends the conversation", () => {
  const chant = answer("length", text("I will now look at the file. ".repeat(40)));
  expect(next(task, chant)).toEqual({ type: "say", why: "loop" });
  expect(next(task, chant, told, chant)).toEqual({ type: "say", why: "loop" });
  expect(next(task, chant, told, chant, told, chant)).toMatchObject({ type: "fail", class: "loop" });
  expect(next(task, chant, told, answer("end", text("x")), nudge, chant)).toEqual({ type: "say", why: "loop" });
});

test("a call that carries the same lines over and over is no chant", () => {
  const rawArguments = JSON.stringify({ content: "I will now look at the file. ".repeat(40) });
  const write: Part = { kind: "tool_call", id: "w", name: "write", rawArguments };
  expect(next(task, answer("tool_calls", write))).toMatchObject({ type: "call-tools" });
});

describe("calls that are carried out together", () => {
  const use = (id: string, effect: ToolEffect): ToolUse => ({
    call: { kind: "tool_call", id, name: id, rawArguments: "{}" },
    check: { type: "ready", tool: id, arguments: {}, subject: "", effect },
  });
  const wrong: ToolUse = { ...use("x", "read"), check: { type: "malformed", text: "no" } };
  const ids = (uses: readonly ToolUse[]) => togetherOf(uses).map(({ call }) => call.id);

  test.each<[string, readonly ToolUse[], readonly string[]]>([
    [
      "readers, up to the first that may change files",
      [use("a", "read"), use("b", "none"), use("c", "write")],
      ["a", "b"],
    ],
    ["a writer alone", [use("a", "write"), use("b", "read")], ["a"]],
    ["a command alone", [use("a", "execute"), use("b", "execute")], ["a"]],
    ["what is only answered, among readers", [wrong, use("a", "read")], ["x", "a"]],
    ["nothing", [], []],
  ])("%s", (_, uses, together) => {
    expect(ids(uses)).toEqual(together);
  });

  test("are all of an answer, in its order, whatever they may do", () => {
    const effects = fc.array(fc.constantFrom<ToolEffect>("none", "read", "write", "execute"), { maxLength: 30 });
    fc.assert(
      fc.property(effects, (all) => {
        const uses = all.map((effect, index) => use(String(index), effect));
        let left: readonly ToolUse[] = uses;
        const done: string[] = [];
        while (left.length > 0) {
          const now = togetherOf(left);
          const changing = now.filter(({ check }) => check.type === "ready" && /write|execute/.test(check.effect));
          expect(now.length).toBeGreaterThan(0);
          expect(now.length).toBeLessThanOrEqual(8);
          if (changing.length > 0) expect(now).toHaveLength(1);
          done.push(...now.map(({ call }) => call.id));
          left = left.slice(now.length);
        }
        expect(done).toEqual(uses.map(({ call }) => call.id));
      }),
    );
  });
});
