import { describe, expect, test } from "vitest";
import { complaints, load } from "./context.ts";

const TYPES =
  "inputs: {s: {default: a}, n: {type: number, default: 1}, b: {type: boolean, default: false}, c: {type: command, default: ls}}\npipeline: [{role: doer}]\n";
const DETECTED = "inputs:\n  test:\n    type: command\n    detect: test\npipeline: [{run: {input: test}}]\n";
const NO_TESTS = { testCommand: null, testCommandSource: null, copy: [], setup: null };

describe("the value of an input", () => {
  test("is its default, where none is given", () => {
    expect(load(TYPES).inputs).toEqual({ s: "a", n: 1, b: false, c: "ls" });
  });

  test("is read by its type", () => {
    const inputs = { s: "7", n: "-1.5", b: "true", c: "npm test -- --bail" };
    expect(load(TYPES, { inputs }).inputs).toEqual({ s: "7", n: -1.5, b: true, c: "npm test -- --bail" });
  });

  test("may be empty text, but no empty command, number or truth", () => {
    expect(load(TYPES, { inputs: { s: "" } }).inputs.s).toBe("");
    expect(complaints(TYPES, { inputs: { n: "", b: "yes", c: " " } })).toEqual([
      '--input b  input "b" must be true or false, found "yes"',
      '--input c  input "c" must be a command, found " "',
      '--input n  input "n" must be a number, found ""',
    ]);
  });

  test("is found in the project, unless it is given", () => {
    expect(load(DETECTED).inputs).toEqual({ test: "npm test" });
    expect(load(DETECTED, { inputs: { test: "make check" } }).inputs).toEqual({ test: "make check" });
  });

  test("is its default, where the project has none", () => {
    const text = DETECTED.replace("detect: test", "detect: test\n    default: make check");
    expect(load(text, { project: NO_TESTS }).inputs).toEqual({ test: "make check" });
    expect(load(text).inputs).toEqual({ test: "npm test" });
  });

  test("is data: what looks like a reference in it stays as it is", () => {
    expect(load(TYPES, { inputs: { s: "${inputs.n} $(rm -rf /)" } }).inputs.s).toBe("${inputs.n} $(rm -rf /)");
  });
});

describe("a missing value", () => {
  test("is told with its name and its purpose", () => {
    expect(
      complaints("inputs: {issue: {description: what to mend}, who: {required: true}}\npipeline: [{role: doer}]"),
    ).toEqual([
      'p.yaml:1:10  input "issue" (what to mend) is missing | give it: --input issue=VALUE',
      'p.yaml:1:46  input "who" is missing | give it: --input who=VALUE',
    ]);
  });

  test("of a test command says where it was looked for", () => {
    expect(complaints(DETECTED, { project: NO_TESTS })).toEqual([
      'p.yaml:4:5  no test command was found in package.json, pyproject.toml, Makefile, Cargo.toml and go.mod | give one: --input test="npm test"',
    ]);
  });

  test("does not matter to someone who only checks the file", () => {
    expect(complaints(DETECTED, { project: NO_TESTS, inputs: null })).toEqual([]);
    expect(load("inputs: {issue: {}}\npipeline: [{role: doer}]", { inputs: null }).inputs).toEqual({});
  });
});

describe("an input that is not declared", () => {
  test.each([
    ["is told with the one that was meant", "tset", 'unknown input "tset" | did you mean "test"?'],
    ["is told with those that there are", "branch", 'unknown input "branch" | inputs of this pipeline: test'],
    [
      "may have the name of something else",
      "constructor",
      'unknown input "constructor" | inputs of this pipeline: test',
    ],
  ])("%s", (_, name, expected) => {
    expect(complaints(DETECTED, { inputs: { [name]: "x" } })).toEqual([`--input ${name}  ${expected}`]);
  });

  test("cannot be given to a pipeline without inputs", () => {
    expect(complaints("pipeline: [{role: doer}]", { inputs: { a: "b" } })).toEqual([
      '--input a  unknown input "a" | this pipeline has no inputs',
    ]);
  });
});

describe("a declaration that makes no sense", () => {
  test.each<[string, string, string]>([
    ["a default of another type", "{type: number, default: x}", 'p.yaml:1:37  the default of a number cannot be "x"'],
    [
      "a number where text is meant",
      "{default: 3}",
      'p.yaml:1:23  the default of a string cannot be 3 | put it in quotes: "3"',
    ],
    [
      "a default that is never used",
      "{required: true, default: x}",
      'p.yaml:1:14  an input with a default is never missing | take out "required" or "default"',
    ],
    [
      "nothing at all to fall back on",
      "{required: false}",
      'p.yaml:1:14  an input that may be missing needs a default | for example: default: ""',
    ],
    ["a text that is detected", "{detect: test}", 'p.yaml:1:14  only an input of "type: command" can be detected'],
  ])("%s", (_, input, expected) => {
    expect(complaints(`inputs: {a: ${input}}\npipeline: [{role: doer}]\n`)).toEqual([expected]);
  });
});
