import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CcpError } from "../../src/core/errors.ts";
import { openLibrary, readProvidersFile, readTranscript, readUserConfig } from "../../src/pipeline/library.ts";
import { writeFiles } from "../support/git.ts";
import { tempDir } from "../support/temp.ts";
import { CONTEXT, ROOT } from "./context.ts";

/** A repository's folder with these files, and a library that looks into it from `cwd`. */
function libraryOf(files: Readonly<Record<string, string>>, cwd = ".") {
  const repoRoot = tempDir("ccp-library");
  writeFiles(repoRoot, files);
  const library = openLibrary({ packageRoot: ROOT, repoRoot, cwd: join(repoRoot, cwd) });
  return { repoRoot, load: (name: string | null) => library.load(name, CONTEXT) };
}

const thrownBy = (action: () => unknown): CcpError => {
  try {
    action();
  } catch (thrown) {
    if (thrown instanceof CcpError) return thrown;
  }
  throw new Error("nothing was thrown");
};

describe("a pipeline", () => {
  test("of the repository wins over the shipped one of its name", () => {
    const { load, repoRoot } = libraryOf({ ".ccp/pipelines/quick-fix.yml": "pipeline: [{role: planner}]" });
    expect(load("quick-fix")).toMatchObject({ ok: true, path: join(repoRoot, ".ccp/pipelines/quick-fix.yml") });
  });

  test("that nobody named is the shipped one, where the repository has no default", () => {
    expect(libraryOf({}).load(null)).toMatchObject({ ok: true, pipeline: { name: "plan-build-test-review" } });
    const { load } = libraryOf({ ".ccp/pipelines/default.yaml": "name: ours\npipeline: [{role: doer}]" });
    expect(load(null)).toMatchObject({ ok: true, pipeline: { name: "ours" } });
  });

  test("that does not exist says where it was looked for", () => {
    const { load, repoRoot } = libraryOf({});
    const error = thrownBy(() => load("quick-fxi"));
    expect(error).toMatchObject({ code: "unknown_pipeline", exitCode: 2 });
    expect(error.hint).toContain(join(repoRoot, ".ccp/pipelines/quick-fxi.yaml"));
  });

  test("is named in complaints as one would name it from here", () => {
    const { load } = libraryOf({ "a/b/p.yaml": "pipeline: []", "p.yaml": "pipeline: []" }, "a");
    expect(load("b/p.yaml")).toMatchObject({ ok: false, diagnostics: [{ file: "b/p.yaml" }] });
  });
});

describe("a prompt file", () => {
  const pipeline = (prompt: string) => `roles: {doer: {prompt: ${prompt}}}\npipeline: [{role: doer}]\n`;

  test("is not one of git's own, which hold the passwords of remotes", () => {
    const { load } = libraryOf({ ".ccp/pipelines/x.yaml": pipeline("../../.git/config"), ".git/config": "[core]\n" });
    expect(load("x")).toMatchObject({ ok: false });
  });

  test("is read from the pipeline's folder", () => {
    const { load } = libraryOf({ ".ccp/pipelines/x.yaml": pipeline("../prompts/d.md"), ".ccp/prompts/d.md": "Hello." });
    expect(load("x")).toMatchObject({ ok: true, pipeline: { roles: { doer: { prompt: "Hello." } } } });
  });

  test("outside of the repository is not read, by no path and no link", () => {
    const outside = tempDir("ccp-outside");
    writeFiles(outside, { "secret.md": "secret" });
    const { load, repoRoot } = libraryOf({
      "absolute.yaml": pipeline(join(outside, "secret.md")),
      "link.yaml": pipeline("link.md"),
      "folder.yaml": pipeline("folder/secret.md"),
      "missing.yaml": pipeline("none.md"),
    });
    symlinkSync(join(outside, "secret.md"), join(repoRoot, "link.md"));
    symlinkSync(outside, join(repoRoot, "folder"));
    for (const name of ["absolute", "link", "folder", "missing"]) {
      expect(load(`./${name}.yaml`)).toMatchObject({
        ok: false,
        diagnostics: [{ message: expect.stringContaining("cannot be read") }],
      });
    }
  });
});

describe("a providers file", () => {
  test("that is not there is none", () => {
    expect(readProvidersFile(join(tempDir(), "providers.yaml"))).toBeNull();
  });

  test("that is there is read, and thrown back whole where it is wrong", () => {
    const folder = tempDir();
    writeFiles(folder, { "good.yaml": "trusted_hosts: [a.example]", "bad.yaml": "trusted: []\nproviders: []\n" });
    expect(readProvidersFile(join(folder, "good.yaml"))?.trustedHosts).toEqual(["a.example"]);
    const error = thrownBy(() => readProvidersFile(join(folder, "bad.yaml")));
    expect(error).toMatchObject({ code: "invalid_providers", exitCode: 4 });
    expect(error.message).toMatch(/bad\.yaml:1:1 .*\n.*bad\.yaml:2:12 /s);
  });
});

describe("the user's configuration", () => {
  test("that is not there decides nothing", () => {
    expect(readUserConfig(join(tempDir(), "config.yaml"))).toEqual({ budget: {} });
  });

  test("that is there is read, and thrown back whole where it is wrong", () => {
    const folder = tempDir();
    writeFiles(folder, { "good.yaml": "budget: {day: {usd: 20}}", "bad.yaml": "budgt: {}\nbudget: {day: 20}\n" });
    expect(readUserConfig(join(folder, "good.yaml"))).toEqual({ budget: { day: { maxCostNanos: 20e9 } } });
    const error = thrownBy(() => readUserConfig(join(folder, "bad.yaml")));
    expect(error).toMatchObject({ code: "invalid_config", exitCode: 4 });
    expect(error.message).toMatch(/bad\.yaml:1:1 .*\n.*bad\.yaml:2:15 /s);
  });
});

describe("a transcript", () => {
  test("is read as data", () => {
    const folder = tempDir();
    writeFiles(folder, { "t.yaml": "turns: [{role: doer, turn: 1}]" });
    expect(readTranscript(join(folder, "t.yaml"))).toEqual({ turns: [{ role: "doer", turn: 1 }] });
  });

  test.each([
    ["is not there", "none.yaml", "no_transcript"],
    ["is no YAML", "broken.yaml", "invalid_transcript"],
    ["is a folder", "folder", "unreadable"],
  ])("that %s starts nothing", (_, name, code) => {
    const folder = tempDir();
    writeFiles(folder, { "broken.yaml": "turns: [" });
    mkdirSync(join(folder, "folder"));
    expect(thrownBy(() => readTranscript(join(folder, name)))).toMatchObject({ code, exitCode: 2 });
  });
});
