import { join, resolve } from "node:path";

/** Where pipelines may be. All absolute. */
export interface PipelinePlaces {
  /** Root of the user's working tree. */
  readonly repoRoot: string;
  /** The folder of the pipelines that ccp ships. */
  readonly shippedDir: string;
  /** What a path is relative to. */
  readonly cwd: string;
}

/** The shipped pipeline that runs where nothing is named and the repository has no default of its own. */
const FALLBACK_PIPELINE = "plan-build-test-review";

/**
 * Files to try for what stands after `--pipeline`, best first: a path is itself; a name is looked for in the
 * repository, then among the shipped ones; a name with an ending may be either; null is the repository's default, then
 * the shipped one.
 */
export function pipelineCandidates(nameOrPath: string | null, places: PipelinePlaces): readonly string[] {
  if (nameOrPath === null) {
    return [...ofRepository("default", places), join(places.shippedDir, `${FALLBACK_PIPELINE}.yaml`)];
  }
  if (/[/\\]/.test(nameOrPath)) return [resolve(places.cwd, nameOrPath)];
  const { repoRoot, shippedDir, cwd } = places;
  if (/\.ya?ml$/.test(nameOrPath)) {
    return [resolve(cwd, nameOrPath), join(repoRoot, ".ccp", "pipelines", nameOrPath), join(shippedDir, nameOrPath)];
  }
  return [...ofRepository(nameOrPath, places), join(shippedDir, `${nameOrPath}.yaml`)];
}

function ofRepository(name: string, { repoRoot }: PipelinePlaces): readonly string[] {
  return ["yaml", "yml"].map((extension) => join(repoRoot, ".ccp", "pipelines", `${name}.${extension}`));
}
