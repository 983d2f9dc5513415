import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The project's own folder. */
export const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const BINARY = join(ROOT, "dist", "main.js");

/** A small repository and a home of its own, both gone at the end. */
export interface Sample {
  readonly root: string;
  readonly home: string;
  /** Runs the built ccp in the repository; `env` is added to a bare environment without any key. */
  ccp(argv: readonly string[], env?: Readonly<Record<string, string>>): Promise<Ended>;
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one smoke test: prints what it has shown, or what is wrong and ends with 1. */
export async function smoke(name: string, work: (sample: Sample) => Promise<string>): Promise<void> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), `ccp-${name}-`)));
  try {
    process.stdout.write(`${name} ok: ${await work(sampleIn(folder))}\n`);
  } catch (failure) {
    process.stderr.write(`${name} FAILED: ${failure instanceof Error ? failure.message : String(failure)}\n`);
    process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Throws with `claim` unless it holds. */
export function hold(claim: string, holds: boolean, seen = ""): void {
  if (!holds) throw new Error(`it does not hold that ${claim}${seen === "" ? "" : `\n${seen}`}`);
}

const FILES: Readonly<Record<string, string>> = {
  "package.json": `${JSON.stringify({ name: "sample", type: "module", scripts: { test: "node check.js" } })}\n`,
  "check.js": 'import { greet } from "./greet.js";\nif (greet("Ada") !== "Hello, Ada") process.exit(1);\n',
  "greet.js": "export const greet = (name) => `Hello, ${name}`;\n",
  "README.md": "# Sample\n\nGreets people.\n",
};

function sampleIn(folder: string): Sample {
  const [root, home] = [join(folder, "sample"), join(folder, "home")];
  for (const path of [root, home]) mkdirSync(path);
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(root, name), text);
  const identity = ["-c", "user.name=Smoke", "-c", "user.email=smoke@example.invalid"];
  for (const args of [
    ["init", "--quiet", "--initial-branch=main"],
    ["add", "--all"],
    ["commit", "--quiet", "-m=start"],
  ])
    execFileSync("git", [...identity, ...args], { cwd: root });
  const path = `${dirname(process.execPath)}:${process.env.PATH ?? ""}`;
  const bare = { PATH: path, HOME: home, XDG_STATE_HOME: join(home, "state"), LANG: "C.UTF-8", TERM: "dumb" };
  return { root, home, ccp: (argv, env = {}) => run(argv, root, { ...bare, ...env }) };
}

/** Not synchronous: a mock server in this process has to go on answering meanwhile. */
function run(argv: readonly string[], cwd: string, env: Readonly<Record<string, string>>): Promise<Ended> {
  const child = spawn(process.execPath, [BINARY, ...argv], { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  const written = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      written[name] += text;
    });
  }
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, ...written }));
  });
}
