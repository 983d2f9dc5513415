import { expect, test } from "vitest";
import {
  applyUtterance,
  type Conversation,
  EMPTY_CONVERSATION,
  MALFORMED_MARK,
  type Utterance,
} from "../../src/core/conversation.ts";
import type { Part, StopReason } from "../../src/core/model.ts";
import { nextTurn } from "../../src/core/turn.ts";

const task: Utterance = { type: "said", why: "task", text: "do it" };
const call = (id: string, name = "read"): Part => ({ kind: "tool_call", id, name, rawArguments: "{}" });
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

test("tool calls are carried out in call order, then the model is asked again", () => {
  const begun = [task, answer("tool_calls", call("a"), call("b"))] as const;
  expect(next(...begun)).toMatchObject({ type: "call-tool", call: { id: "a" } });
  expect(next(...begun, result("a"))).toMatchObject({ type: "call-tool", call: { id: "b" } });
  expect(next(...begun, result("a"), result("b"))).toEqual({ type: "ask" });
});

test("the stop reason is not trusted when there are tool calls", () => {
  expect(next(task, answer("end", call("a")))).toMatchObject({ type: "call-tool" });
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

test("three malformed calls in a row end the conversation; a good one in between does not count", () => {
  const bad = (id: string) => result(id, { status: "error", text: `${MALFORMED_MARK}no` });
  const begun = [task, answer("tool_calls", call("a"), call("b"), call("c"), call("d"))];
  expect(next(...begun, bad("a"), bad("b"), bad("c"))).toMatchObject({ type: "fail", class: "malformed" });
  expect(next(...begun, bad("a"), bad("b"), result("c"), bad("d"))).toEqual({ type: "ask" });
});

test("an ordinary tool error is not a malformed call", () => {
  const missing = (id: string) => result(id, { status: "error", text: "no such file" });
  expect(
    next(task, answer("tool_calls", call("a"), call("b"), call("c")), missing("a"), missing("b"), missing("c")),
  ).toEqual({ type: "ask" });
});

test("empty answers are asked about, then given up", () => {
  const empty = answer("end", text("  "));
  const said: Utterance = { type: "said", why: "empty", text: "?" };
  expect(next(task, empty)).toEqual({ type: "say", why: "empty" });
  expect(next(task, empty, said, empty, said, empty)).toMatchObject({ type: "fail", class: "incomplete" });
});

test("a refusal is the end", () => {
  expect(next(task, answer("refusal", text("no")))).toMatchObject({ type: "fail", class: "refusal" });
});

test("a conversation has at most its number of turns", () => {
  const talk = after(task, answer("tool_calls", call("a")), result("a"));
  expect(nextTurn(talk, 1)).toMatchObject({ type: "fail", class: "incomplete" });
  expect(nextTurn(talk, 2)).toEqual({ type: "ask" });
});

test("a red check takes a finish back: the same conversation goes on", () => {
  const finished = [task, answer("tool_calls", call("f", "finish")), result("f", { name: "finish", finish: {} })];
  const red: Utterance = { type: "said", why: "check-failed", text: "1 failed" };
  expect(next(...finished, red)).toEqual({ type: "ask" });
});
