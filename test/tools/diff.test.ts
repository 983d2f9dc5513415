import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { NO_SERVERS } from "../../src/core/tool-servers.ts";
import { createTools } from "../../src/tools/tools.ts";
import { EVERYTHING } from "../support/tool-bench.ts";
import { bench, started } from "../workspace/git-support.ts";

async function run(files: Readonly<Record<string, string | Uint8Array>>) {
  const { workspace, base } = await started(await bench({ "a.txt": "one\ntwo\n", "src/b.txt": "b\n" }));
  for (const [path, content] of Object.entries(files)) await workspace.writeFile(path, Buffer.from(content));
  const trees = { base: base.tree, now: await workspace.snapshot() };
  const tools = createTools();
  const diff = async (args: object) => {
    const call = { kind: "tool_call", id: "1", name: "diff", rawArguments: JSON.stringify(args) } as const;
    const ready = tools.check(call, EVERYTHING);
    if (ready.type !== "ready") throw new Error(ready.text);
    const { signal } = new AbortController();
    return tools.run(ready, {
      workspace,
      signal,
      servers: NO_SERVERS,
      jobs: workspace.openJobs(0),
      session: { seen: {}, trees },
    });
  };
  return { workspace, diff };
}

describe("diff", () => {
  test("shows what the run has changed, or one path of it", async () => {
    const { workspace, diff } = await run({ "a.txt": "one\n2\n", "src/c.txt": "c\n" });
    const all = await diff({});
    expect(all).toMatchObject({ status: "ok", summary: "2 files" });
    expect(all.text).toContain("@@ -1,2 +1,2 @@\n one\n-two\n+2");
    expect(all.text).toContain("+++ b/src/c.txt");
    const below = await diff({ path: `${workspace.path}/src/` });
    expect(below).toMatchObject({ summary: "1 file in src" });
    expect(below.text).not.toContain("a.txt");
  });

  test("says that nothing is changed", async () => {
    const { diff } = await run({ "a.txt": "one\n2\n" });
    expect((await diff({ path: "src" })).text).toBe("Nothing is changed in src.");
    expect((await (await run({})).diff({})).text).toBe("Nothing is changed.");
  });

  test("takes no option for a path", async () => {
    const { diff } = await run({ "a.txt": "one\n2\n" });
    expect((await diff({ path: "--output=stolen" })).text).toBe("Nothing is changed in --output=stolen.");
  });

  test("cuts long files and lines, names those without room, and shows no bytes", async () => {
    const many = Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`f${index}.txt`, "line\n".repeat(4000)]));
    const { diff } = await run({ ...many, "a.bin": Uint8Array.from([0, 1, 2]), "long.txt": "x".repeat(9000) });
    const { text } = await diff({});
    expect(Buffer.byteLength(text)).toBeLessThan(45 * 1024);
    expect(text).toContain("(a binary file)");
    expect(text).toMatch(/bytes left out/);
    expect(text).toMatch(/\(\d+ more files; give a path to see one\)\ndiff --git a\/f\d\.txt/);
    expect((await diff({ path: "long.txt" })).text).toContain(`+${"x".repeat(499)}…`);
  });

  test("is of what is on record, not of what is on disk", async () => {
    const { workspace, diff } = await run({ "a.txt": "one\n2\n" });
    writeFileSync(join(workspace.path, "a.txt"), "later\n");
    expect((await diff({})).text).not.toContain("later");
  });
});
