import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { DEPENDENCY, PIPELINE, PROJECT } from "./scenario.ts";

/** What all worlds of a proof are made from. */
export interface Ground {
  /** Everything of the proof is below it; whoever made it removes it. */
  readonly folder: string;
  /** The built ccp that is killed. */
  readonly binary: string;
  /** The repository that each world has a copy of. */
  readonly template: string;
  /** The pipeline's file. */
  readonly pipeline: string;
  /** The kill points, in one file. */
  readonly preload: string;
}

/** Prepares an empty folder. */
export function layGround(folder: string, binary: string): Ground {
  const [template, pipeline, preload] = ["template", "pipeline.yaml", "kill-points.mjs"].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  mkdirSync(template);
  git(template, "init", "--quiet", "--initial-branch=main");
  writeFiles(template, PROJECT);
  git(template, "add", "--all");
  git(template, "commit", "--quiet", "--message=start");
  writeFiles(template, DEPENDENCY);
  writeFileSync(pipeline, PIPELINE);
  const entry = fileURLToPath(new URL("kill-points/main.ts", import.meta.url));
  buildSync({ entryPoints: [entry], outfile: preload, bundle: true, platform: "node", format: "esm" });
  return { folder, binary, template, pipeline, preload };
}

/** Runs git as a user would and returns what it printed. */
export function git(cwd: string, ...args: readonly string[]): string {
  const identity = ["-c", "user.name=Test", "-c", "user.email=test@example.invalid", "-c", "commit.gpgsign=false"];
  return execFileSync("git", [...identity, ...args], { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

function writeFiles(root: string, files: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
}
