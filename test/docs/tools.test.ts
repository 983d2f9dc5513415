import { expect, test } from "vitest";
import { EDIT_FORMS } from "../../src/core/model.ts";
import { TOOL_NAMES } from "../../src/core/permission.ts";
import { page, rowsIn } from "./pages.ts";

test("docs/tools.md has a row for every tool, in the order in which they are listed, and every form of an edit", () => {
  const names = rowsIn(page("docs/tools.md")).map(([first = ""]) => /^`(\w+)`/.exec(first)?.[1] ?? "");
  const named = names.filter((name) => name !== "");
  expect(named.slice(0, TOOL_NAMES.length)).toEqual(TOOL_NAMES);
  expect(named.slice(TOOL_NAMES.length).toSorted()).toEqual([...EDIT_FORMS].toSorted());
});
