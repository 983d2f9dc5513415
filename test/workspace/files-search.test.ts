import { existsSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createFiles } from "../../src/workspace/files.ts";
import { createSearcher } from "../../src/workspace/searcher.ts";
import { writeFiles } from "../support/git.ts";
import { tempDir } from "../support/temp.ts";

const TREE = {
  ".gitignore": "*.log\nbuild/\n",
  ".config/hidden.ts": "export const hidden = 1;\n",
  ".git/HEAD": "needle\n",
  "README.md": "A needle in Needle Street.\r\n",
  "build/out.ts": "needle\n",
  "src/a.ts": "one\nneedle two\n",
  "src/lib/b.ts": "needle\n",
  "src/lib/-dash.txt": "--needle\n",
  "src/new\nline.txt": "needle\n",
  "src/noise.log": "needle\n",
  "src/picture.png": Uint8Array.from([110, 101, 101, 100, 108, 101, 10, 0, 1, 2]),
};

const SEARCHERS = [
  ["ripgrep", createSearcher()],
  ["git, where ripgrep's program is not installed", createSearcher({ ripgrepPath: async () => "/nowhere/rg" })],
] as const;

describe.each(SEARCHERS)("by %s", (_, searcher) => {
  function filesOf(tree: Record<string, string | Uint8Array>) {
    const root = tempDir("ccp-search");
    writeFiles(root, tree);
    symlinkSync("src/a.ts", join(root, "link.ts"));
    return createFiles(root, searcher);
  }

  describe("glob", () => {
    test.each([
      ["*.ts", ".", [".config/hidden.ts", "src/a.ts", "src/lib/b.ts"]],
      ["**/*.ts", "src", ["src/a.ts", "src/lib/b.ts"]],
      ["src/*.ts", ".", ["src/a.ts"]],
      ["./src/*.ts", ".", ["src/a.ts"]],
      ["src/**/*.ts", "src", ["src/a.ts", "src/lib/b.ts"]],
      ["lib/*", "src", ["src/lib/-dash.txt", "src/lib/b.ts"]],
      ["src/lib/", ".", ["src/lib/-dash.txt", "src/lib/b.ts"]],
      ["*.{md,png}", ".", ["README.md", "src/picture.png"]],
      ["-dash*", "src/lib", ["src/lib/-dash.txt"]],
      ["*line.txt", ".", ["src/new\nline.txt"]],
      ["*.log", ".", []],
      ["HEAD", ".", []],
      ["a.ts", "src/a.ts", ["src/a.ts"]],
    ])("%j below %j", async (pattern, path, expected) => {
      expect(await filesOf(TREE).glob(pattern, path)).toEqual({ ok: true, value: expected });
    });

    test("a place that is not there is refused", async () => {
      expect(await filesOf(TREE).glob("*", "nowhere")).toEqual({ ok: false, reason: '"nowhere" does not exist' });
    });
  });

  describe("grep", () => {
    const ask = { pattern: "needle", path: ".", glob: null, ignoreCase: false, maxMatches: 100 };

    test("matching lines come in the order of their paths; ignored and binary files and .git do not", async () => {
      expect(await filesOf(TREE).grep(ask)).toEqual({
        ok: true,
        value: [
          { path: "README.md", line: 1, text: "A needle in Needle Street." },
          { path: "src/a.ts", line: 2, text: "needle two" },
          { path: "src/lib/-dash.txt", line: 1, text: "--needle" },
          { path: "src/lib/b.ts", line: 1, text: "needle" },
          { path: "src/new\nline.txt", line: 1, text: "needle" },
        ],
      });
    });

    test("a pattern that begins with a dash is a pattern", async () => {
      const found = await filesOf(TREE).grep({ ...ask, pattern: "--needle" });
      expect(found).toEqual({ ok: true, value: [{ path: "src/lib/-dash.txt", line: 1, text: "--needle" }] });
    });

    test("case, place and file names narrow it down", async () => {
      const files = filesOf(TREE);
      const paths = async (changes: Partial<Parameters<typeof files.grep>[0]>) => {
        const found = await files.grep({ ...ask, ...changes });
        return found.ok ? found.value.map((match) => match.path) : found.reason;
      };
      expect(await paths({ pattern: "NEEDLE" })).toEqual([]);
      expect(await paths({ pattern: "NEEDLE", ignoreCase: true, path: "src/lib" })).toHaveLength(2);
      expect(await paths({ glob: "*.ts" })).toEqual(["src/a.ts", "src/lib/b.ts"]);
      expect(await paths({ glob: "*.log" })).toEqual([]);
      expect(await paths({ path: "src/a.ts" })).toEqual(["src/a.ts"]);
      expect(await paths({ path: "src/picture.png" })).toEqual([]);
      expect(await paths({ pattern: "needle(?= two)" })).toEqual(["src/a.ts"]);
      expect(await paths({ pattern: "needle [^\\n]wo" })).toEqual(["src/a.ts"]);
      expect(await paths({ pattern: "C:\\\\name" })).toEqual([]);
    });

    test("it stops at the number of matches that was asked for", async () => {
      const files = filesOf({ "many.txt": "match\n".repeat(200_000), "more.txt": "match\n" });
      const found = await files.grep({ ...ask, pattern: "match", maxMatches: 3 });
      expect(found.ok && found.value.map((match) => match.line)).toEqual([1, 2, 3]);
    });

    test("of a very long line the beginning is shown", async () => {
      const files = filesOf({ "min.js": `start${"x".repeat(1_000_000)}needle\n` });
      const found = await files.grep(ask);
      expect(found.ok && found.value[0]?.text.length).toBeLessThan(600);
      expect(found.ok && found.value[0]?.text).toMatch(/^startx/);
    });

    test.each([
      ["(", /unclosed group|missing closing parenthesis/],
      ["[z-a]", /invalid character class range|range out of order/],
      ["a\nb", /cannot span lines/],
      ["a\\nb", /cannot span lines/],
    ])("the invalid pattern %j is refused with its reason", async (pattern, reason) => {
      const found = await filesOf(TREE).grep({ ...ask, pattern });
      expect(found).toMatchObject({ ok: false, reason: expect.stringMatching(reason) });
      expect(found.ok || found.reason.includes("\n")).toBe(false);
    });

    test("names from the tree reach the search as names, never as options", async () => {
      const root = tempDir("ccp-search");
      writeFiles(root, { "--files/a.txt": "needle\n", "-e": "needle\n" });
      const files = createFiles(root, searcher);
      expect(await files.grep({ ...ask, path: "--files" })).toMatchObject({
        ok: true,
        value: [{ path: "--files/a.txt" }],
      });
      expect(await files.grep({ ...ask, path: join(root, "-e") })).toMatchObject({ ok: true, value: [{ path: "-e" }] });
    });
  });
});

test("git opens no repository: what stands in the place of .git decides nothing", async () => {
  const root = tempDir("ccp-search");
  writeFiles(root, { "a.txt": "needle\n", "fake/HEAD": "ref: refs/heads/x\n", "fake/config": "" });
  const config = `[core]\n\trepositoryformatversion = 0\n\tworktree = /etc\n\tfsmonitor = touch ${root}/started\n`;
  writeFiles(root, {
    "fake/config": config,
    "fake/objects/x": "",
    "fake/refs/x": "",
    ".git": `gitdir: ${root}/fake\n`,
  });
  const files = createFiles(root, createSearcher({ ripgrepPath: async () => "/nowhere/rg" }));
  const ask = { pattern: "needle", path: ".", glob: null, ignoreCase: false, maxMatches: 9 };
  expect(await files.grep(ask)).toMatchObject({ ok: true, value: [{ path: "a.txt" }] });
  expect(existsSync(join(root, "started"))).toBe(false);
});
