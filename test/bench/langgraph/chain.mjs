import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
import { SqliteSaver } from "@langchain/langgraph-checkpoint-sqlite";
import Database from "better-sqlite3";

// Program: `chain.mjs STEPS default|full` runs chains of nodes that do nothing and prints the figures of the last.
const [steps, mode] = process.argv.slice(2);
for (let round = 0; round < 3; round++) await runChain(100, mode);
process.stdout.write(JSON.stringify(await runChain(Number(steps), mode)));

async function runChain(length, mode) {
  const folder = mkdtempSync(join(tmpdir(), "ccp-bench-"));
  const file = join(folder, "checkpoints.db");
  const database = new Database(file);
  const checkpointer = new SqliteSaver(database);
  // Here it chooses WAL, with which better-sqlite3 does not flush at every commit.
  checkpointer.setup();
  if (mode === "full") database.pragma("synchronous = FULL");
  const ends = [];
  const graph = chainOf(length, () => ends.push(performance.now())).compile({ checkpointer });
  const startedAt = performance.now();
  const settings = { configurable: { thread_id: "bench" }, recursionLimit: length + 1, durability: "sync" };
  await graph.invoke({ task: "Nothing." }, settings);
  const totalMs = performance.now() - startedAt;
  database.close();
  const bytes = statSync(file).size;
  rmSync(folder, { recursive: true });
  // A node is done when the next one begins: its checkpoint has been written by then.
  const endOf = (step) => (step === length ? startedAt + totalMs : (ends[step] ?? startedAt));
  return {
    msPerStep: totalMs / length,
    firstHundredMs: (endOf(Math.min(100, length)) - startedAt) / 100,
    lastHundredMs: (endOf(length) - (length > 100 ? endOf(length - 100) : startedAt)) / 100,
    bytesPerStep: bytes / length,
  };
}

function chainOf(length, onNode) {
  const graph = new StateGraph(Annotation.Root({ task: Annotation }));
  const names = Array.from({ length }, (_, index) => `step-${index + 1}`);
  for (const name of names) {
    graph.addNode(name, async () => {
      onNode();
      return {};
    });
  }
  for (const [index, name] of names.entries()) graph.addEdge(index === 0 ? START : names[index - 1], name);
  return graph.addEdge(names[length - 1], END);
}
