import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SqliteStore } from "../../src/store/sqlite-store.ts";
import { startMockModels } from "../support/mock-server.ts";
import { hold, smoke } from "./smoke.ts";

/** What `ccp ping` asks for at each provider. Ollama's models are the user's to name. */
const MODELS = [
  "anthropic/claude-haiku-4-5",
  "openai/gpt-5.6-luna",
  "openai-chat/gpt-5.6-luna",
  "openrouter/z-ai/glm-5.3-flash",
  "zai/glm-5.3-flash",
  "ollama/qwen3:8b",
];
const USAGE = { input_tokens: 23, output_tokens: 2 };
const TOKENS = USAGE.input_tokens + USAGE.output_tokens;

interface Answer {
  readonly model: string;
  readonly ok: boolean;
  readonly servedBy: string | null;
  readonly usage: { readonly freshInput: number; readonly output: number; readonly source: string };
  readonly costNanos: number;
}

/** Every provider answers a ping on its own wire: which model, how many tokens, at what cost; and it is on record. */
await smoke("p2", async ({ home, ccp }) => {
  const names = [...new Set(MODELS.map((model) => model.slice(model.indexOf("/") + 1)))];
  const mock = await startMockModels(names.map((model) => ({ model, turn: 1, say: "here", usage: USAGE })));
  const { url } = mock;
  mkdirSync(join(home, ".config", "ccp"), { recursive: true });
  writeFileSync(join(home, ".config", "ccp", "providers.yaml"), 'providers: { ollama: { models: ["qwen3:8b"] } }\n');
  const keys = ["ANTHROPIC", "OPENAI", "OPENROUTER", "ZHIPU"].map((name) => [`${name}_API_KEY`, `smoke-${name}`]);
  const { code, stdout, stderr } = await ccp(["ping", "--json"], {
    ...Object.fromEntries(keys),
    ANTHROPIC_BASE_URL: url,
    OPENAI_BASE_URL: `${url}/v1`,
    OPENROUTER_BASE_URL: `${url}/api/v1`,
    ZHIPU_BASE_URL: `${url}/api/paas/v4`,
    OLLAMA_HOST: url,
  });
  const requests = mock.getRequests().length;
  await mock.stop();

  hold("`ccp ping` ends with 0", code === 0, stderr + stdout);
  const answers: readonly Answer[] = JSON.parse(stdout).answers;
  for (const answer of answers) process.stdout.write(`${lineOf(answer)}\n`);
  const asked = answers.map(({ model }) => model);
  hold(
    "every provider is asked, once",
    MODELS.every((model) => asked.includes(model)) && requests === MODELS.length,
    asked.join(" "),
  );
  for (const answer of answers) {
    const { model, ok, servedBy, usage, costNanos } = answer;
    hold(`${model} answers as itself`, ok && servedBy === model.slice(model.indexOf("/") + 1), stdout);
    // aimock counts nothing on Ollama's wire, so ccp estimates there.
    const isLocal = model.startsWith("ollama/");
    const counted = usage.freshInput + usage.output === TOKENS && usage.source === "provider";
    hold(`the tokens of ${model} are the server's`, isLocal ? usage.source === "estimated" : counted, lineOf(answer));
    hold(`${model} ${isLocal ? "costs nothing" : "costs something"}`, isLocal ? costNanos === 0 : costNanos > 0);
  }
  expectOnRecord(answers, join(home, "state", "ccp", "ping"));
  return `${answers.length} providers answer, and what they cost is on record`;
});

function lineOf({ model, servedBy, usage, costNanos }: Answer): string {
  return `${model}: ${servedBy}, ${usage.freshInput} + ${usage.output} tokens (${usage.source}), ${costNanos} nano-dollars`;
}

/** The user's own journal of pings says the same. */
function expectOnRecord(answers: readonly Answer[], directory: string): void {
  const store = new SqliteStore(directory);
  const recorded = store.runs().map(({ rid, title }) => `${title} ${store.ledger(rid, "run").settledNanos}`);
  store.close();
  const printed = answers.map(({ model, costNanos }) => `${model} ${costNanos}`);
  hold("the spend is recorded", recorded.toSorted().join() === printed.toSorted().join(), recorded.join(", "));
}
