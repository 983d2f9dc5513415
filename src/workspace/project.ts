import type { ProjectFacts } from "../core/ports.ts";
import { nodeFacts } from "./project-node.ts";
import { pythonFacts } from "./project-python.ts";
import { type Facts, readTop, type Top } from "./project-top.ts";

/** Reads how a project is tested and what a worktree of it needs. The first that names a test command wins; every kind adds what it needs. */
export async function projectFacts(root: string): Promise<ProjectFacts> {
  const top = await readTop(root);
  const kinds = [nodeFacts, pythonFacts, makeFacts, cargoFacts, goFacts, bundlerFacts, composerFacts];
  const found = (await Promise.all(kinds.map((kind) => kind(top)))).filter((facts) => facts !== null);
  const tested = found.find((facts) => facts.testCommand !== null);
  return {
    testCommand: tested?.testCommand ?? null,
    testCommandSource: tested?.testCommandSource ?? null,
    copy: [...new Set(found.flatMap((facts) => facts.copy))],
    setup: found.find((facts) => facts.setup !== null)?.setup ?? null,
  };
}

const NOTHING: ProjectFacts = { testCommand: null, testCommandSource: null, copy: [], setup: null };

async function makeFacts(top: Top): Promise<Facts> {
  const source = ["GNUmakefile", "makefile", "Makefile"].find((name) => top.names.has(name));
  if (source === undefined || !/^test[ \t]*::?(?!=)/m.test(await top.read(source))) return null;
  return { ...NOTHING, testCommand: "make test", testCommandSource: source };
}

async function cargoFacts(top: Top): Promise<Facts> {
  if (!top.names.has("Cargo.toml")) return null;
  return { ...NOTHING, testCommand: "cargo test", testCommandSource: "Cargo.toml" };
}

async function goFacts(top: Top): Promise<Facts> {
  if (!top.names.has("go.mod")) return null;
  return { ...NOTHING, testCommand: "go test ./...", testCommandSource: "go.mod" };
}

async function bundlerFacts(top: Top): Promise<Facts> {
  return top.names.has("Gemfile") ? { ...NOTHING, copy: ["vendor/bundle", ".bundle"] } : null;
}

async function composerFacts(top: Top): Promise<Facts> {
  return top.names.has("composer.json") ? { ...NOTHING, copy: ["vendor"] } : null;
}
