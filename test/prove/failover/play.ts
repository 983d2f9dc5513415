import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { stringify } from "yaml";
import { git, writeFiles } from "../../support/git.ts";
import { WIRES, type Wire } from "../agent/answers.ts";
import { oracleOf } from "../agent/oracle.ts";
import { OWN_TASKS } from "../agent/own-tasks.ts";
import type { Task } from "../agent/task.ts";
import { type LaneServer, type Secrets, startLaneServer } from "./lane-server.ts";
import { type Recorded, recordOf } from "./recorded.ts";
import type { LaneName, Scenario } from "./scenarios.ts";

/** A lane of a play: who speaks what, at which price in whole nano-dollars a token. */
export interface PlayedLane {
  readonly name: LaneName;
  readonly wire: Wire;
  readonly model: string;
  readonly secrets: Secrets;
  readonly price: { readonly input: number; readonly output: number };
  /** Null: nothing listens. */
  readonly server: LaneServer | null;
}

/** A scenario on one wire. The other lanes speak the wires that follow. */
export interface Play {
  readonly scenario: Scenario;
  readonly wire: Wire;
}

/** Everything that a play left. */
export interface Played {
  readonly play: Play;
  readonly task: Task;
  readonly lanes: readonly PlayedLane[];
  /** The server to which a redirect would have led. */
  readonly stranger: LaneServer;
  readonly exitCodes: readonly (number | null)[];
  readonly hung: boolean;
  readonly milliseconds: number;
  readonly stdout: string;
  readonly stderr: string;
  /** What `ccp view --step` shows of the doer. */
  readonly view: string;
  /** Exit code of `ccp replay`; null: there was nothing to replay. */
  readonly replayed: number | null;
  readonly record: Recorded | null;
}

/** How long the lanes may be silent. */
const WAITS = { first_event_timeout: "3s", silence_timeout: "3s" };
const LONGEST_RUN_MS = 120_000;
const PRICES = {
  first: { input: 3_000, output: 15_000 },
  second: { input: 1_000, output: 2_000 },
  large: { input: 5_000, output: 25_000 },
} as const;
const MODELS = { first: "alpha-1", second: "beta-2", large: "gamma-3" } as const;
/** Each lane speaks another wire than the one before it. */
const STEP = { first: 0, second: 1, large: 2 } as const;
const NAMES = ["first", "second", "large"] as const;
/** Long enough to be broken off in its middle. */
const WORDS = "I look at the file, change the one line that is wrong, run the check, and say what I did. ".repeat(3);

/** A word of its own for each lane, found wherever it leaks. */
export function secretsOf(lane: LaneName): Secrets {
  return { key: `sk-${lane}-Zr4hq7mX92Lb`, signature: `c2lnbmVk${lane}Wc83kTf0`, thought: `thought-of-${lane}` };
}

/** Plays it: servers of its own, a repository, the real binary, and what is left of it. The servers are closed after `use`. */
export function play<T>(of: Play, binary: string, use: (played: Played) => T): Promise<T> {
  return onStage(of, binary, async (stage) => use(await perform(stage)));
}

/** Servers, a repository and a home with their configuration, gone when `use` is through. */
export async function onStage<T>(of: Play, binary: string, use: (stage: Stage) => Promise<T>): Promise<T> {
  const home = mkdtempSync(join(tmpdir(), "ccp-failover-"));
  const task = taskOf();
  const stranger = await openStranger(of.wire);
  const lanes = await openLanes(of, task, stranger.url);
  try {
    const root = join(home, "repository");
    mkdirSync(root);
    makeRepository(root, task.before);
    const pipeline = configure(home, lanes, of.scenario, task);
    return await use({ of, binary, home, root, pipeline, task, lanes, stranger });
  } finally {
    await Promise.all([...lanes.map(({ server }) => server?.close()), stranger.close()]);
    rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  }
}

function taskOf(): Task {
  const [task] = OWN_TASKS;
  if (!task) throw new Error("there is no task");
  return task;
}

function openLanes({ scenario, wire }: Play, task: Task, elsewhere: string): Promise<readonly PlayedLane[]> {
  const oracle = oracleOf(task);
  return Promise.all(
    NAMES.filter((name) => scenario.route.includes(name)).map(async (name) => {
      const own = WIRES[(WIRES.indexOf(wire) + STEP[name]) % WIRES.length] ?? wire;
      const { act } = scenario;
      const secrets = secretsOf(name);
      const options = {
        wire: own,
        secrets,
        answer: (heard: Parameters<typeof oracle>[0]) => ({ ...oracle(heard), text: WORDS }),
        act: (nth: number) =>
          name === "first" && act !== null ? act(nth, own, elsewhere) : ({ kind: "whole" } as const),
      };
      const server = name === "first" && act === null ? null : await startLaneServer(options);
      return { name, wire: own, model: MODELS[name], secrets, price: PRICES[name], server };
    }),
  );
}

