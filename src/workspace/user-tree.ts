import type { Git } from "./git.ts";

/** The user's working tree, and the git to look at it with. */
export interface UserTree {
  readonly git: Git;
  readonly root: string;
  readonly commonDir: string;
}
