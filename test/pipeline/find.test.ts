import { describe, expect, test } from "vitest";
import { pipelineCandidates } from "../../src/pipeline/find.ts";

const PLACES = { repoRoot: "/repo", shippedDir: "/ccp/pipelines", cwd: "/repo/src" };

describe("the files that are tried for --pipeline", () => {
  test.each<[string, string | null, readonly string[]]>([
    [
      "nothing: the repository's default, then the shipped one",
      null,
      [
        "/repo/.ccp/pipelines/default.yaml",
        "/repo/.ccp/pipelines/default.yml",
        "/ccp/pipelines/plan-build-test-review.yaml",
      ],
    ],
    [
      "a name: the repository's, then the shipped one",
      "quick-fix",
      ["/repo/.ccp/pipelines/quick-fix.yaml", "/repo/.ccp/pipelines/quick-fix.yml", "/ccp/pipelines/quick-fix.yaml"],
    ],
    ["a path: that file, from where one stands", "../ci/fix.yaml", ["/repo/ci/fix.yaml"]],
    [
      "a name with an ending: the file where one stands, then the repository's, then the shipped one",
      "fix.yml",
      ["/repo/src/fix.yml", "/repo/.ccp/pipelines/fix.yml", "/ccp/pipelines/fix.yml"],
    ],
    ["a path without an ending, known by its folder", "./fix", ["/repo/src/fix"]],
    ["an absolute path", "/etc/fix.yaml", ["/etc/fix.yaml"]],
  ])("%s", (_, name, expected) => {
    expect(pipelineCandidates(name, PLACES)).toEqual(expected);
  });
});
