import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import fc from "fast-check";
import { get_encoding } from "tiktoken";
import { describe, expect, it } from "vitest";
import type { Message, ModelRequest } from "../../src/core/model.ts";
import { lexicalBound } from "../../src/providers/lexical-bound.ts";
import { loadO200k } from "../../src/providers/o200k.ts";
import { inputBound } from "../../src/providers/tokens.ts";
import { request } from "../support/wires.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const o200k = get_encoding("o200k_base");
const cl100k = get_encoding("cl100k_base");
const count = (text: string) => o200k.encode_ordinary(text).length;

/**
 * Claude's tokenizer is not published. It bills some 15–20 % more than o200k counts (0.83–0.87 measured on recorded
 * streams), so a bound that holds for everyone is at least this far above o200k; but no byte-level tokenizer makes
 * more tokens than there are bytes.
 */
const FINER = 1.3;
const needed = (text: string) => Math.min(count(text) * FINER, Buffer.byteLength(text));

describe("source code", () => {
  const sources: readonly (readonly [name: string, text: string, ceiling: number])[] = [
    ["our core", folder("src/core"), 2.2],
    ["our tests", folder("test/providers"), 2.2],
    ["commander", folder("node_modules/commander/lib"), 2.2],
    ["ajv", folder("node_modules/ajv/lib/compile"), 2.2],
    ["openai", folder("node_modules/openai/core"), 2.2],
    ["execa", folder("node_modules/execa/lib/methods"), 2.2],
    // Indented by tabs and full of `v8::Local<v8::Value>`: the loosest we met.
    ["a C++ addon", folder("node_modules/better-sqlite3/src/objects"), 2.4],
    ["a readme", read("node_modules/commander/Readme.md"), 2.2],
    ["a package file", read("node_modules/openai/package.json"), 2.2],
  ];

  it.each(sources)("of %s is bounded between 1.5 and some 2.2 times its o200k count", (_name, text, ceiling) => {
    expect(text.length).toBeGreaterThan(3_000);
    const ratio = lexicalBound(text) / count(text);
    expect(ratio).toBeGreaterThan(1.5);
    expect(ratio).toBeLessThan(ceiling);
  });
});

