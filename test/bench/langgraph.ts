import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** LangGraph.js, ready to run; or why it is not. */
export type LangGraph = { readonly version: string } | { readonly missing: string };

const FOLDER = fileURLToPath(new URL("langgraph/", import.meta.url));
const INSTALL_TIMEOUT_MS = 120_000;

/** Installs LangGraph.js into a folder of its own, once: users of ccp never get it. */
export function provideLangGraph(): LangGraph {
  // npm writes this file last.
  if (!existsSync(`${FOLDER}node_modules/.package-lock.json`)) {
    process.stderr.write("installing LangGraph.js into test/bench/langgraph, once\n");
    const install = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
    const { status, stderr, error } = spawnSync("npm", install, {
      cwd: FOLDER,
      encoding: "utf8",
      timeout: INSTALL_TIMEOUT_MS,
    });
    if (status !== 0) return { missing: reasonIn(stderr) ?? error?.message ?? `npm ci ended with ${status}` };
  }
  return { version: versionOf("@langchain/langgraph") };
}

/** The first line in which npm says in words what is wrong. */
function reasonIn(stderr: string | null): string | null {
  return stderr?.split("\n").find((line) => /^npm error (?!code|errno|syscall|address|port)/.test(line)) ?? null;
}

function versionOf(name: string): string {
  return JSON.parse(readFileSync(`${FOLDER}node_modules/${name}/package.json`, "utf8")).version as string;
}
