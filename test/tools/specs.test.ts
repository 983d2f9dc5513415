import { readFileSync } from "node:fs";
import { Ajv } from "ajv";
import { expect, test } from "vitest";
import { FINISH_SCHEMAS } from "../../src/core/contract.ts";
import type { JsonSchema } from "../../src/core/json.ts";
import { EDIT_FORMS, type EditForm } from "../../src/core/model.ts";
import { TOOL_NAMES } from "../../src/core/permission.ts";
import { ROLE_NAMES } from "../../src/core/pipeline.ts";
import { createTools } from "../../src/tools/tools.ts";
import { EVERYTHING } from "../support/tool-bench.ts";

const tools = createTools();
const specs = TOOL_NAMES.flatMap((name) =>
  // Who reads jobs is who may start them.
  tools.specs({ ...EVERYTHING, tools: [name, "bash"] }, { edits: "write" }).filter((spec) => spec.name === name),
);

test("every tool is there, always in the same order, so that prompts stay the same", () => {
  expect(specs.map(({ name }) => name)).toEqual(TOOL_NAMES);
  const shuffled = tools.specs({ ...EVERYTHING, tools: [...TOOL_NAMES].reverse() });
  expect(shuffled).toEqual(tools.specs(EVERYTHING));
});

test.each([
  ["edit", ["edit", "write"]],
  ["apply_patch", ["apply_patch", "write"]],
  ["write", ["write"]],
] as const)("a model that changes files best by %s is shown that, and write for new files", (edits, ways) => {
  const shown = tools.specs(EVERYTHING, { edits }).map(({ name }) => name);
  expect(shown).toEqual(TOOL_NAMES.filter((name) => !EDIT_FORMS.some((form) => form === name) || isOneOf(ways, name)));
  expect(tools.specs(EVERYTHING, {})).toEqual(tools.specs(EVERYTHING, { edits: "edit" }));
});

test("where the role has not the way that suits a model, it is shown what the role has", () => {
  const shown = (granted: readonly string[], edits: EditForm) =>
    tools.specs({ ...EVERYTHING, tools: granted }, { edits }).map(({ name }) => name);
  expect(shown(["edit", "write"], "apply_patch")).toEqual(["edit", "write", "finish"]);
  expect(shown(["apply_patch"], "edit")).toEqual(["apply_patch", "finish"]);
  expect(shown(["edit"], "write")).toEqual(["edit", "finish"]);
  expect(shown(["read"], "write")).toEqual(["read", "finish"]);
});

test("a way that was not shown may be called all the same, where it is granted", () => {
  const rawArguments = JSON.stringify({ patch: "*** Begin Patch\n*** Delete File: a\n*** End Patch" });
  const call = { kind: "tool_call", id: "1", name: "apply_patch", rawArguments } as const;
  expect(tools.check(call, EVERYTHING)).toMatchObject({ type: "ready", tool: "apply_patch" });
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

function isOneOf(names: readonly string[], name: string): boolean {
  return names.includes(name);
}

/** What goes to a model before anything was said, but the task, the plan and the instructions of the project. */
test.each(ROLE_NAMES)("the first request of a %s with all tools stays below 12 KB", (role) => {
  const finish = FINISH_SCHEMAS[role];
  const system = readFileSync(new URL(`../../templates/roles/${role}.md`, import.meta.url), "utf8");
  const messages = ["task", "instructions", "checks", "baseline", "changes", "plan", "servers"].map((name) =>
    readFileSync(new URL(`../../templates/messages/${name}.md`, import.meta.url), "utf8"),
  );
  const sizes = EDIT_FORMS.map((edits) =>
    Buffer.byteLength(JSON.stringify([tools.specs({ ...EVERYTHING, finish }, { edits }), system, messages])),
  );
  expect(Math.max(...sizes)).toBeLessThanOrEqual(12 * 1024);
});

/** Objects anywhere in a schema that would let unknown properties through. */
function looseObjects(schema: JsonSchema): readonly JsonSchema[] {
  const inner = [...Object.values(schema.properties ?? {}), ...(schema.items === undefined ? [] : [schema.items])];
  // What a tool of a server takes is that server's own to say.
  const isForOthers = schema.properties === undefined;
  const own = schema.type === "object" && schema.additionalProperties !== false && !isForOthers ? [schema] : [];
  return [...own, ...inner.flatMap(looseObjects)];
}
