import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { arch, cpus, loadavg, platform } from "node:os";
import { join } from "node:path";
import { ROOT } from "../smoke/smoke.ts";
import { bytesLines, measureBytesPerCall } from "./bytes-per-call.ts";
import { heldLines, measureHeld } from "./held-command.ts";
import { journalLines, measureJournal } from "./journal.ts";
import { longRunLines, measureLongRun } from "./long-run.ts";
import { manyRunsLines, measureManyRuns } from "./many-runs.ts";
import { measureNoOpSteps, noOpLines } from "./no-op-steps.ts";
import { doerLines, measureDoer } from "./one-file-doer.ts";
import { measureRouting, routingLines } from "./routing.ts";
import { measureRuns, runLines } from "./scripted-run.ts";
import { measureStartup, startupLines } from "./startup.ts";
import { measureTokens, tokenLines } from "./streamed-tokens.ts";
import { measureTools, toolLines } from "./tool-latency.ts";

const loadBefore = loadavg()[0];
const startup = measureStartup();
tell(startupLines(startup));
const run = measureRuns();
tell(runLines(run, startup.nodeMs));
const doer = await measureDoer();
tell(doerLines(doer));
const tools = await measureTools();
tell(toolLines(tools));
const held = await measureHeld();
tell(heldLines(held));
const tokens = await measureTokens();
tell(tokenLines(tokens));
const journal = await measureJournal();
tell(journalLines(journal));
const noOpSteps = measureNoOpSteps();
tell(noOpLines(noOpSteps));
const longRun = await measureLongRun();
tell(longRunLines(longRun));
const manyRuns = await measureManyRuns();
tell(manyRunsLines(manyRuns));
const bytesPerCall = await measureBytesPerCall();
tell(bytesLines(bytesPerCall, longRun));
const routing = await measureRouting();
tell(routingLines(routing));

const { run: runFigures, gitSpawnMs } = run;
const agent = { doer, tools, held, tokens };
const figures = {
  startup,
  run: runFigures,
  gitSpawnMs,
  agent,
  journal,
  noOpSteps,
  longRun,
  manyRuns,
  bytesPerCall,
  routing,
};
const folder = join(ROOT, "results", "bench");
mkdirSync(folder, { recursive: true });
writeFileSync(
  join(folder, "latest.json"),
  `${JSON.stringify({ at: new Date().toISOString(), machine: machine(), ...figures }, null, 2)}\n`,
);
tell(["figures: results/bench/latest.json"]);

/** Each part as soon as it is known: the whole takes minutes. */
function tell(lines: readonly string[]): void {
  process.stdout.write(`${lines.join("\n")}\n\n`);
}

function machine() {
  const all = cpus();
  return {
    node: process.versions.node,
    platform: `${platform()} ${arch()}`,
    cpus: `${all.length} x ${all[0]?.model ?? "unknown"}`,
    loadBefore,
    loadAfter: loadavg()[0],
    ccp: JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).version as string,
  };
}
