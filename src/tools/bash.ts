import type { Infer, JsonSchema } from "../core/json.ts";
import type { CommandResult, ToolResult } from "../core/ports.ts";
import { headAndTail, plainText } from "./text.ts";
import { done, failed, type Tool } from "./tool.ts";

const DEFAULT_TIMEOUT_MS = 120_000;
const LONGEST_TIMEOUT_MS = 600_000;
const MOST_OUTPUT_BYTES = 30 * 1024;

const PARAMETERS = {
  type: "object",
  additionalProperties: false,
  required: ["command"],
  properties: {
    command: { type: "string", minLength: 1, description: "For bash -c, in the repository's root." },
    timeout_ms: {
      type: "integer",
      minimum: 1,
      maximum: LONGEST_TIMEOUT_MS,
      description: `Default: ${DEFAULT_TIMEOUT_MS}.`,
    },
  },
} as const satisfies JsonSchema;

/** Runs a command. One that fails has still run: its exit code is the result. */
export const bash: Tool<Infer<typeof PARAMETERS>> = {
  name: "bash",
  description: `Runs a command with bash and waits for it. Each call starts afresh in the repository's root; nothing can be typed in, and what is left running is ended. Of more than ${MOST_OUTPUT_BYTES / 1024} KB of output you see the beginning and the end. Git history is not yours to change: no commit, checkout, reset and the like.`,
  parameters: PARAMETERS,
  subject: (args) => args.command,
  async run(args, { workspace, signal }) {
    const timeoutMs = args.timeout_ms ?? DEFAULT_TIMEOUT_MS;
    return resultOf(await workspace.run({ command: args.command, env: {}, timeoutMs, signal }), timeoutMs);
  },
};

function resultOf(end: CommandResult, timeoutMs: number): ToolResult {
  const output = outputOf(end);
  switch (end.endedBy) {
    case "timeout":
      return failed(
        `Not finished after ${timeoutMs} ms, so it was ended with everything it had started. Run less at once, or give a longer timeout_ms (at most ${LONGEST_TIMEOUT_MS}). What it wrote until then:\n${output}`,
        `timed out after ${timeoutMs / 1000} s`,
      );
    case "output-limit":
      return failed(
        `It wrote too much and was ended. Filter what it prints, or send it to a file and read that.\n${output}`,
        "wrote too much",
      );
    case "process-limit":
      return failed(
        `It had more processes than a command may have, so it was ended with all of them. Run fewer at once.\n${output}`,
        "too many processes",
      );
    case "disk-limit": {
      const text = `It took more of the disk than a command may, so it was ended, and the files that git sees are as they were before it. What it wrote elsewhere, or where git ignores it, is still there: remove that, and write less.\n${output}`;
      return { ...failed(text, "took too much of the disk"), undone: true };
    }
    case "abort":
      return failed(`It was stopped before it ended.\n${output}`, "stopped");
    case null:
      return done(`${exitOf(end)}\n${output}`, exitOf(end));
  }
}

function exitOf(end: CommandResult): string {
  return end.exitCode === null ? "ended by a signal" : `exit ${end.exitCode}`;
}

/** Both streams, the shorter one whole where that leaves the longer one half of the room. */
function outputOf(end: CommandResult): string {
  const stdout = plainText(new TextDecoder().decode(end.stdout)).trimEnd();
  const stderr = plainText(new TextDecoder().decode(end.stderr)).trimEnd();
  if (stdout === "" && stderr === "") return "(no output)";
  const half = MOST_OUTPUT_BYTES / 2;
  const room = (other: string) => MOST_OUTPUT_BYTES - Math.min(half, Buffer.byteLength(other));
  const parts = [headAndTail(stdout, room(stderr)), stderr && `stderr:\n${headAndTail(stderr, room(stdout))}`];
  return parts.filter((part) => part !== "").join("\n");
}
