import { spawnSync } from "node:child_process";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Json } from "../../src/core/json.ts";
import { parseYaml } from "../../src/pipeline/transcript-file.ts";
import { tempDir } from "../support/temp.ts";
import { ROOT } from "./context.ts";

interface Call {
  readonly tool: string;
  readonly args: {
    readonly path: string;
    readonly edits: readonly { readonly old: string; readonly new: string }[];
  };
}

test("the demo's project is red; the transcript's first try leaves it red, its second makes it green", () => {
  const project = tempDir("ccp-demo");
  cpSync(join(ROOT, "templates", "demo", "project"), project, { recursive: true });
  const seen = [isGreen(project)];
  for (const call of demoCalls()) {
    if (call.tool === "edit") edit(project, call);
    if (call.tool === "bash") seen.push(isGreen(project));
  }
  expect(seen).toEqual([false, false, true]);
});

function demoCalls(): readonly Call[] {
  const path = join(ROOT, "templates", "demo", "transcript.yaml");
  const parsed = parseYaml(readFileSync(path, "utf8"), path);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.diagnostics));
  const { turns } = parsed.json as unknown as { readonly turns: readonly { readonly calls: readonly Call[] }[] };
  expect((parsed.json as Record<string, Json>).turns).toHaveLength(9);
  return turns.flatMap((turn) => turn.calls);
}

/** Every edit fits exactly one place of its file. */
function edit(project: string, { args }: Call): void {
  const path = join(project, args.path);
  for (const { old, new: replacement } of args.edits) {
    const parts = readFileSync(path, "utf8").split(old);
    expect(parts).toHaveLength(2);
    writeFileSync(path, parts.join(replacement));
  }
}

function isGreen(project: string): boolean {
  return spawnSync(process.execPath, ["--test"], { cwd: project, env: { PATH: process.env.PATH } }).status === 0;
}