describe("the bound is never below what a tokenizer finer than OpenAI's would count", () => {
  const bytes = Buffer.concat(
    Array.from({ length: 250 }, (_, index) => createHash("sha256").update(`${index}`).digest()),
  );
  const numbers = [...bytes];
  const letter = (byte: number) => String.fromCharCode(0x61 + (byte % 26));
  const samples: readonly (readonly [string, string])[] = [
    [
      "English",
      "The quick brown fox jumps over the lazy dog, because the tests fail and nobody has looked at them. ".repeat(9),
    ],
    [
      "German",
      "Die Überprüfung der Zahlungsverpflichtungen schlägt fehl, weil die Rundungsregel nicht gilt. ".repeat(9),
    ],
    [
      "Turkish",
      "Ara toplamlar için yuvarlama kuralı uygulanmadığı için ödemelerin doğrulanması başarısız oluyor. ".repeat(9),
    ],
    [
      "Finnish",
      "Maksuvelvoitteiden tarkistus epäonnistuu, koska välisummien pyöristyssääntöä ei ole huomioitu. ".repeat(9),
    ],
    [
      "Latin",
      "Quousque tandem abutere, Catilina, patientia nostra? quam diu etiam furor iste tuus nos eludet? ".repeat(9),
    ],
    ["Russian", "Тесты не проходят, потому что правило округления не применяется к промежуточным итогам. ".repeat(9)],
    [
      "Chinese",
      "修复测试失败的问题:函数在输入为空数组时返回错误的结果,需要先检查边界条件,然后再运行全部测试。".repeat(9),
    ],
    ["Japanese", "テストが失敗する問題を修正してください。関数は空の配列を受け取ると誤った結果を返します。".repeat(9)],
    ["Korean", "테스트 실패 문제를 수정하세요. 함수는 빈 배열이 입력될 때 잘못된 결과를 반환합니다. ".repeat(9)],
    ["Arabic", "يفشل الاختبار لأن قاعدة التقريب غير مطبقة على المجاميع الفرعية. ".repeat(9)],
    ["Hindi", "परीक्षण विफल हो जाता है क्योंकि पूर्णांकन नियम लागू नहीं किया गया है। ".repeat(9)],
    ["emoji", "Great work 👍🏽🎉🚀 ✅ done 👨‍👩‍👧‍👦 ☃️ ".repeat(20)],
    ["pinyin", "xiufu ceshi shibai de wenti, hanshu zai shuru wei kong shuzu shi fanhui cuowu de jieguo. ".repeat(9)],
    ["hex", bytes.toString("hex")],
    ["HEX", bytes.toString("hex").toUpperCase()],
    ["base64", bytes.toString("base64")],
    ["base64 in lines", bytes.toString("base64").replace(/.{76}/g, "$&\n")],
    ["identifiers", numbers.map((byte, at) => `${byte}-${numbers[at ^ 1]}`).join("\n")],
    ["minified JSON", JSON.stringify(numbers.map((byte, at) => ({ id: byte, ok: at % 2 === 0, at: [at, null] })))],
    ["a bitmap", JSON.stringify(numbers.map((byte) => byte % 2))],
    ["floats", numbers.map((byte) => (byte / 7).toFixed(6)).join(" ")],
    ["a bundle", read("node_modules/@pydantic/genai-prices/dist/index.cjs").slice(0, 60_000)],
    ["random letters", numbers.map(letter).join("")],
    ["random words", numbers.map((byte) => letter(byte) + (byte % 5 === 0 ? " " : "")).join("")],
    ["one letter a line", numbers.map(letter).join("\n")],
    ["RANDOM CAPITALS", numbers.map(letter).join("").toUpperCase()],
    ["randomCamel", numbers.map((byte) => (byte % 3 === 0 ? letter(byte).toUpperCase() : letter(byte))).join("")],
    ["random signs", numbers.map((byte) => String.fromCharCode(0x21 + (byte % 15))).join("")],
    ["random ASCII", numbers.map((byte) => String.fromCharCode(byte % 128)).join("")],
    ["random Latin-1", bytes.toString("latin1")],
    ["bytes that are no UTF-8", bytes.toString("utf8")],
    ["terminal colours", numbers.map((byte) => `\u001b[3${byte % 8}m${letter(byte)}\u001b[0m`).join("")],
    ["blanks", numbers.map((byte) => " \t\n\r".charAt(byte % 4)).join("")],
    ["spaces", " ".repeat(9_999)],
    ["tabs", "\t".repeat(9_999)],
    ["empty lines", "\n".repeat(9_999)],
    ["a ruler", "=".repeat(9_999)],
    ["one letter", "a".repeat(9_999)],
  ];

  it.each(samples)("%s", (_name, text) => {
    expect(lexicalBound(text)).toBeGreaterThanOrEqual(needed(text));
    expect(lexicalBound(text)).toBeGreaterThanOrEqual(cl100k.encode_ordinary(text).length);
  });

  it("whatever bytes are in it", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 200, maxLength: 800 }),
        fc.constantFrom("utf8", "latin1", "base64", "hex"),
        (data, as) => {
          const text = Buffer.from(data).toString(as as BufferEncoding);
          expect(lexicalBound(text)).toBeGreaterThanOrEqual(needed(text));
        },
      ),
      { numRuns: 300 },
    );
  });

  it("whatever characters are in it", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 50, maxLength: 300 }), (text) => {
        expect(lexicalBound(text)).toBeGreaterThanOrEqual(needed(text));
      }),
    );
  });

  it("for a request of any text, short ones too", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 60 }), fc.string({ maxLength: 60 }), (system, text) => {
        const bound = inputBound(request({ system, messages: [{ role: "user", text }] }));
        expect(bound).toBeGreaterThanOrEqual((count(system) + count(text)) * FINER);
      }),
    );
  });
});

