import { matchesPath } from "../core/glob.ts";
import type { EditCheck } from "../core/pipeline.ts";
import type { CommandResult, ToolPlace, ToolResult, Workspace } from "../core/ports.ts";
import { quoteData } from "../core/template.ts";
import { visibleText } from "../core/visible-text.ts";

/** Lines of a check that a model is shown, and characters of them: the first faults are the ones to mend. */
const MOST_LINES = 20;
const MOST_CHARACTERS = 4000;

/** The checks of a role that are for files which a call has just changed, and those files. */
export interface DueChecks {
  readonly checks: readonly EditCheck[];
  readonly paths: readonly string[];
}

/** Null: none is for what the call did. A glob without `/` matches names at any depth. */
export function dueChecks(checks: readonly EditCheck[], result: ToolResult): DueChecks | null {
  if (result.status !== "ok") return null;
  const paths = (result.seen ?? []).map(({ path }) => path);
  const isFor = ({ files }: EditCheck) =>
    paths.some((path) => matchesPath(files.includes("/") ? files : `**/${files}`, path));
  const due = checks.filter(isFor);
  return due.length === 0 ? null : { checks: due, paths };
}

/** Runs them one after the other and says what came of each. What they change of the files is undone: they only look. */
export async function runDueChecks(
  { checks, paths }: DueChecks,
  { workspace, signal }: Pick<ToolPlace, "workspace" | "signal">,
): Promise<string> {
  const before = await workspace.snapshot();
  const said: string[] = [];
  for (const check of checks) said.push(sentence(check, await run(check, { paths, workspace, signal })));
  if ((await workspace.snapshot()) !== before) await workspace.restore(before);
  return said.join("\n");
}

interface Place {
  readonly paths: readonly string[];
  readonly workspace: Workspace;
  readonly signal: AbortSignal;
}

function run({ command, timeoutMs }: EditCheck, { paths, workspace, signal }: Place): Promise<CommandResult> {
  return workspace.run({ command, env: { CCP_EDITED_FILES: paths.join("\n") }, timeoutMs, signal });
}

function sentence({ command, timeoutMs }: EditCheck, { exitCode, endedBy, stdout, stderr }: CommandResult): string {
  const check = `Check \`${command}\``;
  if (endedBy === "timeout") return `${check} took more than ${timeoutMs / 1000} s and was ended: it says nothing.`;
  if (endedBy === "abort") return `${check} was stopped: it says nothing.`;
  if (exitCode === 0) return `${check}: passed.`;
  const output = shortened([stderr, stdout].map((bytes) => new TextDecoder().decode(bytes)).join(""));
  return `${check} failed (exit code ${exitCode ?? "none"}):\n${quoteData("output", output)}`;
}

function shortened(output: string): string {
  const lines = visibleText(output.replaceAll("\r\n", "\n").trim()).text.split("\n");
  const shown = lines.slice(0, MOST_LINES).join("\n");
  const text = shown.length > MOST_CHARACTERS ? `${shown.slice(0, MOST_CHARACTERS)}…` : shown;
  return lines.length > MOST_LINES ? `${text}\n(${lines.length - MOST_LINES} more lines)` : text;
}
