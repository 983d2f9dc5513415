import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { secretsWarning } from "../../src/core/patch-secrets.ts";
import { mapTexts, REDACTED, redact, redactValues, secretValues } from "../../src/core/redact.ts";

const SECRET = "s3cr3t/Value+with 'quotes' & \"more\"";
const letters = (count: number) => "aB3dE5fG7h".repeat(10).slice(0, count);

/** Put together here, so that no scanner takes this file for a leak. */
const KEYS: readonly (readonly [string, string])[] = [
  ["OpenAI", `sk-proj-${letters(40)}`],
  ["Anthropic", `sk-ant-api03-${letters(40)}-${letters(20)}`],
  ["OpenRouter", `sk-or-v1-${"0a1b2c3d".repeat(8)}`],
  ["DeepSeek", `sk-${"0a1b2c3d".repeat(4)}`],
  ["Stripe", `sk_live_${letters(24)}`],
  ["GitHub", `ghp_${letters(36)}`],
  ["GitHub, fine-grained", `github_pat_${letters(22)}_${letters(59)}`],
  ["GitLab", `glpat-${letters(20)}`],
  ["AWS", `AKIA${"ABCD2345".repeat(2)}`],
  ["Google", `AIza${letters(35)}`],
  ["Slack", `xoxb-${"1234567890-".repeat(2)}${letters(24)}`],
  ["npm", `npm_${letters(36)}`],
  ["Hugging Face", `hf_${letters(34)}`],
  ["a JSON web token", `eyJ${letters(20)}.eyJ${letters(40)}.${letters(43)}`],
];
const BODY = Array.from({ length: 6 }, () => letters(64)).join("\n");
const PEM = `-----BEGIN RSA PRIVATE KEY-----\n${BODY}\nabcd==\n-----END RSA PRIVATE KEY-----`;

describe("what looks like a key", () => {
  test.each(KEYS)("of %s is replaced, and nothing beside it", (_, key) => {
    for (const [before, after] of [
      ["", ""],
      ["key=", "\n"],
      ['{"key":"', '"}'],
      ["Bearer ", " and more"],
      ["(", ")."],
    ])
      expect(redact(`${before}${key}${after}`, [])).toBe(`${before}${REDACTED}${after}`);
  });

  test.each([
    ["a hash", "0a1b2c3d".repeat(8)],
    ["a class of a style sheet", "sk-fading-circle-container-wide"],
    ["a word with the same letters", `task-${letters(40)} risk-${letters(40)}`],
    ["a public key", PEM.replaceAll("RSA PRIVATE", "PUBLIC")],
    [
      "the first line of a key in a program",
      'if (text.includes("-----BEGIN PRIVATE KEY-----")) throw new Error("no");',
    ],
    ["a short one", "sk-abc ghp_abc AKIA123"],
    ["prose", "The key is under the mat; AIzazel told me so. eyJ.eyJ.eyJ"],
  ])("is not %s", (_, text) => {
    expect(redact(text, [])).toBe(text);
  });

  test.each([
    ["whole", PEM],
    ["escaped in JSON", JSON.stringify(PEM).slice(1, -1)],
    [
      "numbered",
      PEM.split("\n")
        .map((line, index) => `${index + 1}\t${line}`)
        .join("\n")
        .slice(2),
    ],
  ])("is a private key, %s", (_, text) => {
    const clean = redact(`before\n${text}\nafter`, []);
    expect(clean).toBe(`before\n${REDACTED}\nafter`);
  });

  test("is as much as there is of a private key", () => {
    expect(redact(`before ${PEM.slice(0, 200)}`, [])).not.toContain("aB3dE5fG7h".repeat(2));
  });
});

