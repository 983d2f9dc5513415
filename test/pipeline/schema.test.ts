import { join } from "node:path";
import { Ajv } from "ajv";
import { describe, expect, test } from "vitest";
import type { JsonSchema } from "../../src/core/json.ts";
import {
  PUBLISHED_PIPELINE_SCHEMA,
  PUBLISHED_POLICY_PACK_SCHEMA,
  PUBLISHED_POLICY_SCHEMA,
  PUBLISHED_PROVIDERS_SCHEMA,
  PUBLISHED_USER_CONFIG_SCHEMA,
} from "../../src/pipeline/published-schemas.ts";
import { ROOT } from "./context.ts";

const PUBLISHED = {
  "pipeline.schema.json": PUBLISHED_PIPELINE_SCHEMA,
  "providers.schema.json": PUBLISHED_PROVIDERS_SCHEMA,
  "config.schema.json": PUBLISHED_USER_CONFIG_SCHEMA,
  "policy.schema.json": PUBLISHED_POLICY_SCHEMA,
  "policy-pack.schema.json": PUBLISHED_POLICY_PACK_SCHEMA,
} as const;

describe.each(Object.entries(PUBLISHED))("%s", (name, schema) => {
  test("the published file is the schema that ccp checks by (npm run schemas writes it)", async () => {
    await expect(`${JSON.stringify(schema, null, 2)}\n`).toMatchFileSnapshot(join(ROOT, "schemas", name));
  });

  test("it is draft-07, which is what editors read", () => {
    expect(schema.$schema).toBe("http://json-schema.org/draft-07/schema#");
    expect(new Ajv({ strict: false }).validateSchema(schema)).toBe(true);
  });

  test("no map takes keys that it does not know", () => {
    const open = maps(schema as JsonSchema).filter((map) => map.additionalProperties === undefined);
    expect(open).toEqual([]);
  });

  test("an editor has a sentence to show for every key that holds anything but plain text or a price", () => {
    const silent = maps(schema as JsonSchema).flatMap((map) =>
      Object.entries(map.properties ?? {})
        .filter(([, property]) => property.description === undefined && property.type !== "object")
        .map(([key]) => key),
    );
    expect(silent).toEqual([]);
  });
});

describe("the published pipeline schema", () => {
  const validate = new Ajv({ strict: false }).compile(PUBLISHED_PIPELINE_SCHEMA);

  test.each([
    ["takes a step with a role", { role: "doer" }, true],
    ["takes a step with a command", { run: "npm test" }, true],
    ["refuses a step with both", { role: "doer", run: "npm test" }, false],
    ["refuses a step with neither", { id: "x" }, false],
    ["refuses a command with `until`", { run: "ls", until: { run: "ls" } }, false],
    ["refuses an agent with `changes`", { role: "doer", changes: "keep" }, false],
  ])("%s", (_, step, valid) => {
    expect(validate({ pipeline: [step] })).toBe(valid);
  });
});

/** All schemas of maps inside a schema. */
function maps(schema: JsonSchema): readonly JsonSchema[] {
  const parts = [
    ...Object.values(schema.properties ?? {}),
    ...(schema.anyOf ?? []),
    ...(schema.items ? [schema.items] : []),
    ...(typeof schema.additionalProperties === "object" ? [schema.additionalProperties] : []),
  ];
  return [...(schema.type === "object" ? [schema] : []), ...parts.flatMap(maps)];
}