function openStranger(wire: Wire): Promise<LaneServer> {
  const answer = () => ({ move: "look", calls: [] }) as const;
  const secrets = { key: "-", signature: "-", thought: "-" };
  return startLaneServer({ wire, secrets, answer, act: () => ({ kind: "whole" }) });
}

function makeRepository(root: string, files: Task["before"]): void {
  writeFiles(root, files);
  git(root, "init", "--quiet", "--initial-branch=main");
  git(root, "add", "--all");
  git(root, "commit", "--quiet", "--message=base");
}

/** Where nothing listens: the port of a server that is gone would be somebody else's soon. */
const DEAF_URL = "http://127.0.0.1:9";

function configure(home: string, lanes: readonly PlayedLane[], { id, route }: Scenario, task: Task): string {
  const providers = lanes.map(({ name, wire, model, price, server }) => {
    const url = server?.url ?? DEAF_URL;
    const usd = { input: price.input / 1_000, output: price.output / 1_000 };
    const window = name === "large" ? 400_000 : 200_000;
    const known = { price: usd, context_window: window, max_output_tokens: 8_000, edits: "edit" };
    const lane = {
      wire,
      base_url: wire.startsWith("openai") ? `${url}/v1` : url,
      key_env: `${name.toUpperCase()}_KEY`,
      ...WAITS,
      ...(wire === "ollama-chat" ? { context_tokens: window } : {}),
      models: { [model]: known },
    };
    return [name, lane] as const;
  });
  const config = join(home, ".config", "ccp");
  mkdirSync(config, { recursive: true });
  writeFileSync(join(config, "providers.yaml"), stringify({ providers: Object.fromEntries(providers) }));
  const models = route.map((name) => `${name}/${MODELS[name]}`);
  const doer = { id: "build", role: "doer", attempts: 1, until: { run: task.check, attempts: 2 } };
  const plan = {
    budget: { usd: 5, minutes: 5 },
    ...(id === "stop" ? { on_lost_call: "stop" } : {}),
    roles: { doer: { models, max_turns: 20 } },
    pipeline: [doer],
  };
  const file = join(home, "pipeline.yaml");
  writeFileSync(file, stringify(plan));
  return file;
}

/** Where a play is played. */
export interface Stage {
  readonly of: Play;
  readonly binary: string;
  readonly home: string;
  readonly root: string;
  readonly pipeline: string;
  readonly task: Task;
  readonly lanes: readonly PlayedLane[];
  readonly stranger: LaneServer;
}

async function perform(stage: Stage): Promise<Played> {
  const { of, root, pipeline, task, lanes, stranger } = stage;
  const startedAt = performance.now();
  const ended = await ccp(["run", "--pipeline", pipeline, "--json", task.words], stage);
  const again = of.scenario.end === "paused" ? await ccp(["resume", "--json"], stage) : null;
  const milliseconds = Math.round(performance.now() - startedAt);
  const record = ended.hung ? null : recordOf(root, `${ended.stdout}${again?.stdout ?? ""}`);
  const view = record === null ? "" : (await ccp(["view", record.rid, "--step", "build"], stage)).stdout;
  const replayed = record === null ? null : (await ccp(["replay", record.rid], stage)).exitCode;
  return {
    play: of,
    task,
    lanes,
    stranger,
    exitCodes: [ended.exitCode, ...(again ? [again.exitCode] : [])],
    hung: ended.hung || (again?.hung ?? false),
    milliseconds,
    stdout: ended.stdout,
    stderr: ended.stderr + (again?.stderr ?? ""),
    view,
    replayed,
    record,
  };
}

/** How it ended. */
export interface Ended {
  readonly exitCode: number | null;
  readonly hung: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the real binary to its end, with the keys of the lanes in its environment. */
export function ccp(argv: readonly string[], { binary, home, root, lanes }: Stage): Promise<Ended> {
  const PATH = `${dirname(process.execPath)}:${process.env.PATH ?? ""}`;
  const keys = lanes.map(({ name, secrets }) => [`${name.toUpperCase()}_KEY`, secrets.key] as const);
  const env = { PATH, HOME: home, LANG: "C.UTF-8", TERM: "dumb", ...Object.fromEntries(keys) };
  const child = spawn(process.execPath, [binary, ...argv], { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
  const [out, err]: [string[], string[]] = [[], []];
  child.stdout.on("data", (bytes: Buffer) => out.push(bytes.toString()));
  child.stderr.on("data", (bytes: Buffer) => err.push(bytes.toString()));
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
