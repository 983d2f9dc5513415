import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Message, Part } from "../../src/core/model.ts";
import { idMapper, sendable } from "../../src/providers/history.ts";
import { argumentsObject, argumentsText, isCutOff } from "../../src/providers/tool-arguments.ts";

const id = fc.constantFrom("a", "b", "functions.x:1", "");
const part: fc.Arbitrary<Part> = fc.oneof(
  fc.record({ kind: fc.constant("text" as const), text: fc.constantFrom("", " ", "hi") }),
  fc.record({
    kind: fc.constant("tool_call" as const),
    id,
    name: fc.constantFrom("read", "no/name", ""),
    rawArguments: fc.string(),
  }),
  fc.record({
    kind: fc.constant("reasoning" as const),
    text: fc.string(),
    opaque: fc.constant(null),
    source: fc.constantFrom("mine", "theirs"),
  }),
);
const message: fc.Arbitrary<Message> = fc.oneof(
  fc.record({ role: fc.constant("user" as const), text: fc.constantFrom("", "hi") }),
  fc.record({ role: fc.constant("assistant" as const), parts: fc.array(part, { maxLength: 4 }) }),
  fc.record({
    role: fc.constant("tool" as const),
    toolCallId: id,
    name: fc.constant("read"),
    text: fc.constantFrom("", "out"),
    isError: fc.boolean(),
  }),
);

describe("a conversation as it is sent", () => {
  it("has a result right behind every call and nowhere else, and nothing empty, whatever the log holds", () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 8 }), (log) => {
        let due: string[] = [];
        for (const sent of sendable(log, "mine", idMapper(64))) {
          if (sent.role === "tool") {
            expect(due.shift()).toBe(sent.toolCallId);
            expect(sent.text).not.toBe("");
            continue;
          }
          expect(due).toEqual([]);
          if (sent.role === "user") expect(sent.text).not.toBe("");
          else due = checkedCalls(sent.parts);
        }
        expect(due).toEqual([]);
      }),
    );
  });

  it("keeps results in call order, and gives each call its own", () => {
    const log: readonly Message[] = [
      {
        role: "assistant",
        parts: [
          { kind: "tool_call", id: "1", name: "ls", rawArguments: "{}" },
          { kind: "tool_call", id: "2", name: "read", rawArguments: "{}" },
        ],
      },
      { role: "tool", toolCallId: "2", name: "read", text: "two", isError: false },
      { role: "tool", toolCallId: "1", name: "ls", text: "one", isError: true },
    ];
    expect(sendable(log, "mine", idMapper(64)).slice(1)).toEqual([log[2], log[1]]);
  });
});

/** Ids of the calls of an assistant's message, after checking the message. */
function checkedCalls(parts: readonly Part[]): string[] {
  expect(parts.at(-1)?.kind).not.toBe("reasoning");
  expect(parts.length).toBeGreaterThan(0);
  return parts.flatMap((each) => {
    if (each.kind === "text") expect(each.text.trim()).not.toBe("");
    if (each.kind === "reasoning") expect(each.source).toBe("mine");
    if (each.kind !== "tool_call") return [];
    expect(each.name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
    return [each.id];
  });
}

describe("ids of tool calls", () => {
  it("fit the wire, and stay apart", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 100 }), fc.string({ maxLength: 100 }), (a, b) => {
        const map = idMapper(64);
        expect(map(a)).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
        expect(map(a)).toBe(map(a));
        expect(map(a) === map(b)).toBe(a === b);
      }),
    );
  });

  it("stay as they are where they fit", () => {
    expect(idMapper(64)("toolu_01-A")).toBe("toolu_01-A");
    expect(idMapper(40, /^[\x21-\x7e]+$/)("functions.read:0")).toBe("functions.read:0");
    expect(idMapper(40)("x".repeat(41))).toHaveLength(40);
  });
});

describe("arguments of tool calls", () => {
  it("that break off are told from those that are merely wrong", () => {
    const cut = ['{"a": 1', '{"a": "x', '{"a": ["x"', '{"a": "x\\"}', "["];
    const whole = ["", "{}", '{"a": "}"}', '{"a": "\\"{"}', "{'a': 1}", '{"a": 1} extra', "null"];
    expect(cut.map(isCutOff)).toEqual(cut.map(() => true));
    expect(whole.map(isCutOff)).toEqual(whole.map(() => false));
  });

  it("of which any beginning is cut off", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.json()), fc.nat(), (value, at) => {
        const text = JSON.stringify(value);
        const length = 1 + (at % text.length);
        expect(isCutOff(text.slice(0, length))).toBe(length < text.length);
      }),
    );
  });

  it("go back as an object, whatever the model wrote", () => {
    expect(["", "[1]", "null", "7", '{"a":', '{"a":1}'].map(argumentsObject)).toEqual([{}, {}, {}, {}, {}, { a: 1 }]);
    expect(["", '{"a":', '{ "a": 1 }'].map(argumentsText)).toEqual(["{}", "{}", '{ "a": 1 }']);
  });
});
