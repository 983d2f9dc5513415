import { TOOL_NAMES, type ToolName } from "../core/permission.ts";
import { didYouMean } from "../core/suggest.ts";

/** Names under which models have learnt our tools elsewhere, without case and separators. */
const ALIASES: Readonly<Record<ToolName, readonly string[]>> = {
  read: ["readfile", "view", "viewfile", "openfile", "cat"],
  ls: ["list", "listdir", "listdirectory", "listfiles", "dir"],
  glob: ["findfiles", "filesearch", "globsearch", "globfiles"],
  grep: ["search", "searchfiles", "searchtext", "grepsearch", "searchfilecontent", "ripgrep", "rg"],
  edit: ["strreplace", "strreplaceeditor", "editfile", "multiedit", "replace", "searchreplace"],
  apply_patch: ["patch", "applydiff", "applypatchtool"],
  write: ["writefile", "createfile", "create", "savefile"],
  bash: ["run", "shell", "sh", "exec", "execute", "executecommand", "runcommand", "runshellcommand", "terminal"],
  job_output: ["bashoutput", "taskoutput", "getoutput", "readoutput", "commandstatus", "checkjob"],
  job_kill: ["killbash", "killshell", "killjob", "taskstop", "stopjob"],
  diff: ["gitdiff", "showdiff", "changes"],
  todo: ["todowrite", "writetodos", "todos"],
  mcp_schema: ["toolsearch", "mcpdescribe"],
  mcp_call: ["mcp", "callmcptool"],
  finish: ["done", "complete", "submit", "finishtask", "completetask", "attemptcompletion"],
};

/**
 * The tool that a model means: its name in any case, or an alias, with a prefix (`functions.`, `default_api:`), empty
 * brackets or what has run into it of the model's own dialect (`read</parameter`, `read<|channel|>json`); null when unknown.
 */
export function resolveToolName(name: string): ToolName | null {
  const [bare = ""] = name.trim().split(/[<(]/, 1);
  const plain = plainName(bare.split(/[.:/]/).at(-1) ?? "");
  return TOOL_NAMES.find((tool) => plainName(tool) === plain || ALIASES[tool].includes(plain)) ?? null;
}

function plainName(name: string): string {
  return name.toLowerCase().replace(/[\s_-]+/g, "");
}

/** What a model is told that calls a tool which does not exist. */
export function unknownTool(name: string, tools: readonly string[]): string {
  const near = didYouMean(name, tools);
  const hint = near === null ? "" : ` Did you mean "${near}"?`;
  return `there is no tool ${JSON.stringify(name.slice(0, 80))}.${hint} You have: ${tools.join(", ")}.`;
}
