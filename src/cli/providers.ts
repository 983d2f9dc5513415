import type { Command } from "commander";
import { CcpError, EXIT } from "../core/errors.ts";
import { didYouMean } from "../core/suggest.ts";
import { either } from "../core/words.ts";
import type { ProviderDescription, Wiring } from "../wire/wire.ts";
import type { CommandContext } from "./command-context.ts";
import { breakerText, healthRows, limitRows } from "./provider-health-text.ts";
import { sourceTexts } from "./source-text.ts";
import { tableText } from "./table-text.ts";
import { writeJson } from "./write-json.ts";

/** Adds `ccp providers`. */
export function registerProviders(program: Command, context: CommandContext): void {
  program
    .command("providers")
    .description("list the providers and which keys are there, or all that is in force of one, and who said it")
    .argument("[name]", "only this provider, value by value")
    .option("--json", "as JSON")
    .action(async (name: string | undefined, flags: { readonly json?: boolean }) => {
      const wiring = context.wiring();
      const { stdout } = context.surroundings;
      const providers = await wiring.providers();
      const trouble = (await wiring.health()).trouble();
      if (trouble !== null) context.surroundings.stderr.write(`ccp: ${trouble}\n`);
      if (name === undefined) {
        if (flags.json) writeJson(stdout, { v: 1, providers: providers.map(({ settings: _, ...rest }) => rest) });
        else stdout.write(await listText(providers, context, wiring));
        return;
      }
      const provider = named(name, providers);
      if (flags.json) writeJson(stdout, { v: 1, provider });
      else stdout.write(await detailText(provider, context, wiring));
    });
}

function named(name: string, providers: readonly ProviderDescription[]): ProviderDescription {
  const found = providers.find(({ id }) => id === name);
  if (found) return found;
  const ids = providers.map(({ id }) => id);
  const near = didYouMean(name, ids);
  throw new CcpError("unknown_provider", EXIT.usage, `there is no provider "${name}"`, {
    hint: near === null ? `providers: ${ids.join(", ")}; others go into providers.yaml` : `did you mean "${near}"?`,
  });
}

async function listText(
  providers: readonly ProviderDescription[],
  { surroundings: { stdout } }: CommandContext,
  wiring: Wiring,
): Promise<string> {
  const now = wiring.chance.now();
  const rows = providers.map((one) => [
    one.id,
    COSTS[one.cost],
    keyText(one),
    breakerText(one, now),
    host(one.baseUrl),
  ]);
  const table = await tableText(["provider", "cost", "key", "breaker", "host"], rows, wiring, stdout);
  const limited = limitRows(providers);
  const limits =
    limited.length === 0 ? "" : `\n${await tableText(["provider", "used of its limits"], limited, wiring, stdout)}`;
  const listed = providers.filter(({ models }) => models.length > 0).map(({ id, models }) => [id, models.join(", ")]);
  const models =
    listed.length === 0 ? "" : `\n${await tableText(["provider", "models in files"], listed, wiring, stdout)}`;
  return `${table}${limits}${models}\nall that is in force of one, and who said it: ccp providers <name>\n`;
}

/** Short ones: the whole table fits 80 columns. */
const COSTS = { billed: "paid", free: "free", local: "local" } as const;

/** Only the first variable where none is set: the others are in the detail. */
function keyText({ keyVariables: [first], hasKey, keys }: ProviderDescription): string {
  if (first === undefined) return "none needed";
  if (keys && hasKey) return `${keys.set} of ${keys.listed} keys`;
  return hasKey ? first : `no ${first}`;
}

/** What a person knows it by. The path is in the detail. */
function host(baseUrl: string): string {
  return URL.canParse(baseUrl) ? new URL(baseUrl).host : baseUrl;
}

async function detailText(
  provider: ProviderDescription,
  { surroundings: { stdout } }: CommandContext,
  wiring: Wiring,
): Promise<string> {
  const placed = await sourceTexts(wiring);
  const rows = provider.settings.map(({ model, key, value, source }) => [
    settingName(model, key),
    source === null ? "default" : placed(source),
    value,
  ]);
  const table = await tableText(["setting", "from", "value"], rows, wiring, stdout);
  const columns = ["key", "model", "breaker", "remarks"];
  const isNamed = provider.health.credentials.some(({ name }) => name !== null);
  const health = healthRows(provider, wiring.chance.now()).map((row) => (isNamed ? row : row.slice(1)));
  const state = await tableText(isNamed ? columns : columns.slice(1), health, wiring, stdout);
  const used = limitRows([provider]).map(([name, text]) => `${name}: ${text}\n`);
  return `${provider.id}: ${provider.baseUrl}\n${standing(provider)}\n\n${table}\n${state}${used.length > 0 ? "\n" : ""}${used.join("")}`;
}

/** The names of models are values here: however long one is, it is that column that gives way. */
function settingName(model: string | null, key: string): string {
  if (model === null) return key;
  return key === "" ? "models" : `  ${key}`;
}

function standing({ keyVariables, hasKey, keys, cost }: ProviderDescription): string {
  const one = hasKey ? `its key is in ${keyVariables[0]}` : `no key: set ${either(keyVariables)}`;
  const key = keys && hasKey ? `${keys.set} of its ${keys.listed} keys are set` : one;
  return `${keyVariables.length === 0 ? "needs no key" : key}, ${COST_WORDS[cost]}`;
}

const COST_WORDS = {
  billed: "calls are billed",
  free: "calls cost nothing",
  local: "on this machine, calls cost nothing",
} as const;
