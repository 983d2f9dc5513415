import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { Figures } from "../prove/disk-report.ts";
import { ROOT } from "../support/cli.ts";

/** Always the same here, so that a failure is the fault of what was changed. `npm run prove:disk` draws a new one. */
const SEED = Number(process.env.CCP_DISK_SEED ?? 199_719);
/** Of each kind, besides those that a kind remembers. `npm run prove:disk` goes through all. */
const CASES = 3;

describe(`a sample of the disk proof (seed ${SEED}, ${CASES} cases each)`, () => {
  let proven: readonly Figures[] = [];
  beforeAll(async () => {
    proven = await prove();
  }, 300_000);

  test.for([
    ["full", "a full disk stops a run with a word, and the run goes on once there is room"],
    ["read-only", "so does a disk that becomes read-only"],
    ["syscalls", "so does an error at any write, flush or name of ccp's own"],
    ["failing", "so does an error at any of them of ccp's or git's"],
    ["torn", "a torn end of the journal is passed over, and a damaged page is named and left alone"],
    ["power", "what a power cut leaves is enough to go on, and nothing is paid twice"],
  ] as const)("%s: %s", ([name], { skip }) => {
    const figures = proven.find(({ kind }) => kind === name);
    if (figures?.skipped) skip(figures.skipped);
    expect(figures).toMatchObject({ violations: [] });
    expect(figures?.cases).toBeGreaterThanOrEqual(CASES);
  });
});

async function prove(): Promise<readonly Figures[]> {
  const folder = mkdtempSync(join(tmpdir(), "ccp-proof-"));
  try {
    const out = join(folder, "disk.json");
    const script = join(ROOT, "test", "prove", "disk.ts");
    const flags = ["--cases", String(CASES), "--seed", String(SEED), "--out", out];
    await once(spawn(process.execPath, [script, ...flags], { stdio: "inherit" }), "close");
    return (JSON.parse(readFileSync(out, "utf8")) as { readonly kinds: readonly Figures[] }).kinds;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
