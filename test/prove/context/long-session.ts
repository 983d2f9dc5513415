import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bareEnvironment, ccp } from "../../support/cli.ts";
import { git, makeRepository } from "../../support/git.ts";
import { RED_PROJECT, WORK } from "../../support/scenario.ts";
import { tempDir } from "../../support/temp.ts";
import { type Asked, type LongTurn, longModel } from "./long-model.ts";

/** A session, and the windows in it. */
export interface SessionOptions {
  readonly turns: number;
  /** Lines of each page that is read, and of each output: some 15 tokens a line. */
  readonly lines: number;
  /** What ccp is told of the model's window, and what the model really takes, in tokens. */
  readonly told: number;
  readonly real: number;
}

/** How a session went. */
export interface SessionResult {
  readonly code: number | null;
  /** The tree that the run left; null: it left none. */
  readonly tree: string | null;
  readonly asked: Asked;
  /** Why it failed, where it did. */
  readonly reason: string;
}

/** More than any session has: whoever is told of it leaves the conversation as it is. */
export const ENDLESS = 100_000_000;

const PIPELINE = `
roles:
  doer: { max_turns: 900 }
pipeline:
  - { role: doer, attempts: 1 }
  - { id: check, run: node check.mjs }
`;

/** Reads pages and runs commands with long outputs, keeps notes, then mends the project, over the real wire, by the real ccp. */
export async function longSession({ turns, lines, told, real }: SessionOptions): Promise<SessionResult> {
  const pages = Object.fromEntries(Array.from({ length: turns }, (_, at) => [`pages/${at}.txt`, page(at, lines)]));
  const root = makeRepository({ ...RED_PROJECT, ...pages });
  const home = tempDir("ccp-home");
  const model = await longModel(playedTurns(turns, lines), real);
  mkdirSync(join(home, ".config", "ccp"), { recursive: true });
  writeFileSync(join(home, ".config", "ccp", "providers.yaml"), providers(model.url, told));
  writeFileSync(join(home, "pipeline.yaml"), PIPELINE);
  const args = [
    "run",
    "--pipeline",
    join(home, "pipeline.yaml"),
    "--model",
    "doer=long/long",
    "--minutes",
    "120",
    "Make sum add.",
  ];
  const { code, stdout, stderr } = await ccp(args, { cwd: root, env: bareEnvironment(home) });
  const branch = git(root, "for-each-ref", "--format=%(refname)", "refs/heads/ccp").trim();
  const tree = code === 0 ? git(root, "rev-parse", `${branch}^{tree}`).trim() : null;
  return { code, tree, asked: model.asked, reason: /✗.*/.exec(stdout + stderr)?.[0] ?? "" };
}

function providers(url: string, window: number): string {
  const model = `long: { context_window: ${window}, max_output_tokens: 4096 }`;
  return `providers:\n  long:\n    wire: openai-chat\n    base_url: ${url}\n    auth: none\n    free: true\n    models:\n      ${model}\n`;
}

function page(number: number, lines: number): string {
  return `${Array.from({ length: lines }, (_, line) => `page ${number} line ${line}: nothing here is needed any more later on`).join("\n")}\n`;
}

/** Every third turn runs a command, every tenth adds a note; the last two mend the sum and finish. */
function playedTurns(turns: number, lines: number): readonly LongTurn[] {
  const work = Array.from({ length: turns - 2 }, (_, at): LongTurn => {
    if (at % 10 === 9)
      return says(at, { tool: "write", args: { path: `notes/${at}.md`, content: `Read until ${at}.\n` } });
    if (at % 3 === 2)
      return says(at, {
        tool: "bash",
        args: { command: `for i in $(seq ${lines}); do echo "run ${at} line $i: all is well with this one"; done` },
      });
    return says(at, { tool: "read", args: { path: `pages/${at}.txt` } });
  });
  return [
    ...work,
    says(turns - 2, { tool: "edit", args: { path: "sum.mjs", edits: [{ old: "a - b", new: "a + b" }] } }),
    says(turns - 1, { tool: "finish", args: WORK }),
  ];
}

function says(at: number, call: LongTurn["calls"][number]): LongTurn {
  return { say: `Step ${at}.`, calls: [call] };
}
