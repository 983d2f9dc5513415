import { EDIT_FORMS, type EditForm } from "../core/model.ts";
import type { ToolName } from "../core/permission.ts";

/**
 * The tools that a model is shown of those that it may call: one way to change a file, the one that suits it, and `write`
 * to create files. A call of another way is carried out all the same. Where the role has not the one that suits, it is
 * shown `edit`, or else what there is.
 */
export function suitableTools(granted: readonly ToolName[], form: EditForm = "edit"): readonly ToolName[] {
  const ways = [form, "edit", ...EDIT_FORMS].filter((way) => way !== "write" || form === "write");
  const way = ways.find((candidate) => granted.includes(candidate as ToolName)) ?? "write";
  return granted.filter((name) => !isWay(name) || name === way || name === "write");
}

function isWay(name: ToolName): boolean {
  return (EDIT_FORMS as readonly string[]).includes(name);
}
