import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import fc from "fast-check";
import { get_encoding } from "tiktoken";
import { describe, expect, it } from "vitest";
import { leastTokens } from "../../src/providers/least-tokens.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const encodings = [get_encoding("o200k_base"), get_encoding("cl100k_base")];
/** The coarser of two tokenizers. */
const count = (text: string) => Math.min(...encodings.map((encoding) => encoding.encode_ordinary(text).length));

/** Prose, source code, types, JSON and Markdown, as they lie about here. */
const FOLDERS = [
  "src/core",
  "src/providers",
  "test/e2e",
  "docs",
  "templates",
  "node_modules/commander/lib",
  "node_modules/openai/resources/chat",
  "node_modules/simple-git",
  "node_modules/better-sqlite3/src/util",
  "node_modules/ajv/dist/compile",
];

describe("the least that a text can be", () => {
  const windows = FOLDERS.flatMap(textsOf).flatMap((text) => inWindows(text.slice(0, 30_000), 400));

  it("is never more than a tokenizer counts, in any piece of real text", () => {
    expect(windows.length).toBeGreaterThan(1_500);
    const wrong = windows.filter((text) => leastTokens(text) > count(text));
    expect(wrong).toEqual([]);
  });

  it("is not idle: for most of it more than a third of the count", () => {
    const shares = windows.map((text) => leastTokens(text) / count(text)).sort((a, b) => a - b);
    expect(shares[Math.floor(shares.length * 0.1)]).toBeGreaterThan(0.3);
  });

  it.each([
    ["spaces", " ".repeat(5_000)],
    ["tabs and line ends", "\t\t\n".repeat(2_000)],
    ["rulers", `${"=".repeat(120)}\n`.repeat(30)],
    ["dots", ".".repeat(5_000)],
    ["a box", "─".repeat(5_000)],
    ["a table", `|${"-".repeat(60)}|${":".repeat(40)}|\n`.repeat(30)],
    ["deep indentation", `${" ".repeat(60)}}\n`.repeat(90)],
    ["one letter", "a".repeat(5_000)],
    ["Chinese", "修复测试失败的问题,然后再运行全部测试。".repeat(40)],
    ["Thai", "แก้ไขการทดสอบที่ล้มเหลวแล้วรันการทดสอบทั้งหมดอีกครั้ง ".repeat(40)],
    ["Russian", "Тесты не проходят, потому что правило округления не применяется. ".repeat(40)],
    ["emoji", "👨‍👩‍👧‍👦🎉".repeat(200)],
    ["no text", ""],
  ])("%s", (_, text) => {
    expect(leastTokens(text)).toBeLessThanOrEqual(count(text));
  });

  it("takes an escaped character for the one that it stands for", () => {
    const text = "Тесты не проходят, потому что правило округления не применяется. ".repeat(40);
    const escaped = text.replaceAll(/[^\x20-\x7e]/g, (letter) => `\\u0${letter.charCodeAt(0).toString(16)}`);
    expect(escaped.length).toBeGreaterThan(text.length * 5);
    expect(leastTokens(escaped)).toBeLessThanOrEqual(count(text));
  });

  it("grows by an eighth of a token a character at most", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."ab \n=\\u0e4") }), fc.string({ unit: "grapheme" }), (a, b) => {
        expect(leastTokens(a + b)).toBeLessThanOrEqual(leastTokens(a) + b.length / 8 + 1);
      }),
    );
  });
});

function textsOf(folder: string): readonly string[] {
  const names = readdirSync(resolve(ROOT, folder)).filter((name) => /\.(m?[jt]s|[ch]pp|md|json)$/.test(name));
  return names.map((name) => readFileSync(join(ROOT, folder, name), "utf8"));
}

function inWindows(text: string, size: number): readonly string[] {
  return Array.from({ length: Math.floor(text.length / size) }, (_, at) => text.slice(at * size, (at + 1) * size));
}
