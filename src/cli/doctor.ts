import { statfsSync } from "node:fs";
import type { Command } from "commander";
import { CcpError, EXIT, messageOf } from "../core/errors.ts";
import type { Lane } from "../core/lane.ts";
import { plural } from "../core/words.ts";
import type { Wiring } from "../wire/wire.ts";
import type { CommandContext } from "./command-context.ts";
import { writeJson } from "./write-json.ts";

/** One thing that was looked at. */
interface Finding {
  readonly name: string;
  readonly state: "ok" | "warning" | "problem";
  readonly detail: string;
  /** What to do about it; null: nothing. */
  readonly fix: string | null;
}

const MARKS = { ok: "ok  ", warning: "warn", problem: "FAIL" } as const;
/** Below this a run may fill the disk: a worktree, its dependencies and the journal. */
const LOW_DISK_BYTES = 1024 ** 3;
const REACH_TIMEOUT_MS = 5_000;

/** Adds `ccp doctor`. */
export function registerDoctor(program: Command, context: CommandContext): void {
  program
    .command("doctor")
    .description("look at what ccp needs here: git, journal, sandbox, keys, providers, disk")
    .option("--set-aside", "move a damaged journal out of the way, whole: the next command begins a new one")
    .option("--json", "as JSON")
    .action(async (flags: { readonly setAside?: boolean; readonly json?: boolean }) => {
      const { stdout } = context.surroundings;
      if (flags.setAside) return setAside(flags.json === true, context);
      const findings = await examine(context.wiring());
      if (flags.json) writeJson(stdout, { v: 1, findings });
      else for (const finding of findings) stdout.write(lineOf(finding));
      context.exit(findings.some((finding) => finding.state === "problem") ? EXIT.failed : EXIT.ok);
    });
}

async function setAside(json: boolean, context: CommandContext): Promise<void> {
  const path = await context.wiring().setJournalAside();
  const { stdout } = context.surroundings;
  if (json) return writeJson(stdout, { v: 1, set_aside: path });
  stdout.write(path === null ? "there is no journal here\n" : `the journal is at ${path} now, as it was\n`);
}

function lineOf({ name, state, detail, fix }: Finding): string {
  return `${MARKS[state]}  ${name}: ${detail}\n${fix === null ? "" : `      fix: ${fix}\n`}`;
}

/** Looks at everything, whatever the first findings are. Costs nothing: providers are reached without a model call. */
async function examine(wiring: Wiring): Promise<readonly Finding[]> {
  const repository = await look("repository", async () => (await wiring.repository()).root);
  const journal = repository.state === "ok" ? [await look("journal", () => journalDetail(wiring))] : [];
  const start = repository.state === "ok" ? await startFindings(wiring) : [];
  const pipeline = repository.state === "ok" ? [await look("project", async () => projectDetail(wiring))] : [];
  return [
    good("node", process.versions.node),
    await look("git", () => wiring.gitVersion()),
    repository,
    ...start,
    ...journal,
    ...pipeline,
    await sandboxFinding(wiring),
    ...(await modelFindings(wiring)),
    disk(wiring),
  ];
}

async function look(name: string, work: () => Promise<string>): Promise<Finding> {
  try {
    return good(name, await work());
  } catch (thrown) {
    return problem(name, thrown);
  }
}

/** Reads all of it: a damaged page is found here rather than in the middle of a run. */
async function journalDetail(wiring: Wiring): Promise<string> {
  const store = await wiring.store();
  const [first, ...more] = store.damage();
  if (first === undefined) return `${plural(store.runs().length, "run")} on record, whole`;
  throw new CcpError(
    "corrupt_journal",
    EXIT.disk,
    `damaged: ${first}${more.length > 0 ? `, and ${more.length} more` : ""}`,
    {
      hint: "copy .git/ccp away, then: ccp doctor --set-aside begins a new journal and keeps this one as it is",
    },
  );
}

async function projectDetail(wiring: Wiring): Promise<string> {
  const { testCommand, testCommandSource, copy } = await (await wiring.repository()).project();
  const test = testCommand === null ? "no test command was found" : `tests: ${testCommand} (${testCommandSource})`;
  return `${test}; brought into a worktree: ${copy.join(", ") || "nothing"}`;
}

/** A run needs a commit to start from. */
async function startFindings(wiring: Wiring): Promise<readonly Finding[]> {
  const repository = await wiring.repository();
  const finding = await look("start", async () => (await repository.resolveBase("HEAD")).commit);
  return finding.state === "ok" ? [] : [finding];
}

async function sandboxFinding(wiring: Wiring): Promise<Finding> {
  const { name, detail, hint } = await wiring.sandbox();
  if (name !== "none") return good("sandbox", detail);
  const consequence = "the doer's shell is not confined, planner and reviewer have none";
  return { name: "sandbox", state: "warning", detail: `${detail}: ${consequence}`, fix: hint };
}

async function modelFindings(wiring: Wiring): Promise<readonly Finding[]> {
  try {
    const lanes = (await wiring.lanes()).filter((lane) => lane.wire !== "scripted");
    const findings = await Promise.all(lanes.map(reach));
    const usable = lanes.some((lane) => lane.credential !== null);
    return usable
      ? findings
      : [
          ...findings,
          {
            name: "models",
            state: "warning",
            detail: "no provider has a key here",
            fix: "set one of the keys above; without a key: ccp demo",
          },
        ];
  } catch (thrown) {
    return [problem("models", thrown)];
  }
}

/** Any answer at all means that the provider is there; keys are tried by `ccp ping`. No credential is sent. */
async function reach(lane: Lane): Promise<Finding> {
  const name = `provider ${lane.id}`;
  if (lane.credential === null && lane.credentialName !== null)
    return { name, state: "ok", detail: `no key (${lane.credentialName} is not set)`, fix: null };
  try {
    await fetch(lane.baseUrl, { method: "HEAD", redirect: "manual", signal: AbortSignal.timeout(REACH_TIMEOUT_MS) });
    return good(
      name,
      `${lane.baseUrl} is reachable${lane.credentialName === null ? "" : `, ${lane.credentialName} is set`}`,
    );
  } catch (thrown) {
    const expected = lane.local;
    return {
      name,
      state: expected ? "ok" : "warning",
      detail: `${lane.baseUrl} is not reachable (${messageOf(thrown)})`,
      fix: expected ? null : "check the network or the base URL",
    };
  }
}

function disk(wiring: Wiring): Finding {
  try {
    const { bavail, bsize } = statfsSync(wiring.config.home);
    const free = bavail * bsize;
    const detail = `${(free / 1024 ** 3).toFixed(1)} GB free`;
    return free < LOW_DISK_BYTES
      ? { name: "disk", state: "warning", detail, fix: "free some: ccp discard removes worktrees of old runs" }
      : good("disk", detail);
  } catch (thrown) {
    return { name: "disk", state: "warning", detail: messageOf(thrown), fix: null };
  }
}

function problem(name: string, thrown: unknown): Finding {
  return { name, state: "problem", detail: messageOf(thrown), fix: thrown instanceof CcpError ? thrown.hint : null };
}

function good(name: string, detail: string): Finding {
  return { name, state: "ok", detail, fix: null };
}
