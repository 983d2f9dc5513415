import { isOfMachine, messageOf } from "../core/errors.ts";
import type { ToolName } from "../core/permission.ts";
import type { ToolResult, Tools } from "../core/ports.ts";
import { visibleText } from "../core/visible-text.ts";
import { plural } from "../core/words.ts";
import { applyPatch } from "./apply-patch.ts";
import { type BashSettings, createBash } from "./bash.ts";
import { type CheckContext, checkCall, checkPlaces, grantedTools, parametersOf } from "./check.ts";
import { diff } from "./diff.ts";
import { edit } from "./edit.ts";
import { finish } from "./finish.ts";
import { glob } from "./glob.ts";
import { grep } from "./grep.ts";
import { jobKill } from "./job-kill.ts";
import { jobOutput } from "./job-output.ts";
import { ls } from "./ls.ts";
import { mcpCall } from "./mcp-call.ts";
import { mcpSchema } from "./mcp-schema.ts";
import { read } from "./read.ts";
import { createSchemaCheck } from "./schema-check.ts";
import { suitableTools } from "./suitable.ts";
import { todo } from "./todo.ts";
import { failed, type Tool } from "./tool.ts";
import { write } from "./write.ts";

const ALL: readonly Tool[] = [
  ...[read, ls, glob, grep, edit, applyPatch, write, jobOutput, jobKill, diff, todo],
  ...[mcpSchema, mcpCall, finish],
] as readonly Tool[];

/**
 * The tools of the built-in agent. Stateless: one of them serves every run. What they say of themselves knows no setting,
 * so that a replay asks the same.
 */
export function createTools(settings: BashSettings = { backgroundAfterMs: 60_000 }): Tools {
  const tools = new Map<ToolName, Tool>([...ALL, createBash(settings)].map((tool) => [tool.name, tool]));
  const context: CheckContext = { tools, schemaCheck: createSchemaCheck() };
  return {
    specs: (grant, model) =>
      suitableTools(grantedTools(grant), model?.edits).flatMap((name) => {
        const tool = tools.get(name);
        return tool ? [{ name, description: tool.description, parameters: parametersOf(tool, grant) }] : [];
      }),
    check: (call, grant) => checkCall(context, call, grant),
    checkPlaces,
    async run(ready, place) {
      const tool = tools.get(ready.tool as ToolName);
      if (tool === undefined) return failed(`There is no tool "${ready.tool}".`);
      if (place.signal.aborted) return failed("It was stopped before it began; nothing was done.", "stopped");
      try {
        return inPlainSight(await tool.run(ready.arguments, place));
      } catch (error) {
        // A disk or a sandbox that fails is no fault of the call's: the drive stops, and the call counts as never made.
        if (isOfMachine(error)) throw error;
        return failed(`${ready.tool} could not be carried out: ${messageOf(error)}`);
      }
    },
  };
}

/** What a file or a command hides from the eye, a model does not get to read either: it gets marks, and a word about them. */
function inPlainSight(result: ToolResult): ToolResult {
  const { text, marks } = visibleText(result.text);
  if (marks === 0) return result;
  const notice = `(${plural(marks, "character")} that cannot be seen ${marks === 1 ? "is" : "are"} shown as a mark such as ⟨U+200B⟩)`;
  return { ...result, text: `${text}\n${notice}` };
}
