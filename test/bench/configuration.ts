import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readProvidersFile } from "../../src/pipeline/library.ts";
import { providersOrThrow } from "../../src/providers/lanes.ts";
import { inFolder } from "./folder.ts";
import { median } from "./median.ts";
import type { ConfigurationFigures } from "./routing.ts";

const ROUNDS = 50;

/** What a team may have: a gateway with prices, local models, names of one's own and ten rules. */
function userText(): string {
  const rules = ["plan", "build", "review", "compact", "plan", "build", "review", "build", "plan", "build"].map(
    (task, index) =>
      `  - { name: rule ${index}, when: { task: ${task}, model: "*sonnet*", cost_at_most: 0.5, needs: [tools] }, use: [gateway/large-${index}, anthropic/claude-opus-5] }`,
  );
  const models = Array.from(
    { length: 12 },
    (_, index) => `      large-${index}: { price: { input: ${index + 1}, output: 9 }, context_window: 200000 }`,
  );
  return `providers:
  anthropic: { key_env: ANTHROPIC_AUTH_TOKEN }
  glm: { key_env: GLM_KEY, via: zhipu, model_map: { glm-4-6: glm-4.6 } }
  local: { via: ollama, models: [codellama, qwen2.5-coder] }
  gateway:
    wire: openai-chat
    base_url: https://gateway.example/v1
    key_env: GATEWAY_KEY
    models:
${models.join("\n")}
routing:
${rules.join("\n")}
trusted_hosts: [team.example]
`;
}

const PROJECT = `providers:
  team:
    wire: openai-chat
    base_url: https://team.example/v1
    key_env: TEAM_KEY
    models: [shared]
routing:
  - { when: { task: test }, use: [team/shared] }
`;

async function measure(folder: string): Promise<ConfigurationFigures> {
  const [user, project] = [join(folder, "user.yaml"), join(folder, "project.yaml")];
  writeFileSync(user, userText());
  writeFileSync(project, PROJECT);
  const load = async () => {
    const startedAt = performance.now();
    const files = { user: readProvidersFile(user), project: readProvidersFile(project) };
    await providersOrThrow({ ...files, environment: {}, trustedHosts: [] });
    return performance.now() - startedAt;
  };
  const firstMs = await load();
  const others: number[] = [];
  for (let round = 0; round < ROUNDS; round++) others.push(await load());
  return { firstMs, againMs: median(others) };
}

/** Program: reads and checks a user's and a project's `providers.yaml` and prints how long that took. */
process.stdout.write(JSON.stringify(await inFolder(measure)));
