import { isOfMachine, messageOf } from "../core/errors.ts";
import type { ToolName } from "../core/permission.ts";
import type { Tools } from "../core/ports.ts";
import { bash } from "./bash.ts";
import { type CheckContext, checkCall, grantedTools, parametersOf } from "./check.ts";
import { edit } from "./edit.ts";
import { finish } from "./finish.ts";
import { glob } from "./glob.ts";
import { grep } from "./grep.ts";
import { ls } from "./ls.ts";
import { mcpCall } from "./mcp-call.ts";
import { mcpSchema } from "./mcp-schema.ts";
import { read } from "./read.ts";
import { createSchemaCheck } from "./schema-check.ts";
import { todo } from "./todo.ts";
import { failed, type Tool } from "./tool.ts";
import { write } from "./write.ts";

const ALL: readonly Tool[] = [read, ls, glob, grep, edit, write, bash, todo, mcpSchema, mcpCall, finish];

/** The tools of the built-in agent. Stateless: one of them serves every run. */
export function createTools(): Tools {
  const tools = new Map<ToolName, Tool>(ALL.map((tool) => [tool.name, tool]));
  const context: CheckContext = { tools, schemaCheck: createSchemaCheck() };
  return {
    specs: (grant) =>
      grantedTools(grant).flatMap((name) => {
        const tool = tools.get(name);
        return tool ? [{ name, description: tool.description, parameters: parametersOf(tool, grant) }] : [];
      }),
    check: (call, grant) => checkCall(context, call, grant),
    async run(ready, place) {
      const tool = ALL.find(({ name }) => name === ready.tool);
      if (tool === undefined) return failed(`There is no tool "${ready.tool}".`);
      if (place.signal.aborted) return failed("It was stopped before it began; nothing was done.", "stopped");
      try {
        return await tool.run(ready.arguments, place);
      } catch (error) {
        // A disk or a sandbox that fails is no fault of the call's: the drive stops, and the call counts as never made.
        if (isOfMachine(error)) throw error;
        return failed(`${ready.tool} could not be carried out: ${messageOf(error)}`);
      }
    },
  };
}
