import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { git } from "../support/git.ts";
import { tempDir } from "../support/temp.ts";
import {
  bench,
  describe,
  type Entry,
  type Files,
  fill,
  footprint,
  look,
  started,
  treeOfDirectory,
} from "./git-support.ts";

/** Names that tools trip over, few enough that two trees often mean the same place differently. */
const NAMES = ["a", "b", "dir", "sp ace", "ünï☃", "new\nline", "-dash", 'quo"te', "back\\slash", "tab\t.x", ".hidden"];
const LINES = ["one", "two", "three\r", "tab\there", "ünï", "", "  indented", "\\ No newline at end of file"];

const text = fc
  .tuple(fc.array(fc.constantFrom(...LINES), { maxLength: 12 }), fc.boolean())
  .map(([lines, ended]) => Buffer.from(lines.join("\n") + (ended ? "\n" : "")));
const bytes = fc.oneof(
  { weight: 5, arbitrary: text },
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array)) },
  { weight: 1, arbitrary: fc.constant(Buffer.alloc(0)) },
);
const entry: fc.Arbitrary<Entry> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant("file" as const), bytes, executable: fc.boolean() }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("symlink" as const), target: fc.constantFrom("b", "../dir", "no where") }),
  },
);
const path = fc.array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 3 }).map((segments) => segments.join("/"));
const files = fc.array(fc.tuple(path, entry), { maxLength: 10 }).map(compatible);

/** The second tree keeps some of the first, moves some of it elsewhere, and has something of its own. */
const pair = fc
  .record({
    first: files,
    second: files,
    fate: fc.array(fc.constantFrom("keep", "drop", "move"), { minLength: 10, maxLength: 10 }),
    place: path,
  })
  .map(({ first, second, fate, place }) => {
    const inherited = Object.entries(first).flatMap(([name, value], index): [string, Entry][] => {
      if (fate[index] === "drop") return [];
      return [[fate[index] === "move" ? `${place}/moved ${index}` : name, value]];
    });
    return { first, second: compatible([...Object.entries(second), ...inherited]) };
  });

/** A path and a path below it cannot both be files: the first come stays. */
function compatible(entries: readonly (readonly [string, Entry])[]): Files {
  const chosen: Record<string, Entry> = {};
  for (const [name, value] of entries) {
    const isFree = Object.keys(chosen).every(
      (other) => other !== name && !other.startsWith(`${name}/`) && !name.startsWith(`${other}/`),
    );
    // A link to itself cannot become a directory by any patch: git asks what is behind it, and fails.
    const isLoop = value.kind === "symlink" && name.endsWith(value.target);
    if (isFree && !isLoop) chosen[name] = value;
  }
  return chosen;
}

it("a diff of two trees, applied by git to the first, gives the second; and restoring gives each back, bit for bit", async () => {
  const { workspace, root } = await started(await bench());
  const before = footprint(root);
  const elsewhere = tempDir("ccp-apply");
  const patchFile = join(tempDir("ccp-patch"), "Diff.patch");
  git(elsewhere, "init", "--quiet");

  await fc.assert(
    fc.asyncProperty(pair, async ({ first, second }) => {
      fill(workspace.path, first);
      const a = await workspace.snapshot();
      fill(workspace.path, second);
      const b = await workspace.snapshot();

      const patch = await workspace.diff(a, b);
      fill(elsewhere, first);
      expect(treeOfDirectory(elsewhere)).toBe(a);
      writeFileSync(patchFile, patch);
      if (patch.length > 0) execFileSync("git", ["apply", "--whitespace=nowarn", patchFile], { cwd: elsewhere });
      expect(look(elsewhere)).toEqual(describe(second));
      expect(treeOfDirectory(elsewhere)).toBe(b);

      await workspace.restore(a);
      expect(look(workspace.path)).toEqual(describe(first));
      expect(await workspace.snapshot()).toBe(a);
      await workspace.restore(b);
      expect(look(workspace.path)).toEqual(describe(second));
      expect(await workspace.snapshot()).toBe(b);
    }),
    { numRuns: 15 },
  );
  expect(footprint(root)).toEqual(before);
});
