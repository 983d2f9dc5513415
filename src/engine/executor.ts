import type { CommandEnd } from "../core/event.ts";
import type { ToolCheck, ToolPlace, ToolResult, Tools, Workspace } from "../core/ports.ts";
import { redact } from "../core/redact.ts";
import { type DueChecks, runDueChecks } from "./edit-checks.ts";

/** A command for the worktree, and what its run is recorded as. */
export interface Execution {
  readonly commandId: string;
  readonly command: string;
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number | null;
  readonly signal: AbortSignal;
}

/** How a command ended, and what it wrote, secrets redacted. */
export interface Executed extends Omit<CommandEnd, "output" | "stdout"> {
  readonly stdout: string;
  /** Standard output, then what went to standard error. */
  readonly output: string;
}

/** Which tool call is carried out. */
export interface ToolExecution {
  readonly stepId: string;
  readonly toolCallId: string;
  readonly ready: Extract<ToolCheck, { type: "ready" }>;
  readonly place: ToolPlace;
  /** True: a job of the step may have changed files meanwhile, or have been ended by the call. */
  readonly isBesideJobs: boolean;
}

/** Carries out what has an effect. The world's is here; a replay has another, which takes outcomes from the record. */
export interface Executor {
  /**
   * True: the intent of a command may go on record with the end of the one before it. A replay decides anew between the
   * two: the run may have been cut off there.
   */
  readonly looksAhead: boolean;
  command(execution: Execution, workspace: Workspace): Promise<Executed>;
  tool(execution: ToolExecution): Promise<ToolResult>;
  /** What checks say of an edit that has just been made, for the model. Leaves the files as they are. */
  checkEdit(execution: ToolExecution, due: DueChecks): Promise<string>;
}

/** Runs commands and tools for real. */
export function liveExecutor(tools: Tools, secrets: readonly string[]): Executor {
  return {
    looksAhead: true,
    async command({ command, env, timeoutMs, signal }, workspace) {
      const { exitCode, endedBy, durationMs, ...wrote } = await workspace.run({ command, env, timeoutMs, signal });
      const stdout = redact(new TextDecoder().decode(wrote.stdout), secrets);
      const stderr = redact(new TextDecoder().decode(wrote.stderr), secrets);
      return { exitCode, endedBy, durationMs, stdout, output: joined(stdout, stderr) };
    },
    tool: ({ ready, place }) => tools.run(ready, place),
    checkEdit: async ({ place }, due) => redact(await runDueChecks(due, place), secrets),
  };
}

function joined(stdout: string, stderr: string): string {
  if (stderr === "") return stdout;
  return `${stdout}${stdout === "" || stdout.endsWith("\n") ? "" : "\n"}${stderr}`;
}
