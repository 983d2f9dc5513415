import { CONTRACT_FILES, workspaceContract } from "../contract/workspace.ts";
import { bench, RID, started } from "./git-support.ts";

workspaceContract("a git worktree", async () => {
  const { workspace, base, root } = await started(await bench(CONTRACT_FILES));
  return { workspace, base, checkout: root, branch: `ccp/${RID}` };
});
