import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { stringify } from "yaml";
import { call } from "../prove/agent/answers.ts";
import type { Model } from "../prove/agent/model-server.ts";
import { startModelServer } from "../prove/agent/model-server.ts";
import { finishOf } from "../prove/agent/oracle.ts";
import { ROOT } from "../smoke/smoke.ts";
import { inFolder } from "./folder.ts";
import { medians } from "./median.ts";
import { aim, ms, row, times } from "./rows.ts";

const ROUNDS = 9;
const MOST_REQUEST_BYTES = 12 * 1024;
const MOST_MEMORY_MB = 120;

/** What a process took, with all that it had started. */
interface Taken {
  readonly wallMs: number;
  readonly cpuMs: number;
}

/** A doer that writes one file: two calls of a model on this machine. Medians. */
export interface DoerFigures {
  readonly wallMs: number;
  readonly cpuMs: number;
  /** `node -e 0`. */
  readonly nodeWallMs: number;
  readonly nodeCpuMs: number;
  /** The same outcome by git alone: a worktree, a file, a tree, a commit, a patch, and the worktree gone again. */
  readonly gitWallMs: number;
  readonly gitCpuMs: number;
  /** Peak of ccp's own process, in MB. */
  readonly memoryMb: number;
  /** Bytes of the first request's body, with all tools in it. */
  readonly requestBytes: number;
}

/** The built binary, taken in turns with what it is held beside. */
export async function measureDoer(): Promise<DoerFigures> {
  const server = await startModelServer({ wire: "anthropic-messages", model: MODEL, windowTokens: null });
  try {
    const rounds: DoerFigures[] = [];
    // The first fills the caches.
    for (let round = -1; round < ROUNDS; round++) {
      const figures = await inFolder((folder) => measureOnce(folder, server));
      if (round >= 0) rounds.push(figures);
    }
    return medians(rounds);
  } finally {
    await server.close();
  }
}

/** The report's lines. */
export function doerLines(figures: DoerFigures): readonly string[] {
  const { wallMs, cpuMs, nodeWallMs, nodeCpuMs, gitWallMs, gitCpuMs, memoryMb, requestBytes } = figures;
  const beside = (of: number, node: number, git: number) =>
    `${times(of, node)} of node -e 0 (${ms(node)}), ${times(of, git)} of git alone (${ms(git)})`;
  const isSmall = requestBytes <= MOST_REQUEST_BYTES;
  return [
    `a doer that writes one file, two calls, model on this machine, median of ${ROUNDS}`,
    row("wall", ms(wallMs), beside(wallMs, nodeWallMs, gitWallMs)),
    row("CPU, children counted", ms(cpuMs), beside(cpuMs, nodeCpuMs, gitCpuMs)),
    row(
      "peak memory of ccp",
      `${memoryMb.toFixed(0)} MB`,
      aim(`${MOST_MEMORY_MB} MB at most`, memoryMb <= MOST_MEMORY_MB),
    ),
    row("first request", `${requestBytes} B`, aim(`${MOST_REQUEST_BYTES} B at most`, isSmall)),
  ];
}

const MODEL: Model = ({ results }) => ({
  answer:
    results.length === 0
      ? { move: "change", calls: [call("write", { path: "hello.txt", content: "hello\n" })] }
      : { move: "finish", calls: [finishOf("done")] },
});

async function measureOnce(folder: string, server: Awaited<ReturnType<typeof startModelServer>>): Promise<DoerFigures> {
  const { root, env, pipeline } = prepare(folder, server.url);
  const memory = join(folder, "memory");
  const asked = server.asked.length;
  const run = await taken([process.execPath, BINARY, "run", "--pipeline", pipeline, "--json", "Write hello.txt."], {
    cwd: root,
    env: { ...env, NODE_OPTIONS: `--import=${NOTE_MEMORY}`, CCP_BENCH_MEMORY: memory },
  });
  const node = await taken([process.execPath, "-e", "0"], { cwd: root, env });
  const git = await taken(["bash", "-ec", GIT_ALONE], { cwd: root, env });
  return {
    wallMs: run.wallMs,
    cpuMs: run.cpuMs,
    nodeWallMs: node.wallMs,
    nodeCpuMs: node.cpuMs,
    gitWallMs: git.wallMs,
    gitCpuMs: git.cpuMs,
    memoryMb: Number(readFileSync(memory, "utf8")) / 1024,
    requestBytes: server.asked[asked]?.bytes ?? 0,
  };
}

/** Loaded into what is measured: notes the peak of its own memory, in KB, as it ends. Without types: who strips them needs memory. */
const NOTE_MEMORY = `data:text/javascript,${encodeURIComponent(
  'import { writeFileSync } from "node:fs";process.on("exit", () => writeFileSync(process.env.CCP_BENCH_MEMORY, String(process.resourceUsage().maxRSS)));',
)}`;
const BINARY = join(ROOT, "dist", "main.js");

const GIT_ALONE = `git worktree add -q --detach ../alone HEAD
cd ../alone
echo hello > hello.txt
git add -A
tree=$(git write-tree)
commit=$(git commit-tree "$tree" -p HEAD -m alone)
git diff --binary HEAD "$tree" > ../alone.patch
cd - > /dev/null
git worktree remove --force ../alone`;

function prepare(folder: string, url: string) {
  const [root, home] = [join(folder, "repository"), join(folder, "home")];
  for (const path of [root, join(home, ".config", "ccp")]) mkdirSync(path, { recursive: true });
  writeFileSync(join(root, "README.md"), "# Bench\n");
  const identity = ["-c", "user.name=Bench", "-c", "user.email=bench@example.invalid"];
  for (const args of [
    ["init", "-q"],
    ["add", "-A"],
    ["commit", "-qm", "start"],
  ])
    execFileSync("git", [...identity, ...args], { cwd: root });
  execFileSync("git", ["config", "--global", "user.name", "Bench"], { env: { HOME: home, PATH: process.env.PATH } });
  execFileSync("git", ["config", "--global", "user.email", "b@example.invalid"], {
    env: { HOME: home, PATH: process.env.PATH },
  });
  const lab = { wire: "anthropic-messages", base_url: url, auth: "none", free: true, models: ["local-1"] };
  writeFileSync(join(home, ".config", "ccp", "providers.yaml"), stringify({ providers: { lab } }));
  const pipeline = join(folder, "pipeline.yaml");
  writeFileSync(pipeline, stringify({ roles: { doer: { models: "lab/local-1" } }, pipeline: [{ role: "doer" }] }));
  const env = { PATH: `${dirname(process.execPath)}:${process.env.PATH ?? ""}`, HOME: home, LANG: "C.UTF-8" };
  return { root, env, pipeline };
}

/** By bash's own clock, which counts what children have used. */
function taken(
  command: readonly string[],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string | undefined>> },
): Promise<Taken> {
  const child = spawn("bash", ["-c", 'TIMEFORMAT="%R %U %S"; time "$@" > /dev/null', "bash", ...command], {
    ...options,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (bytes: Buffer) => {
    said += bytes.toString();
  });
  return new Promise((resolve, reject) =>
    child.on("close", (code) => {
      const [wall = 0, user = 0, system = 0] = (said.trim().split("\n").at(-1) ?? "").split(" ").map(Number);
      if (code !== 0) reject(new Error(`${command.join(" ")} ended with ${code}\n${said}`));
      else resolve({ wallMs: wall * 1000, cpuMs: (user + system) * 1000 });
    }),
  );
}
