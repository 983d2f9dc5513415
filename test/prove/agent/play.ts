import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { stringify } from "yaml";
import type { EditForm } from "../../../src/core/model.ts";
import { git, writeFiles } from "../../support/git.ts";
import type { Answer, Wire } from "./answers.ts";
import type { Habit } from "./habits.ts";
import type { Heard } from "./listen.ts";
import { type Model, type ModelServer, startModelServer } from "./model-server.ts";
import { oracleOf } from "./oracle.ts";
import type { Task } from "./task.ts";

/** One run of the real binary with a difficult model. */
export interface Play {
  readonly task: Task;
  readonly wire: Wire;
  readonly habit: Habit;
  /** All three roles and the project's own test as a step, or a doer with its check alone. */
  readonly roles: "all" | "doer";
}

/** How it went. */
export interface Outcome {
  readonly play: Play;
  /** As `run.json` says; `hang`: it was ended from outside; `crash`: it left no record. */
  readonly status: string;
  readonly exitCode: number | null;
  /** The failure of the step that failed, or null. */
  readonly ending: string | null;
  readonly requests: number;
  readonly milliseconds: number;
  readonly violations: readonly string[];
}

/** Nothing that a model or a server does keeps a run of these so long. */
const LONGEST_RUN_MS = 240_000;
/** How long the proof's server may be silent before it counts as stalled. */
const WAITS = { first_event_timeout: "1s", silence_timeout: "1s" };

/** What it says of its model. */
const LIMITS = { context_window: 200_000, max_output_tokens: 8_000 };
/** Each form of an edit is that of one wire's model at least. */
const EDITS: Readonly<Record<Wire, EditForm>> = {
  "anthropic-messages": "edit",
  "openai-responses": "apply_patch",
  "openai-chat": "edit",
  "ollama-chat": "write",
};

