import type { JsonSchema } from "../core/json.ts";
import type { ToolName } from "../core/permission.ts";
import type { ToolPlace, ToolResult } from "../core/ports.ts";
import { oneLine } from "./text.ts";

/** Something that a model may call. What it may do to the world is in `TOOL_EFFECTS` of core. */
export interface Tool<Arguments = unknown> {
  readonly name: ToolName;
  /** For the model: what it does, what it does not, its limits. */
  readonly description: string;
  readonly parameters: JsonSchema;
  /** What permission rules are matched against: the path of a file tool, the command of `bash`. */
  subject(args: Arguments): string;
  /** All of them, where one call has several: each has to pass. */
  subjects?(args: Arguments): readonly string[];
  /** One line for people, where the subject alone would say too little. */
  label?(args: Arguments): string;
  /** Contract: `args` are valid against `parameters`; what goes wrong is an `error` result. */
  run(args: Arguments, place: ToolPlace): Promise<ToolResult>;
}

/** The call did what it was asked to. */
export function done(text: string, summary: string): ToolResult {
  return { status: "ok", text, summary: oneLine(summary), finish: null };
}

/** It did not; `text` tells the model why, what is safe and what to do instead. */
export function failed(text: string, summary: string = text): ToolResult {
  return { status: "error", text, summary: oneLine(summary), finish: null };
}