describe("a known secret", () => {
  test.each([
    ["as it is", SECRET],
    ["in JSON", JSON.stringify(SECRET).slice(1, -1)],
    ["in an address", encodeURIComponent(SECRET)],
  ])("is replaced %s", (_, form) => {
    expect(redactValues(`<${form}>`, [SECRET])).toBe(`<${REDACTED}>`);
  });

  test("is replaced in base64, wherever it stands in what was encoded", () => {
    const letter = fc.constantFrom(..."aZ09+/-_ü ");
    const text = fc.array(letter, { maxLength: 7 }).map((all) => all.join(""));
    const secret = fc.array(letter, { minLength: 16, maxLength: 40 }).map((all) => all.join(""));
    fc.assert(
      fc.property(text, secret, text, (before, value, after) => {
        for (const encoding of ["base64", "base64url"] as const) {
          const encoded = Buffer.from(before + value + after).toString(encoding);
          const clean = redactValues(encoded, [value]);
          expect(clean).toContain(REDACTED);
          const left = clean.replaceAll(REDACTED, "");
          expect(left.length).toBeLessThan(encoded.length - Math.floor((value.length - 4) * 1.2));
        }
      }),
    );
  });

  test("of many lines is known by each of them", () => {
    expect(redactValues(`1\t${letters(64)}\n2\tplain`, [`BEGIN\n${letters(64)}\nEND`])).toBe(
      `1\t${REDACTED}\n2\tplain`,
    );
  });

  test("is never in what comes out, whatever stands around it", () => {
    const secrets = fc.uniqueArray(fc.string({ minLength: 8, maxLength: 20 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(secrets, fc.array(fc.string()), (values, around) => {
        const text = around.flatMap((part, index) => [part, values[index % values.length] ?? ""]).join("");
        const clean = redactValues(text, values).replaceAll(REDACTED, "\0");
        for (const value of values) if (!value.includes("\0")) expect(clean).not.toContain(value);
      }),
    );
  });
});

test("a variable's value is a secret, but for plain words and paths whose name speaks of none", () => {
  const variables = { NODE_ENV: "production", HOME: "/home/ann", PORT: "8080", PIN_KEY: "12345678", URL_X: "a:b@c-1" };
  expect(secretValues(variables)).toEqual(["12345678", "a:b@c-1"]);
});

test("what is redacted once stays what it is", () => {
  const text = KEYS.map(([, key]) => key).join(" ") + PEM + SECRET;
  const once = redact(text, [SECRET]);
  expect(redact(once, [SECRET])).toBe(once);
});

test("texts of a value are changed, its keys and what is opaque are not", () => {
  const value = { a: ["x", 1, null, { x: "x" }], opaque: { signature: "x" } };
  expect(mapTexts(value, (text) => `${text}!`)).toEqual({
    a: ["x!", 1, null, { x: "x!" }],
    opaque: { signature: "x" },
  });
});

test("long texts made to be slow take no time", () => {
  const made = ["sk-", "eyJ", "eyJaaaaaaaa.", "-----BEGIN PRIVATE KEY-----", "-----BEGIN ", "a1 ", "AKIA", "sk-aA"];
  const startedAt = performance.now();
  for (const part of made) redact(part.repeat(400_000 / part.length), [SECRET]);
  // Some 20 ms each here; what is not linear takes minutes.
  expect(performance.now() - startedAt).toBeLessThan(30_000);
});

describe("a patch", () => {
  const added = (line: string) => `diff --git a/k b/k\n--- a/k\n+++ b/k\n@@ -0,0 +1 @@\n${line}\n`;
  test("that adds what looks like a key is warned of, with its files", () => {
    expect(secretsWarning(added(`+key = "${KEYS[0]?.[1]}"`))).toContain("adds what looks like a key, in k:");
    expect(secretsWarning(added("+-----BEGIN PRIVATE KEY-----"))).toContain("in k");
  });
  test("that takes one away, or has one beside its changes, is not", () => {
    expect(secretsWarning(added(`-key = "${KEYS[0]?.[1]}"`))).toBeNull();
    expect(secretsWarning(added(` key = "${KEYS[0]?.[1]}"`))).toBeNull();
  });
});
