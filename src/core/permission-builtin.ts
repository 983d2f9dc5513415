import { JOB_TOOLS, type PermissionRule } from "./permission.ts";
import type { Policy } from "./permission-decision.ts";

const HISTORY_REASON =
  "the branch, the index and the history belong to the run, which records your work itself. To undo a change, edit it back; git show HEAD:PATH prints the old text";

const OTHER_RUNS_REASON = "a run starts no other run, and decides over none: what it may do would not hold there";

/** Commands of ccp that start, drive or change runs. */
const CCP_WRITERS = "run,resume,rerun,fork,rewind,apply,discard,import,gc,demo,init";

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
export const BUILTIN_RULES: readonly PermissionRule[] = [
  ...GIT_WRITERS.map(
    (command): PermissionRule => ({ tool: "bash", match: `git ${command} *`, effect: "deny", reason: HISTORY_REASON }),
  ),
  { tool: "bash", match: `ccp {${CCP_WRITERS}} *`, effect: "deny", reason: OTHER_RUNS_REASON },
  ...["edit", "write"].flatMap((tool): PermissionRule[] => [
    { tool, match: "**/.git", effect: "deny", reason: ".git is not part of the work" },
    { tool, match: "**/.git/**", effect: "deny", reason: ".git is not part of the work" },
  ]),
];

/** What a role is held to: the rules of every role and its own, over the tools that it has; it may always finish. */
export function policyOf(role: {
  readonly tools: readonly string[];
  readonly permissions: readonly PermissionRule[];
}): Policy {
  const jobTools = role.tools.includes("bash") ? JOB_TOOLS : [];
  return { builtin: BUILTIN_RULES, rules: role.permissions, tools: [...role.tools, ...jobTools, "finish"] };
}
