import type { Infer, JsonSchema } from "../core/json.ts";
import { renderTodos } from "../core/todos.ts";
import { done, type Tool } from "./tool.ts";

const PARAMETERS = {
  type: "object",
  additionalProperties: false,
  required: ["items"],
  properties: {
    items: {
      type: "array",
      maxItems: 100,
      description: "The whole list, in order; it replaces the one before.",
      items: {
        type: "object",
        additionalProperties: false,
        required: ["text", "status"],
        properties: {
          text: { type: "string", minLength: 1, maxLength: 500, description: "What is to be done." },
          status: { type: "string", enum: ["pending", "in_progress", "done"] },
        },
      },
    },
  },
} as const satisfies JsonSchema;

type Arguments = Infer<typeof PARAMETERS>;

/** Lets a model keep its list of work in view: the conversation is its only memory. */
export const todo: Tool<Arguments> = {
  name: "todo",
  description: "Keeps your list of work in view. Send the whole list each time; nothing else happens.",
  parameters: PARAMETERS,
  subject: progress,
  run: async (args) => done(renderTodos(args.items), progress(args)),
};

function progress(args: Arguments): string {
  return `${args.items.filter((item) => item.status === "done").length} of ${args.items.length} done`;
}