/** Plays it and judges it. */
export async function play(of: Play, binary: string): Promise<Outcome> {
  const home = mkdtempSync(join(tmpdir(), "ccp-agent-"));
  const server = await startModelServer({
    wire: of.wire,
    model: modelOf(of),
    windowTokens: of.habit.windowTokens ?? null,
  });
  const startedAt = performance.now();
  try {
    const root = join(home, "repository");
    mkdirSync(root);
    makeRepositoryAt(root, of.task.before);
    const files = writeConfiguration(home, of, server);
    const ended = await run(binary, ["run", "--pipeline", files.pipeline, "--json", of.task.words], { root, home });
    const milliseconds = Math.round(performance.now() - startedAt);
    return judged(of, { ...ended, root, server, milliseconds });
  } finally {
    await server.close();
    rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The good model with the habit on top. Counts what was asked of the run and what it has answered of each move. */
function modelOf({ task, habit }: Play): Model {
  const oracle = oracleOf(task);
  const moved = new Map<Answer["move"], number>();
  let asked = 0;
  return (heard: Heard) => {
    const answer = oracle(heard);
    const moment = { heard, asked, moved: moved.get(answer.move) ?? 0 };
    asked += 1;
    moved.set(answer.move, moment.moved + 1);
    return habit.apply(answer, moment);
  };
}

function makeRepositoryAt(root: string, files: Task["before"]): void {
  writeFiles(root, files);
  git(root, "init", "--quiet", "--initial-branch=main");
  git(root, "add", "--all");
  git(root, "commit", "--quiet", "--message=base");
}

function writeConfiguration(home: string, { wire, task, roles, habit }: Play, server: ModelServer) {
  const isOpenai = wire === "openai-chat" || wire === "openai-responses";
  const lab = {
    wire,
    base_url: isOpenai ? `${server.url}/v1` : server.url,
    auth: "none",
    free: true,
    ...WAITS,
    ...(wire === "ollama-chat" ? { context_tokens: 100_000 } : {}),
    models: { "difficult-1": { ...LIMITS, edits: EDITS[wire], text_calls: habit.writesCalls ?? false } },
  };
  const config = join(home, ".config", "ccp");
  mkdirSync(config, { recursive: true });
  writeFileSync(join(config, "providers.yaml"), stringify({ providers: { lab } }));
  const models = "lab/difficult-1";
  const doer = { id: "build", role: "doer", until: { run: task.check, attempts: 3 } };
  const test = { id: "test", run: task.check, check: true, on_failure: { back_to: "build" } };
  const steps = roles === "all" ? [{ role: "planner" }, doer, test, { role: "reviewer" }] : [doer];
  const own = { planner: { models }, doer: { models, max_turns: 40 }, reviewer: { models } };
  const named = roles === "all" ? own : { doer: own.doer };
  const pipeline = join(home, "pipeline.yaml");
  writeFileSync(pipeline, stringify({ budget: { usd: 5, minutes: 10 }, roles: named, pipeline: steps }));
  return { pipeline };
}

interface Ended {
  readonly exitCode: number | null;
  readonly hung: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

function run(
  binary: string,
  argv: readonly string[],
  { root, home }: { readonly root: string; readonly home: string },
): Promise<Ended> {
  const PATH = `${dirname(process.execPath)}:${process.env.PATH ?? ""}`;
  const env = { PATH, HOME: home, LANG: "C.UTF-8", TERM: "dumb", PYTHONDONTWRITEBYTECODE: "1" };
  const child: ChildProcess = spawn(process.execPath, [binary, ...argv], {
    cwd: root,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [out, err]: [string[], string[]] = [[], []];
  child.stdout?.on("data", (bytes: Buffer) => out.push(bytes.toString()));
  child.stderr?.on("data", (bytes: Buffer) => err.push(bytes.toString()));
  let hung = false;
  const timer = setTimeout(() => {
    hung = true;
    child.kill("SIGKILL");
  }, LONGEST_RUN_MS);
  return new Promise((resolve) =>
    child.on("close", (exitCode) => {
      clearTimeout(timer);
      resolve({ exitCode, hung, stdout: out.join(""), stderr: err.join("") });
    }),
  );
}

interface RunRecord {
  readonly status: string;
  readonly steps: readonly { readonly failure: { readonly class: string; readonly reason: string } | null }[];
}

function judged(of: Play, ended: Ended & { root: string; server: ModelServer; milliseconds: number }): Outcome {
  const record = recordOf(ended.stdout);
  const status = ended.hung ? "hang" : (record?.status ?? "crash");
  const ending = record?.steps.findLast(({ failure }) => failure !== null)?.failure?.class ?? null;
  const isGreen = record?.status === "succeeded";
  const refused = ended.server.asked.flatMap(({ faults }) => faults);
  const violations = [
    ...(ended.hung ? [`it hung: ${LONGEST_RUN_MS / 1000} s were not enough`] : []),
    ...(record === null && !ended.hung ? [`no run.json: ${ended.stderr.slice(-500)}`] : []),
    ...[...new Set(refused)].map((fault) => `a strict provider would have refused it: ${fault}`),
    ...(of.habit.windowTokens !== undefined && ended.server.asked.every(({ trouble }) => trouble !== "status")
      ? ["its window was never too small: nothing was proven"]
      : []),
    ...(of.habit.end === "never" ? hopelessViolations(isGreen, status, ending, of) : []),
    ...(isGreen ? falseGreen(of.task, ended.root) : []),
    ...(existsSync("/tmp/ccp-escape") ? ["something was written outside of the tree"] : []),
    ...(isGreen !== (ended.exitCode === 0) ? [`exit ${ended.exitCode} with status ${status}`] : []),
  ];
  const { exitCode, milliseconds } = ended;
  return { play: of, status, exitCode, ending, requests: ended.server.asked.length, milliseconds, violations };
}

function hopelessViolations(
  isGreen: boolean,
  status: string,
  ending: string | null,
  { habit }: Play,
): readonly string[] {
  if (isGreen) return ["a model that never got there came out green"];
  if (ending === null && status === "failed") return ["it failed without a name for it"];
  if (habit.ending && habit.ending !== ending) return [`it ended as ${ending ?? status}, and not as ${habit.ending}`];
  return [];
}

/** The patch alone, on the base, must make the check green: the check as it was, whatever the run did to it. */
function falseGreen(task: Task, root: string): readonly string[] {
  const patch = join(root, "results", "Diff.patch");
  const fresh = mkdtempSync(join(tmpdir(), "ccp-fresh-"));
  try {
    makeRepositoryAt(fresh, task.before);
    git(fresh, "apply", "--whitespace=nowarn", patch);
    const tests = Object.entries(task.before).filter(([path]) => !(path in task.solution));
    for (const [path, text] of tests) writeFileSync(join(fresh, path), text);
    return isZero(task.check, fresh) ? [] : ["it is green, and its patch is not"];
  } catch (error) {
    return [`its patch does not apply: ${String(error).slice(0, 200)}`];
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

function isZero(command: string, cwd: string): boolean {
  const env = { PATH: `${dirname(process.execPath)}:${process.env.PATH ?? ""}`, PYTHONDONTWRITEBYTECODE: "1" };
  return spawnSync("bash", ["-c", command], { cwd, env, timeout: 60_000 }).status === 0;
}

/** By the folder that the last line of `--json` names. Null: there is none, or what is there is no JSON. */
function recordOf(stdout: string): RunRecord | null {
  try {
    const { results } = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as { readonly results: string };
    return JSON.parse(readFileSync(join(results, "run.json"), "utf8")) as RunRecord;
  } catch {
    return null;
  }
}
