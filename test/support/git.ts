import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { tempDir } from "./temp.ts";

const IDENTITY = ["-c", "user.name=Test", "-c", "user.email=test@example.invalid", "-c", "commit.gpgsign=false"];

/** Runs git as a user would and returns what it printed. */
export function git(cwd: string, ...args: readonly string[]): string {
  return execFileSync("git", [...IDENTITY, ...args], { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

export function writeFiles(root: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
}

/** A repository with one commit of the given files. */
export function makeRepository(
  files: Readonly<Record<string, string | Uint8Array>> = { "README.md": "# Sample\n" },
): string {
  const root = tempDir("ccp-repo");
  git(root, "init", "--quiet", "--initial-branch=main");
  writeFiles(root, files);
  git(root, "add", "--all");
  git(root, "commit", "--quiet", "--message=start");
  return root;
}
