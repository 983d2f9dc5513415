import { describe, expect, test } from "vitest";
import { FINISH_SCHEMAS } from "../../src/core/contract.ts";
import { MALFORMED_MARK } from "../../src/core/faults.ts";
import { TOOL_EFFECTS } from "../../src/core/permission.ts";
import type { ToolGrant } from "../../src/core/ports.ts";
import { createTools } from "../../src/tools/tools.ts";
import { EVERYTHING } from "../support/tool-bench.ts";

const tools = createTools();
const raw = (name: string, rawArguments: string, grant: ToolGrant = EVERYTHING) =>
  tools.check({ kind: "tool_call", id: "call-1", name, rawArguments }, grant);
const check = (name: string, args: unknown, grant?: ToolGrant) => raw(name, JSON.stringify(args), grant);
const textOf = (outcome: ReturnType<typeof check>) => ("text" in outcome ? outcome.text : outcome.type);

describe("a call that is as it should be", () => {
  test("is ready, with its effect and its subject in one line", () => {
    expect(check("bash", { command: "echo a\n\techo \u001b[31mb" })).toEqual({
      type: "ready",
      tool: "bash",
      arguments: { command: "echo a\n\techo \u001b[31mb" },
      subject: "echo a echo b",
      effect: TOOL_EFFECTS.bash,
    });
  });

  test.each([
    ["read", { path: "src/a.ts", offset: 3 }, "src/a.ts"],
    ["ls", {}, "."],
    ["glob", { pattern: "*.ts", path: "src" }, "*.ts in src"],
    ["grep", { pattern: "x+", path: "src", glob: "*.ts" }, "x+ in src (*.ts)"],
    ["write", { path: "a.txt", content: "x" }, "a.txt"],
    ["todo", { items: [{ text: "a", status: "done" }] }, "1 of 1 done"],
    ["finish", { status: "done", summary: "s", evidence: [], confidence: 1 }, "done"],
  ])("%s %j", (name, args, subject) => {
    expect(check(name, args)).toMatchObject({ type: "ready", tool: name, arguments: args, subject });
  });
});

describe("a tool's name", () => {
  test.each([
    ["Bash", "bash"],
    ["functions.bash", "bash"],
    ["run_shell_command", "bash"],
    [" READ ", "read"],
    ["read_file", "read"],
    ["ReadFile", "read"],
    ["list", "ls"],
    ["search", "grep"],
    ["str_replace", "edit"],
    ["write_file", "write"],
    ["TodoWrite", "todo"],
    ["attempt_completion", "finish"],
    ["default_api:read", "read"],
    ["mcp/server/grep", "grep"],
    ["read</parameter", "read"],
    ["read<|channel|>json", "read"],
    ["bash()", "bash"],
  ])("%j means %s", (name, meant) => {
    const outcome = check(name, {});
    expect(outcome.type === "ready" ? outcome.tool : textOf(outcome)).toContain(meant);
  });

  test("that nobody knows is malformed, with a hint and the tools there are", () => {
    const grant = { ...EVERYTHING, tools: ["read", "grep", "finish"] };
    expect(check("gerp", {}, grant)).toEqual({
      type: "malformed",
      text: 'Malformed call: there is no tool "gerp". Did you mean "grep"? You have: read, grep, finish.',
    });
    expect(textOf(check("teleport", {}, grant))).not.toContain("Did you mean");
  });
});

const DONE = { status: "done", summary: "s", evidence: ["it works"], confidence: 1 };

describe("arguments with one possible meaning are repaired", () => {
  test.each([
    ["ls", "", {}],
    ["ls", " null ", {}],
    ["read", '"{\\"path\\":\\"a\\"}"', { path: "a" }],
    ["write", '{"path":"a","content":"one\n\ttwo"}', { path: "a", content: "one\n\ttwo" }],
    ["write", '{"path":"a","content":"say \\"one\n\\""}', { path: "a", content: 'say "one\n"' }],
    ["read", '{"path":"a","offset":"5","limit":null}', { path: "a", offset: 5 }],
    ["read", '{"file_path":"a"}', { path: "a" }],
    ["read", '```json\n{"path":"a"}\n```', { path: "a" }],
    ["read", '{"path":"a"}</parameter></invoke>', { path: "a" }],
    ["read", '{"path":"a"} <|im_end|>', { path: "a" }],
    ["write", '```\n{"path":"a","content":"one\ntwo"}\n```', { path: "a", content: "one\ntwo" }],
    ["todo", '{"items":{"text":"a","status":"done"}}', { items: [{ text: "a", status: "done" }] }],
    ["finish", '{"status":"done","summary":"s","evidence":"it works","confidence":1}', DONE],
    ["grep", '{"pattern":"a","ignoreCase":"true"}', { pattern: "a", ignore_case: true }],
    ["todo", '{"items":"[{\\"text\\":\\"a\\",\\"status\\":\\"done\\"}]"}', { items: [{ text: "a", status: "done" }] }],
    [
      "edit",
      '{"path":"a","edits":[{"old_string":"x","new_string":"y"}]}',
      { path: "a", edits: [{ old: "x", new: "y" }] },
    ],
    [
      "Edit",
      '{"file_path":"a","old_string":"x","new_string":"1","replace_all":false}',
      { path: "a", edits: [{ old: "x", new: "1", all: false }] },
    ],
    [
      "edit",
      '{"path":"a","edits":"[{\\"old\\":\\"x\\",\\"new\\":\\"[1]\\"}]"}',
      { path: "a", edits: [{ old: "x", new: "[1]" }] },
    ],
    ["bash", '{"command":"5"}', { command: "5" }],
  ])("%s %s", (name, text, args) => {
    expect(raw(name, text)).toMatchObject({ type: "ready", arguments: args });
  });
});

