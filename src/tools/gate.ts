import { EFFECTS, JOB_TOOLS, type PermissionRule, type PermissionVerdict, permit } from "../core/permission.ts";
import type { ToolGrant } from "../core/ports.ts";
import { simpleCommands } from "./shell.ts";

const HISTORY_REASON =
  "the branch, the index and the history belong to the run, which records your work itself. To undo a change, edit it back; git show HEAD:PATH prints the old text";

/** Commands of git that change what is not the agent's to change; arguments may follow. */
const GIT_WRITERS = [
  ..."commit push pull checkout switch reset rebase merge stash clean worktree tag".split(" "),
  ..."am cherry-pick revert update-ref symbolic-ref filter-branch reflog config submodule".split(" "),
  ..."branch -d,branch -D,branch -m,branch -M,branch -f,branch --delete,branch --move,branch --force".split(","),
];

/**
 * Denials that hold for every role, as data. Those for `bash` are advice that a model can follow, not a boundary; those
 * for files are kept by the workspace as well.
 */
const BUILTIN_RULES: readonly PermissionRule[] = [
  ...GIT_WRITERS.flatMap((command): PermissionRule[] => [
    { tool: "bash", match: `git ${command}`, effect: "deny", reason: HISTORY_REASON },
    { tool: "bash", match: `git ${command} *`, effect: "deny", reason: HISTORY_REASON },
  ]),
  ...["edit", "write"].flatMap((tool): PermissionRule[] => [
    { tool, match: "**/.git", effect: "deny", reason: ".git is not part of the work" },
    { tool, match: "**/.git/**", effect: "deny", reason: ".git is not part of the work" },
  ]),
];

/** May this call proceed? Of all forms in which its subject can be read, and all rules, the strictest decides. */
export function gate(grant: ToolGrant, tool: string, subject: string): PermissionVerdict {
  const rules = [...BUILTIN_RULES, ...grant.permissions];
  const tools = [...grant.tools, ...(grant.tools.includes("bash") ? JOB_TOOLS : []), "finish"];
  const verdicts = formsOf(tool, subject).map((form) => permit(rules, tools, { tool, subject: form }));
  return verdicts.reduce((a, b) => (EFFECTS.indexOf(b.effect) > EFFECTS.indexOf(a.effect) ? b : a));
}

/** True for a tool that is denied whatever it is called with: such a tool is not shown to the model. */
export function isDeniedOutright(grant: ToolGrant, tool: string): boolean {
  const applies = (rule: PermissionRule) => rule.tool === "*" || rule.tool === tool;
  return grant.permissions.some((rule) => rule.effect === "deny" && rule.match === undefined && applies(rule));
}

/** What the model is told; with nobody there to ask, a question is a refusal. */
export function denialText(tool: string, verdict: PermissionVerdict): string {
  const why = verdict.reason ?? (verdict.effect === "ask" ? "a rule wants a person's consent" : "a rule forbids it");
  const asked = verdict.effect === "ask" ? " Nobody is here to be asked." : "";
  return `Denied: ${tool} was not run: ${why}.${asked} Go on without it.`;
}

function formsOf(tool: string, subject: string): readonly string[] {
  if (tool === "bash") return [subject, subject.trim(), ...simpleCommands(subject)];
  return pathForms(subject);
}

/**
 * A path without `.` and doubled slashes. The root of the worktree is not known here, so of an absolute path every end
 * is matched: one of them is the path from the root.
 */
function pathForms(path: string): readonly string[] {
  const segments = path.split("/").filter((segment) => segment !== "" && segment !== ".");
  const fromRoot = segments.join("/") || ".";
  if (!path.startsWith("/")) return [fromRoot];
  return [path, fromRoot, ...segments.map((_, index) => segments.slice(index).join("/"))];
}
