import { expect, test } from "vitest";
import { ccp } from "../support/cli.ts";
import { makeRepository } from "../support/git.ts";
import { SANDBOX } from "../support/sandbox.ts";
import { tempDir } from "../support/temp.ts";

interface Finding {
  readonly name: string;
  readonly state: string;
  readonly detail: string;
}

async function findings(cwd: string, env: Readonly<Record<string, string>> = {}) {
  const { code, stdout } = await ccp(["doctor", "--json"], { cwd, env });
  const found: readonly Finding[] = JSON.parse(stdout).findings;
  return { code, of: (name: string) => found.find((finding) => finding.name === name) };
}

test("doctor names git, the repository, the tests, the sandbox, the providers and the disk", async () => {
  const { code, of } = await findings(makeRepository({ "go.mod": "module x\n" }), { OLLAMA_HOST: "127.0.0.1:9" });
  expect(code).toBe(0);
  expect(of("git")).toMatchObject({ state: "ok", detail: expect.stringMatching(/^\d+\.\d+/) });
  expect(of("project")?.detail).toContain("go test");
  const sandbox =
    SANDBOX === "none" ? { state: "warning", detail: /not confined/ } : { state: "ok", detail: /bubblewrap/ };
  expect(of("sandbox")).toMatchObject({ state: sandbox.state, detail: expect.stringMatching(sandbox.detail) });
  expect(of("provider anthropic")?.detail).toContain("ANTHROPIC_API_KEY");
  expect(of("provider ollama")?.detail).toContain("not reachable");
  expect(of("disk")).toBeDefined();
});

test("doctor goes on where something is missing, and says that it is", async () => {
  const outside = await findings(tempDir());
  expect(outside.code).toBe(1);
  expect(outside.of("git")?.state).toBe("ok");
  expect(outside.of("repository")?.state).toBe("problem");
  const withoutGit = await findings(makeRepository(), { PATH: tempDir() });
  expect(withoutGit.of("git")).toMatchObject({ state: "problem", detail: expect.stringContaining("git") });
  expect(withoutGit.of("disk")).toBeDefined();
});
