import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { blobsNamedIn } from "../../src/core/exported-run.ts";
import { REDACTED } from "../../src/core/redact.ts";
import { git } from "../support/git.ts";
import { APPROVAL, listener, PLAN, RED_PROJECT, scenario, WORK } from "../support/scenario.ts";

const call = (tool: string, args: unknown) => ({ tool, args });
const KNOWN = "hunter2-hunter2-hunter2/ü";
/** Nobody told ccp of it: it is known by its looks. */
const LOOKS = `ghp_${"aB3dE5fG7h".repeat(4).slice(0, 36)}`;
const ENCODED = Buffer.from(`user:${KNOWN}`).toString("base64");

/** Every file below a directory but git's own objects, which are the user's files. */
function filesBelow(directory: string): readonly string[] {
  return readdirSync(directory).flatMap((name) => {
    const path = join(directory, name);
    if (name === "objects") return [];
    return statSync(path).isDirectory() ? filesBelow(path) : [path];
  });
}

test("a secret in a task, a file, an output or an answer is nowhere: not in the journal, the results, or what a model is sent", async () => {
  const sent: string[] = [];
  const pipeline =
    "pipeline:\n  - role: planner\n  - { role: doer, until: { run: node check.mjs } }\n  - role: reviewer\n";
  const world = scenario({
    pipeline,
    task: `Use ${KNOWN} and ${LOOKS} to log in.`,
    files: { ...RED_PROJECT, "config.txt": `key=${LOOKS}\nother=${KNOWN}\nplain=1\n` },
    turns: [
      {
        role: "planner",
        turn: 1,
        calls: [call("read", { path: "config.txt" }), call("grep", { pattern: "key|other" })],
      },
      { role: "planner", turn: 2, calls: [call("finish", { ...PLAN, plan: `Take ${KNOWN}.` })] },
      {
        role: "doer",
        turn: 1,
        say: `I know ${KNOWN}.`,
        calls: [
          call("bash", { command: `cat config.txt; echo ${ENCODED}; sed -n s/key=//p config.txt >&2; exit 1` }),
          call("bash", { command: "sleep 0.6; cat config.txt", background: true }),
          call("job_output", { job: "job-1", wait_ms: 60_000 }),
          call("edit", { path: "sum.mjs", edits: [{ old: "a - b", new: "a + b" }] }),
          call("finish", { ...WORK, summary: `Did it with ${KNOWN}.` }),
        ],
      },
      { role: "reviewer", turn: 1, calls: [call("finish", APPROVAL)] },
    ],
  });
  const secrets = [KNOWN];
  const engine = await world.engine({
    secrets,
    models: (models) => ({
      ...models,
      send(request, options) {
        sent.push(JSON.stringify(request));
        return models.send(request, options);
      },
    }),
  });
  const run = await engine.start(await world.spec(), listener());
  expect(run.status).toBe("succeeded");
  const events = engine.store.events(run.rid);
  const blobs = blobsNamedIn(events).map((sha256) =>
    Buffer.from(engine.store.blob({ sha256, sizeBytes: 0 })).toString(),
  );
  const said = [...sent, JSON.stringify(events), JSON.stringify(engine.record(run.rid)), ...blobs];
  engine.store.close();
  const places = [join(world.root, "results"), join(world.root, ".git", "ccp")].flatMap(filesBelow);
  const kept = places.map((path) => readFileSync(path).toString("utf8"));
  const named = (needle: string) => [...said, ...kept].filter((text) => text.includes(needle));
  expect(named(KNOWN)).toEqual([]);
  expect(named(ENCODED.slice(8, -8))).toEqual([]);
  expect(named(LOOKS)).toEqual([]);
  expect(said.filter((text) => text.includes(REDACTED)).length).toBeGreaterThan(5);
  expect(sent.length).toBeGreaterThan(3);
});

test("a key in a file of the user's stays what it is: the patch applies, and says what to look at", async () => {
  const fixture = `const KEY = "${LOOKS}";\n`;
  const world = scenario({
    pipeline: "pipeline:\n  - role: doer\n",
    files: { ...RED_PROJECT, "fixture.mjs": `${fixture}// one\n` },
    turns: [
      {
        role: "doer",
        turn: 1,
        calls: [
          call("edit", { path: "fixture.mjs", edits: [{ old: "// one", new: "// two" }] }),
          call("write", { path: "fixture.mjs", content: `const KEY = "${REDACTED}";\n// three\n` }),
          call("write", { path: "made.mjs", content: fixture }),
          call("finish", WORK),
        ],
      },
    ],
  });
  const engine = await world.engine();
  const run = await engine.start(await world.spec(), listener());
  const files = (path: string) => git(world.root, "show", `ccp/${run.rid}:${path}`);
  expect(files("fixture.mjs")).toBe(`${fixture}// two\n`);
  expect(files("made.mjs")).toBe(fixture);
  const patch = join(world.root, "results", run.rid, "Diff.patch");
  expect(existsSync(patch) && readFileSync(patch, "utf8")).toContain(LOOKS);
  git(world.root, "apply", "--check", patch);
  expect(run.artifacts["Diff.patch"]?.warning).toContain("adds what looks like a key, in made.mjs:");
  const refused = engine.store
    .events(run.rid)
    .find((event) => event.type === "tool.finished" && event.status === "error");
  expect(refused).toMatchObject({ tool: "write", summary: "has a placeholder in place of code" });
});
