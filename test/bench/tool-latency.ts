import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FINISH_SCHEMAS } from "../../src/core/contract.ts";
import { TOOL_NAMES } from "../../src/core/permission.ts";
import type { ToolPlace, ToolResult, Workspace } from "../../src/core/ports.ts";
import { withSeen } from "../../src/core/seen.ts";
import { NO_JOBS } from "../../src/core/step-jobs.ts";
import { NO_SERVERS } from "../../src/core/tool-servers.ts";
import { createTools } from "../../src/tools/tools.ts";
import { createFiles } from "../../src/workspace/files.ts";
import { inFolder } from "./folder.ts";
import { median } from "./median.ts";
import { ms, row, times } from "./rows.ts";

const FILES = 50_000;
const FILES_PER_FOLDER = 100;
const ROUNDS = 9;

/** Milliseconds of one call, arguments and rules checked, beside a program that does no more than that. Medians. */
export interface ToolFigures {
  readonly readMs: number;
  readonly catMs: number;
  readonly editMs: number;
  readonly sedMs: number;
  readonly grepMs: number;
  readonly rgMs: number;
}

/** On a tree of 50,000 files. */
export function measureTools(): Promise<ToolFigures> {
  return inFolder(async (root) => {
    layTree(root);
    const use = bench(root);
    const { rgPath } = await import("@vscode/ripgrep");
    const taken = { readMs: [], catMs: [], editMs: [], sedMs: [], grepMs: [], rgMs: [] } as Record<
      keyof ToolFigures,
      number[]
    >;
    for (let round = -1; round < ROUNDS; round++) {
      const note = async (name: keyof ToolFigures, work: () => unknown) => {
        const startedAt = performance.now();
        await work();
        if (round >= 0) taken[name].push(performance.now() - startedAt);
      };
      const path = "d0/f0.ts";
      await note("readMs", () => use("read", { path }));
      await note("catMs", () => execFileSync("cat", [join(root, path)]));
      const edits = [{ old: `number = ${round + 1};`, new: `number = ${round + 2};` }];
      await note("editMs", () => use("edit", { path, edits }));
      await note("sedMs", () => execFileSync("sed", ["-i", "s/name = x/name = x/", join(root, path)]));
      await note("grepMs", () => use("grep", { pattern: "needle_\\d+" }));
      await note("rgMs", () => execFileSync(rgPath, ["--sort=path", "-n", "needle_\\d+", root]));
    }
    const entries = Object.entries(taken).map(([name, values]) => [name, median(values)] as const);
    return Object.fromEntries(entries) as unknown as ToolFigures;
  });
}

/** The report's lines. */
export function toolLines({ readMs, catMs, editMs, sedMs, grepMs, rgMs }: ToolFigures): readonly string[] {
  return [
    `tools on a tree of ${FILES.toLocaleString("en")} files, median of ${ROUNDS}, taken in turns`,
    row("read", ms(readMs), `${times(readMs, catMs)} of cat (${ms(catMs)})`),
    row("edit, flushed", ms(editMs), `${times(editMs, sedMs)} of sed -i (${ms(sedMs)}), which flushes nothing`),
    row("grep", ms(grepMs), `${times(grepMs, rgMs)} of rg (${ms(rgMs)})`),
  ];
}

function layTree(root: string): void {
  for (let file = 0; file < FILES; file++) {
    const folder = join(root, `d${Math.floor(file / FILES_PER_FOLDER)}`);
    if (file % FILES_PER_FOLDER === 0) mkdirSync(folder);
    const needle = file % 5_000 === 0 ? `// needle_${file}\n` : "";
    writeFileSync(join(folder, `f${file}.ts`), `export const number = 0;\n${needle}export const name = x;\n`);
  }
}

/** The tools at work in a folder, for a conversation that remembers what it has seen. */
function bench(root: string) {
  const tools = createTools();
  const grant = { tools: TOOL_NAMES, permissions: [], finish: FINISH_SCHEMAS.doer };
  const workspace = { path: root, ...createFiles(root) } as unknown as Workspace;
  let seen = {};
  return async (name: string, args: unknown): Promise<ToolResult> => {
    const check = tools.check({ kind: "tool_call", id: "1", name, rawArguments: JSON.stringify(args) }, grant);
    if (check.type !== "ready") throw new Error(check.text);
    const session = { seen, trees: { base: "", now: "" } };
    const { signal } = new AbortController();
    const place: ToolPlace = { workspace, signal, servers: NO_SERVERS, jobs: NO_JOBS, session };
    const result = await tools.run(check, place);
    if (result.status !== "ok") throw new Error(result.text);
    seen = withSeen(seen, result.seen);
    return result;
  };
}