describe("all others are refused with what was expected and what came", () => {
  test.each([
    ["read", "{}", '"path" is missing (File, from the repository\'s root.), received no properties (#/required)'],
    ["read", '{"path":1}', "/path: expected string, received 1 (#/properties/path/type)"],
    ["read", '{"path":"a","offset":0}', "/offset: must be >= 1, received 0 (#/properties/offset/minimum)"],
    ["read", '{"path":"a","offset":"first"}', '/offset: expected integer, received "first"'],
    ["read", '{"path":"a","ofset":3}', 'unknown property "ofset"; did you mean "offset"?'],
    ["read", '{"path":"a","encoding":"utf8"}', 'unknown property "encoding"; known are path, offset, limit'],
    [
      "todo",
      '{"items":[{"text":"a","status":"open"}]}',
      '/items/0/status: expected one of ["pending","in_progress","done"], received "open"',
    ],
    ["edit", '{"path":"a","edits":[]}', "/edits: must NOT have fewer than 1 items, received []"],
    ["bash", '{"command":"a","timeout_ms":9999999}', "/timeout_ms: must be <= 600000"],
    ["bash", '{"command":["a"]}', '/command: expected string, received ["a"]'],
    ["read", '["a"]', "read: the arguments must be a JSON object, not an array."],
    ["read", '{"path":"a"} trailing', "are not valid JSON"],
    ["read", '{"path":"a",}', "are not valid JSON"],
    ["read", '```json\n{"path":"a"', "are not valid JSON"],
    ["finish", '{"status":"done","summary":"s","evidence":"[\\"a","confidence":1}', "/evidence: expected array"],
    ["read", '{"__proto__":{"path":"a"}}', '"path" is missing'],
  ])("%s %s", (name, text, words) => {
    const outcome = raw(name, text);
    expect(outcome.type).toBe("malformed");
    expect(textOf(outcome).startsWith(MALFORMED_MARK)).toBe(true);
    expect(textOf(outcome)).toContain(words);
  });

  test("all faults are told at once", () => {
    expect(textOf(check("write", { file: 1, size: 2 })).match(/^- /gm)).toHaveLength(3);
  });

  test.each(['{"path":"a","content":"half of a fi', '{"path":"a","content":"x"', '{"path":"a"', '{"path":'])(
    "JSON that ends too early is never completed: %s",
    (text) => {
      expect(textOf(raw("write", text))).toMatch(/^Malformed call: write: .*cut off: send the call again whole/);
    },
  );

  test("a huge value is not sent back whole", () => {
    expect(textOf(check("read", { path: ["x".repeat(100_000)] })).length).toBeLessThan(1000);
  });
});

describe("finish", () => {
  const reviewer = { ...EVERYTHING, finish: FINISH_SCHEMAS.reviewer };
  const fine = { ok: true, note: "fine" };
  const review = { verdict: "approve", findings: [], checklist: { style: fine, safety: fine, risk: fine } };
  const blocker = { file: "a.ts", line: 1, severity: "blocker", reason: "breaks" };

  test("is checked against the role's own schema", () => {
    expect(check("finish", review, reviewer)).toMatchObject({ type: "ready", subject: "approve" });
    expect(check("finish", review)).toMatchObject({ type: "malformed" });
    expect(textOf(check("finish", { ...review, verdict: "lgtm" }, reviewer))).toContain("/verdict: expected one of");
  });

  test("that contradicts itself is malformed, so that the model can correct it", () => {
    const approved = { ...review, findings: [blocker] };
    expect(textOf(check("finish", approved, reviewer))).toContain('verdict "approve" with a blocker in a.ts');
    const rejected = { ...review, verdict: "reject" };
    expect(textOf(check("finish", rejected, reviewer))).toContain('verdict "reject" without a finding');
    expect(check("finish", { ...rejected, findings: [blocker] }, reviewer)).toMatchObject({ type: "ready" });
  });

  test("hands over its value when it is run", async () => {
    const ready = check("finish", review, reviewer);
    if (ready.type !== "ready") throw new Error(ready.text);
    const { signal } = new AbortController();
    const result = await tools.run(ready, { signal } as never);
    expect(result).toEqual({ status: "ok", text: "Accepted.", summary: "approve", finish: review });
  });
});

test("todo gives the list back", async () => {
  const items = [
    { text: "read\nthe code", status: "done" },
    { text: "fix it", status: "in_progress" },
    { text: "test it", status: "pending" },
  ];
  const ready = check("todo", { items });
  if (ready.type !== "ready") throw new Error(ready.text);
  const result = await tools.run(ready, { signal: new AbortController().signal } as never);
  expect(result).toMatchObject({ text: "[x] read the code\n[>] fix it\n[ ] test it", summary: "1 of 3 done" });
});
