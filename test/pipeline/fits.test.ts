import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import type { JsonSchema } from "../../src/core/json.ts";
import { fits } from "../../src/pipeline/fits.ts";
import { PROVIDERS_SCHEMA } from "../../src/pipeline/providers-schema.ts";
import { PIPELINE_SCHEMA } from "../../src/pipeline/schema.ts";
import { USER_CONFIG_SCHEMA } from "../../src/pipeline/user-config-schema.ts";
import { ROOT } from "./context.ts";

type Path = readonly (string | number)[];

/** The examples of a page, as data: files in which nothing is wrong. */
function examplesOf(page: string, language: string): readonly unknown[] {
  const text = readFileSync(join(ROOT, "docs", page), "utf8");
  return [...text.matchAll(new RegExp(`\`\`\`yaml ${language}\n([\\s\\S]*?)\`\`\``, "g"))].map(([, yaml]) =>
    parse(yaml ?? ""),
  );
}

/** Every place in it. */
function pathsIn(value: unknown, path: Path = []): readonly Path[] {
  if (value === null || typeof value !== "object") return [path];
  const entries = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [path, ...entries.flatMap(([key, inner]) => pathsIn(inner, [...path, key]))];
}

/** The same with another value in one place; undefined: without it, `key` added beside it. */
function changed(value: unknown, [head, ...tail]: Path, to: unknown, key: string): unknown {
  if (head === undefined) {
    if (to !== undefined) return to;
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value, [key]: 1 } : null;
  }
  if (Array.isArray(value)) return value.map((item, index) => (index === head ? changed(item, tail, to, key) : item));
  const { [head]: inner, ...rest } = value as Record<string, unknown>;
  return to === undefined && tail.length === 0 && key === ""
    ? rest
    : { ...rest, [head]: changed(inner, tail, to, key) };
}

const WORDS = [
  "",
  "x",
  "none",
  "planner",
  "plan",
  "22:00-06:00",
  "20%",
  "90s",
  "K_1",
  "http://a",
  "bearer",
  "a/b",
  "Ä",
  "💥",
  "__proto__",
];
const SOME = fc.oneof(
  fc.constantFrom<unknown>(...WORDS, undefined, null, true, 0, -1, 0.5, 1, 1e9, Number.NaN, Number.POSITIVE_INFINITY),
  fc.constantFrom<unknown>([], {}, ["x", "x"], ["tools"], [{}], { a: 1 }, [[1], [1]]),
  fc.jsonValue(),
);

describe("the quick look at a file agrees with ajv", () => {
  test.each<[string, JsonSchema, readonly unknown[]]>([
    [
      "providers.yaml",
      PROVIDERS_SCHEMA,
      [...examplesOf("providers-file.md", "providers"), ...examplesOf("routing.md", "providers")],
    ],
    ["a pipeline", PIPELINE_SCHEMA, examplesOf("pipeline-file.md", "pipeline")],
    ["config.yaml", USER_CONFIG_SCHEMA, [{ budget: { day: { usd: 5, tokens: 100 }, week: { usd: "none" } } }]],
  ])("%s", (_, schema, examples) => {
    const validate = new Ajv({ allErrors: true, strict: true }).compile(schema);
    for (const example of examples) expect([fits(schema, example), validate(example)]).toEqual([true, true]);
    const change = fc.record({
      at: fc.nat(),
      to: SOME,
      key: fc.constantFrom("", "x", "when", "price", "role", "__proto__"),
    });
    let refused = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...examples),
        fc.array(change, { minLength: 1, maxLength: 3 }),
        (example, changes) => {
          const value = changes.reduce((so, { at, to, key }) => {
            const paths = pathsIn(so);
            return changed(so, paths[at % paths.length] ?? [], to, key);
          }, example);
          const isValid = validate(value);
          if (!isValid) refused += 1;
          expect(fits(schema, value)).toBe(isValid);
        },
      ),
      { numRuns: 2_000 },
    );
    expect(refused).toBeGreaterThan(100);
  });
});
