import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { writesTextCalls } from "../../src/providers/model-facts.ts";
import { readTextCalls } from "../../src/providers/text-calls.ts";
import { lane } from "../support/wires.ts";

const TOOLS = ["read", "write", "bash"];
const read = (text: string) => readTextCalls(text, TOOLS);
const reading = { name: "read", rawArguments: '{"path":"a"}' };
const CALL = '{"name": "read", "arguments": {"path": "a"}}';

describe("a call that was written as text", () => {
  test.each([
    ["in tool_call marks", `<tool_call>\n${CALL}\n</tool_call>`],
    ["in marks that were not closed", `<tool_call>\n${CALL}`],
    ["as a function with parameters", "<function=read>\n<parameter=path>\na\n</parameter>\n</function>"],
    [
      "as a function within marks",
      "<tool_call>\n<function=read><parameter=path>a</parameter></function>\n</tool_call>",
    ],
    [
      "as a function whose mark is only closed",
      "<function=read><parameter=path>a</parameter></function>\n</tool_call>",
    ],
    ["in a list", `[TOOL_CALLS][${CALL}]`],
    ["in a fence", `\`\`\`json\n${CALL}\n\`\`\``],
    ["bare", CALL],
    ["with parameters for arguments", '{"name":"read","parameters":{"path":"a"}}'],
    ["with arguments in a string", '{"name":"read","arguments":"{\\"path\\":\\"a\\"}"}'],
    ["as OpenAI wraps it", '{"type":"function","function":{"name":"read","arguments":{"path":"a"}}}'],
    ["after thinking aloud", `<think>I must read {"it"}.</think>\n${CALL}`],
  ])("%s", (_, text) => {
    expect(read(text)).toEqual({ text: "", calls: [reading] });
  });

  test("may stand behind words, and several behind each other", () => {
    const both = `I look first.\n\n<tool_call>${CALL}</tool_call>\n<tool_call>${CALL}</tool_call>`;
    expect(read(both)).toEqual({ text: "I look first.", calls: [reading, reading] });
    expect(read(`[${CALL},${CALL}]`)?.calls).toEqual([reading, reading]);
  });

  test("keeps the lines of a value", () => {
    const text =
      "<function=write>\n<parameter=path>\na\n</parameter>\n<parameter=content>\n  one\n\ntwo\n\n</parameter>\n</function>";
    expect(JSON.parse(read(text)?.calls[0]?.rawArguments ?? "")).toEqual({ path: "a", content: "  one\n\ntwo\n" });
  });
});

describe("text stays text", () => {
  test.each([
    ["where the tool does not exist", '{"name":"rm","arguments":{}}'],
    [
      "where one of several tools does not exist",
      `<tool_call>${CALL}</tool_call><tool_call>{"name":"rm","arguments":{}}</tool_call>`,
    ],
    ["where something follows", `<tool_call>${CALL}</tool_call>\nThat is what the file says.`],
    ["where it stands within a line", `The file says <tool_call>${CALL}</tool_call>`],
    ["where it is quoted in a fence", `The file:\n\`\`\`\n<tool_call>${CALL}</tool_call>`],
    ["where JSON stands behind words", `I would call\n\`\`\`json\n${CALL}\n\`\`\``],
    ["where it was cut", '<tool_call>{"name":"write","arguments":{"path":"a","content":"half of'],
    ["where a function was cut", "<function=write><parameter=path>a</parameter><parameter=content>half of"],
    ["where JSON is no call", '{"name":"read"}'],
    ["where there is none", "All done."],
    ["where there is nothing", ""],
  ])("%s", (_, text) => {
    expect(read(text)).toBeNull();
  });

  test.each([
    ["blanks in a fence", `\`\`\`json\n${" ".repeat(1_000_000)}`],
    ["empty lines", "\n".repeat(1_000_000)],
    ["brackets and blanks", "} ".repeat(500_000)],
    ["marks that open", "<tool_call>".repeat(100_000)],
  ])("and a long one is read in a moment: %s", (_, text) => {
    expect(read(text)).toBeNull();
  });

  test("whatever it is, unless it is wholly a call", () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ minLength: 1 }), (before, after) => {
        fc.pre(after.trim() !== "");
        expect(read(`${before}<tool_call>${CALL}</tool_call>${after.replaceAll("<", "")}.`)).toBeNull();
      }),
    );
  });
});

describe("calls are looked for in the text of a model", () => {
  test.each([
    ["that is known for it and runs on Ollama", lane("ollama-chat"), "qwen3-coder:30b", true],
    ["that runs on this machine", lane("openai-chat", { local: true }), "Qwen/qwen3-coder", true],
    ["of which the user says so", lane("openai-chat", { models: { m: { textCalls: true } } }), "m", true],
  ])("%s", (_, where, model, isFlagged) => {
    expect(writesTextCalls(where, model)).toBe(isFlagged);
  });

  test.each([
    ["that is not known for it", lane("ollama-chat"), "gpt-oss:20b"],
    ["that somebody else serves", lane("openai-chat"), "qwen3-coder"],
    [
      "of which the user says that it does not",
      lane("ollama-chat", { models: { "gemma:2b": { textCalls: false } } }),
      "gemma:2b",
    ],
  ])("but not of one %s", (_, where, model) => {
    expect(writesTextCalls(where, model)).toBe(false);
  });
});
