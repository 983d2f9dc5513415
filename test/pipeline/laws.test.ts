import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson } from "../../src/core/json.ts";
import type { Pipeline } from "../../src/core/pipeline.ts";
import { loadPipeline } from "../../src/pipeline/load.ts";
import { checkProvidersFile } from "../../src/pipeline/providers-file.ts";
import { parseYaml } from "../../src/pipeline/transcript-file.ts";
import { checkUserConfig } from "../../src/pipeline/user-config.ts";
import { CONTEXT, load } from "./context.ts";

const WORDS = [
  ...["pipeline", "role", "run", "id", "needs", "until", "on_failure", "back_to", "inputs", "roles", "budget", "doer"],
  ...["planner", "reviewer", "models", "prompt", "permissions", "tools", "attempts", "timeout", "usd", "none", "10m"],
  ...["${inputs.a}", "${steps.doer.output}", "__proto__", "constructor", "&a", "*a", "<<", "!t", "? ", "|", ">-", "%"],
  ...[
    ": ",
    "- ",
    "\n",
    "\n  ",
    "\n    ",
    "{",
    "}",
    "[",
    "]",
    ",",
    "#",
    "'",
    '"',
    "\t",
    "---",
    "~",
    "0",
    "-1",
    ".inf",
    "true",
  ],
];
const yamlish = fc
  .array(fc.oneof(fc.constantFrom(...WORDS), fc.string({ maxLength: 4 })), { maxLength: 40 })
  .map((words) => words.join(""));

/** Data that is nearly a pipeline: known keys, wrong values at any depth. */
const nearly = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom<unknown>("doer", "run", 1, -1, null, true, "none", "10m", "a", []),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom(...WORDS.filter((word) => /^[a-z_]+$/.test(word))), tie("value"), { maxKeys: 6 }),
  ),
})).value;

/** Text that is often a pipeline, nearly. */
const anything = fc.oneof(
  yamlish,
  nearly.map((value) => JSON.stringify(value)),
);

describe("whatever a file holds", () => {
  test("loading it never throws, and every complaint has a place in it", () => {
    fc.assert(
      fc.property(anything, (text) => {
        const loaded = loadPipeline({ ...CONTEXT, path: "p.yaml", text });
        if (loaded.ok) return;
        const lines = text.split(/\r\n?|\n/);
        expect(loaded.diagnostics.length).toBeGreaterThan(0);
        for (const { line, column, message } of loaded.diagnostics) {
          expect(message).not.toMatch(/undefined|\[object|must NOT|should/);
          expect(line).toBeGreaterThanOrEqual(1);
          expect(line).toBeLessThanOrEqual(lines.length);
          expect(column).toBeGreaterThanOrEqual(1);
        }
      }),
      { numRuns: 1500 },
    );
  });

  test("reading it as a providers file, a configuration or a transcript never throws", () => {
    fc.assert(
      fc.property(anything, (text) => {
        expect(typeof checkProvidersFile(text, "x").ok).toBe("boolean");
        expect(typeof checkUserConfig(text, "x").ok).toBe("boolean");
        expect(typeof parseYaml(text, "x").ok).toBe("boolean");
      }),
      { numRuns: 500 },
    );
  });
});

/** A sound pipeline: every step needs any of those before it, then the steps are shuffled. */
const sound = fc
  .array(
    fc.record({
      kind: fc.constantFrom("planner", "doer", "reviewer", "run"),
      needs: fc.array(fc.nat(30), { maxLength: 3 }),
    }),
    {
      minLength: 1,
      maxLength: 12,
    },
  )
  .chain((steps) => {
    const drawn = steps.map(({ kind, needs }, index) => ({
      ...(kind === "run" ? { run: "true" } : { role: kind }),
      id: `s${index}`,
      needs: index === 0 ? [] : [...new Set(needs.map((need) => `s${need % index}`))],
    }));
    return fc.shuffledSubarray(drawn, { minLength: drawn.length });
  });

describe("a sound pipeline", () => {
  test("is loaded with every step after all that it needs, and none lost", () => {
    fc.assert(
      fc.property(sound, (steps) => {
        const { pipeline } = load(JSON.stringify({ pipeline: steps }));
        expect(pipeline.steps.map((step) => step.id).sort()).toEqual(steps.map((step) => step.id).sort());
        expect(misplaced(pipeline)).toEqual([]);
      }),
    );
  });

  test("with a cycle in it is never loaded", () => {
    fc.assert(
      fc.property(sound, fc.nat(), (steps, seed) => {
        const last = steps[seed % steps.length];
        const text = JSON.stringify({
          pipeline: [
            ...steps.map((step) => (step === last ? { ...step, needs: [...step.needs, "loop"] } : step)),
            { id: "loop", run: "true", needs: [last?.id] },
          ],
        });
        const loaded = loadPipeline({ ...CONTEXT, path: "p.yaml", text });
        expect(loaded.ok ? [] : loaded.diagnostics.map((diagnostic) => diagnostic.message)).toContainEqual(
          expect.stringContaining("steps wait for each other"),
        );
      }),
    );
  });

  test("loads to the same bytes twice", () => {
    fc.assert(
      fc.property(sound, (steps) => {
        const text = JSON.stringify({ pipeline: steps });
        expect(canonicalJson(load(text).pipeline)).toBe(canonicalJson(load(text).pipeline));
      }),
      { numRuns: 20 },
    );
  });
});

function misplaced(pipeline: Pipeline): readonly string[] {
  const done = new Set<string>();
  return pipeline.steps.flatMap((step) => {
    const missing = step.needs.filter((need) => !done.has(need));
    done.add(step.id);
    return missing;
  });
}
