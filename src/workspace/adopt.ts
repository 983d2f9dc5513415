import { CcpError, EXIT } from "../core/errors.ts";
import type { TreeHash } from "../core/event.ts";
import { objectFolders, runFolder } from "./layout.ts";
import { createStore, isObjectId, keepObjects, listObjects, mayHave } from "./objects.ts";
import { type PlaceSpec, readBase } from "./place.ts";

/** How often all who may have a tree are asked, where one of them goes while it is being copied from. */
const MOST_LOOKS = 3;

/**
 * Brings the objects of a recorded tree into a run's own store, from wherever ccp has them in this repository, so that
 * the tree depends on nothing that a `git gc` or the removal of another run could take away. Throws `tree_missing`.
 */
export async function adoptTree(spec: PlaceSpec, tree: TreeHash): Promise<void> {
  const base = await readBase(runFolder(spec.commonDir, spec.rid));
  const brought = isObjectId(tree) ? await bringTree(spec, tree, base?.commit ?? null) : "missing";
  if (brought === "missing") throw treeIsMissing(tree);
}

/** What came of bringing a tree: it was there already, it was copied, or nobody has it. */
export type Brought = "there" | "copied" | "missing";

/**
 * The same, without the error. What the commit `except` has stays in the user's repository: the run's branch holds it
 * there. Null: everything is brought.
 */
export async function bringTree(spec: PlaceSpec, tree: TreeHash, except: string | null): Promise<Brought> {
  const { git, commonDir, rid } = spec;
  const into = runFolder(commonDir, rid).objects;
  const wanted = { commonDir, trees: [tree], except: except === null ? [] : [except] };
  await createStore(into);
  for (let look = 1; ; look++) {
    let failure: CcpError | null = null;
    // The first to be asked borrows from the user's repository, and so knows what is there, too.
    const others = (await objectFolders(commonDir)).filter((objects) => objects !== into && mayHave(objects, tree));
    for (const from of [into, ...others]) {
      try {
        const ids = await listObjects(git, { ...wanted, objects: from });
        if (ids !== null) return (await keepObjects(git, { commonDir, from, into, ids })) ? "copied" : "there";
      } catch (error) {
        // A waiting base goes as soon as a run has its copy; another run may be discarded at any time.
        if (!(error instanceof CcpError) || error.code !== "git_failed") throw error;
        failure = error;
      }
    }
    if (failure === null) return "missing";
    if (look === MOST_LOOKS) throw failure;
  }
}

/** Nobody in this repository has a tree that is on record. */
export function treeIsMissing(tree: string): CcpError {
  return new CcpError("tree_missing", EXIT.usage, `the files of ${tree} are on record, but not in this repository`, {
    hint: "the run that had them was discarded or removed: import it again, or start from a run that is still there",
  });
}
