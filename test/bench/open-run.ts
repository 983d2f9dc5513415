import { createAgent } from "../../src/agent/run-agent.ts";
import type { ModelFacts, ModelRef } from "../../src/core/model.ts";
import { FREE } from "../../src/core/money.ts";
import type { Models } from "../../src/core/ports.ts";
import { createEngine } from "../../src/engine/engine.ts";
import { RunLog } from "../../src/engine/run-log.ts";
import { createTools } from "../../src/tools/tools.ts";
import { EMPTY_TREE, idleParts, unhurried } from "./idle-parts.ts";

/** Program: `open-run.ts open|resume STATE_DIR RID [TREE]` prints how many milliseconds it took, modules already loaded. */
const [what, stateDir = "", rid = "", tree = EMPTY_TREE] = process.argv.slice(2);
const startedAt = performance.now();
const parts = idleParts(stateDir, tree);
if (what === "open") {
  const log = new RunLog(rid, 0, { ...parts, publish: () => undefined });
  finish(log.run.status === "running");
}
const engine = createEngine({ ...parts, agent: createAgent(), tools: createTools(), models: finishLine() });
const run = await engine.resume(rid, { budget: null, routes: {}, pipeline: null }, unhurried());
throw new Error(`${rid} ended ${run.status} before its agent asked a model: ${run.end?.reason}`);

/** Whoever asks has reached it. */
function finishLine(): Models {
  return {
    facts,
    standing: () => null,
    send: () => finish(true),
    recover: async () => ({ answer: null, text: "" }),
    inputBound: () => 100_000,
    tightInputBound: async () => 100_000,
  };
}

function facts(ref: ModelRef): ModelFacts {
  return { ref, price: FREE, contextWindow: null, maxOutputTokens: 8_192, local: false, scripted: true };
}

/** As `kill -9` would: nothing more is written. */
function finish(isReached: boolean): never {
  if (isReached) process.stdout.write(JSON.stringify(performance.now() - startedAt));
  process.exit(isReached ? 0 : 1);
}