describe("the bound of a request", () => {
  const bound = (change: Partial<ModelRequest>) => inputBound(request({ system: "", messages: [], ...change }));
  const text = "Repair the sum function and run the tests. ".repeat(50);

  it("counts every place where text can be", () => {
    const places: readonly Partial<ModelRequest>[] = [
      { system: text },
      { messages: [{ role: "user", text }] },
      { messages: [{ role: "tool", toolCallId: "c-1", name: "read", text, isError: false }] },
      { messages: [{ role: "assistant", parts: [{ kind: "text", text }] }] },
      { messages: [{ role: "assistant", parts: [{ kind: "reasoning", text, opaque: null, source: "a/b" }] }] },
      {
        messages: [{ role: "assistant", parts: [{ kind: "tool_call", id: "c-1", name: "edit", rawArguments: text }] }],
      },
      { tools: [{ name: "read", description: text, parameters: { type: "object" } }] },
      { tools: [{ name: "read", description: "", parameters: { type: "object", description: text } }] },
    ];
    for (const place of places) {
      const without = JSON.parse(JSON.stringify(place).replaceAll(JSON.stringify(text), '""'));
      expect(bound(place) - bound(without)).toBeGreaterThanOrEqual(lexicalBound(text) - 2);
    }
  });

  it("counts reasoning by its encrypted whole where its text is only a summary", () => {
    const reasoning = (opaque: string | null): Message => ({
      role: "assistant",
      parts: [{ kind: "reasoning", text: "In short.", opaque, source: "a/b" }],
    });
    const hidden = Buffer.from(text.repeat(3)).toString("base64");
    expect(bound({ messages: [reasoning(hidden)] })).toBeGreaterThan(count(text.repeat(3)) * FINER);
    expect(bound({ messages: [reasoning(null)] })).toBeLessThan(100);
  });

  it("has room for what a provider adds when there are tools", () => {
    const tools = [{ name: "ls", description: "", parameters: { type: "object" } as const }];
    expect(bound({ tools }) - bound({})).toBeGreaterThan(804);
  });

  it("grows with every message", () => {
    fc.assert(
      fc.property(fc.array(fc.string()), fc.string(), (texts, more) => {
        const messages = texts.map((one): Message => ({ role: "user", text: one }));
        expect(bound({ messages: [...messages, { role: "user", text: more }] })).toBeGreaterThan(bound({ messages }));
      }),
    );
  });
});

describe("OpenAI's own tokenizer", () => {
  it("counts as tiktoken does, and makes a tighter bound that still holds", async () => {
    const exact = await loadO200k();
    const source = folder("src/core");
    expect(exact(source)).toBe(count(source));
    const asked = request({ messages: [{ role: "user", text: source }] });
    expect(inputBound(asked, { exact })).toBeGreaterThan(count(source));
    expect(inputBound(asked, { exact })).toBeLessThan(inputBound(asked) * 0.7);
  });

  it("never loosens the bound, and is loaded as often as anyone likes", async () => {
    const exact = await loadO200k();
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (text) => {
        const asked = request({ messages: [{ role: "user", text }] });
        expect(inputBound(asked, { exact })).toBeLessThanOrEqual(inputBound(asked));
      }),
    );
  });
});

function folder(path: string): string {
  const names = readdirSync(resolve(ROOT, path)).filter(
    (name) => /\.(m?[jt]s|[ch]pp|lzz)$/.test(name) && !name.endsWith(".d.ts"),
  );
  return names
    .map((name) => read(`${path}/${name}`))
    .join("")
    .slice(0, 120_000);
}

function read(path: string): string {
  return readFileSync(resolve(ROOT, path), "utf8");
}
