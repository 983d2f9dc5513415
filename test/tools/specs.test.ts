import { Ajv } from "ajv";
import { expect, test } from "vitest";
import { FINISH_SCHEMAS } from "../../src/core/contract.ts";
import type { JsonSchema } from "../../src/core/json.ts";
import { TOOL_NAMES } from "../../src/core/permission.ts";
import { ROLE_NAMES } from "../../src/core/pipeline.ts";
import { createTools } from "../../src/tools/tools.ts";
import { EVERYTHING } from "../support/tool-bench.ts";

const specs = createTools().specs(EVERYTHING);

test("every tool is there, always in the same order, so that prompts stay the same", () => {
  expect(specs.map(({ name }) => name)).toEqual(TOOL_NAMES);
  const shuffled = createTools().specs({ ...EVERYTHING, tools: [...TOOL_NAMES].reverse() });
  expect(shuffled).toEqual(specs);
});

test.each(specs.map((spec) => [spec.name, spec] as const))("%s says what it does and takes", (_, spec) => {
  expect(spec.description.length).toBeGreaterThan(40);
  expect(spec.parameters.type).toBe("object");
  expect(() => new Ajv({ strict: true, allErrors: true }).compile(spec.parameters)).not.toThrow();
});

test.each(specs.filter(({ name }) => name !== "finish").map((spec) => [spec.name, spec.parameters] as const))(
  "%s has a word on every property that is not plain by its name, and takes no others",
  (_, parameters) => {
    expect(looseObjects(parameters)).toEqual([]);
    for (const [name, property] of Object.entries(parameters.properties ?? {}))
      expect([name, property.description]).toEqual([name, expect.any(String)]);
  },
);

test.each(ROLE_NAMES)("the finish of a %s compiles as strictly", (role) => {
  const finish = FINISH_SCHEMAS[role];
  const spec = createTools()
    .specs({ ...EVERYTHING, finish })
    .find(({ name }) => name === "finish");
  expect(spec?.parameters).toBe(finish);
  expect(() => new Ajv({ strict: true }).compile(finish)).not.toThrow();
});

/** Objects anywhere in a schema that would let unknown properties through. */
function looseObjects(schema: JsonSchema): readonly JsonSchema[] {
  const inner = [...Object.values(schema.properties ?? {}), ...(schema.items === undefined ? [] : [schema.items])];
  // What a tool of a server takes is that server's own to say.
  const isForOthers = schema.properties === undefined;
  const own = schema.type === "object" && schema.additionalProperties !== false && !isForOthers ? [schema] : [];
  return [...own, ...inner.flatMap(looseObjects)];
}
