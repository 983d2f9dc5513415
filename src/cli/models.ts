import type { Command } from "commander";
import { CcpError, EXIT } from "../core/errors.ts";
import { CAPABILITIES, type Capabilities } from "../core/model.ts";
import { formatUsd, type Price } from "../core/money.ts";
import { didYouMean } from "../core/suggest.ts";
import { visibleText } from "../core/visible-text.ts";
import type { ModelDescription, Wiring } from "../wire/wire.ts";
import type { CommandContext } from "./command-context.ts";
import type { TextStream } from "./config.ts";
import { keyNames } from "./key-names.ts";
import { sourceTexts } from "./source-text.ts";
import { tableText } from "./table-text.ts";
import { writeJson } from "./write-json.ts";

/** Adds `ccp models`. */
export function registerModels(program: Command, context: CommandContext): void {
  program
    .command("models")
    .description("compare the models that can be asked here: price, context, longest answer, form of edits")
    .argument("[filter]", "only those with this in their name")
    .option("--json", "as JSON")
    .action(async (filter: string | undefined, flags: { readonly json?: boolean }) => {
      const wiring = context.wiring();
      const { stdout } = context.surroundings;
      const all = await wiring.modelList();
      const models = filter === undefined ? all : matching(filter, all);
      if (flags.json) writeJson(stdout, { v: 1, models });
      else if (models.length > 0) stdout.write(await listText(models, wiring, stdout));
      else
        stdout.write(`no provider has a key here: set ${await keyNames(wiring)}, or name models in providers.yaml\n`);
    });
}

function matching(filter: string, models: readonly ModelDescription[]): readonly ModelDescription[] {
  const wanted = filter.toLowerCase();
  const found = models.filter(({ name }) => name.toLowerCase().includes(wanted));
  if (found.length > 0) return found;
  const near = didYouMean(filter, [...new Set(models.flatMap(({ name }) => namesOf(name)))]);
  throw new CcpError(
    "unknown_model",
    EXIT.usage,
    `none of the models that can be asked here has "${filter}" in its name`,
    {
      hint:
        near === null
          ? "see them all: ccp models; which keys are there: ccp providers"
          : `did you mean "${visibleText(near).text}"?`,
    },
  );
}

/** Shorter pieces of a name are numbers of versions. */
const SHORTEST_PIECE = 4;

/** What somebody may call it: all of it, without its provider, or one word of it. */
function namesOf(name: string): readonly string[] {
  const pieces = name.split(/[^\p{L}\d.]+/u).filter((piece) => piece.length >= SHORTEST_PIECE);
  return [name, name.slice(name.indexOf("/") + 1), ...pieces];
}

/** A line of figures for each model, and below it what is no figure. */
async function listText(models: readonly ModelDescription[], wiring: Wiring, stdout: TextStream): Promise<string> {
  const placed = await sourceTexts(wiring);
  const table = await tableText(
    ["in", "out", "times", "context", "answer", "model"],
    models.map(figures),
    wiring,
    stdout,
  );
  const [header = "", ...lines] = table.trimEnd().split("\n");
  const below = models.map((model) => wrapped([priceText(model, placed), ...remarks(model)]));
  const rows = lines.flatMap((line, index) => [line, ...(below[index] ?? [])]);
  return `${[header, ...rows].join("\n")}\n\n${LEGEND}`;
}

const LEGEND = `in, out: US dollars per million tokens; times: as dear as the cheapest that is
paid for, three tokens of input to one of output. context, answer: tokens.
can: what a rule of routing may need; with a ? nobody knows (tools are then
taken for granted, the others are not).
Others of these providers can be named as well: --model doer=provider/model
`;

function figures(model: ModelDescription): readonly string[] {
  const { name, price, priceMultiple, contextWindow, maxOutputTokens } = model;
  return [
    rateText(price, "input"),
    rateText(price, "output"),
    priceMultiple === null ? "-" : `${priceMultiple.toFixed(1)}x`,
    contextWindow === null ? "unknown" : contextWindow.toLocaleString("en-US"),
    maxOutputTokens.toLocaleString("en-US"),
    name,
  ];
}

/** One that nobody knows is not one of nothing. */
function rateText(price: Price | null, rate: "input" | "output"): string {
  if (price === null) return "unknown";
  return price[rate] === 0 ? "free" : formatUsd(price[rate]);
}

/** What is said between two semicolons stays on one line. */
function wrapped(remarks: readonly string[]): readonly string[] {
  const lines: string[] = [];
  for (const remark of remarks) {
    const longer = `${lines.at(-1)}; ${remark}`;
    if (lines.length > 0 && longer.length <= WIDTH) lines[lines.length - 1] = longer;
    else lines.push(`  ${remark}`);
  }
  return lines;
}

/** Of a terminal that nobody has made wider. */
const WIDTH = 80;

function priceText({ priceSource: source }: ModelDescription, placed: Awaited<ReturnType<typeof sourceTexts>>): string {
  if (source === null) return "price unknown";
  if (source.kind === "catalogue") return "price: bundled list";
  if (source.kind === "free-provider") return "free";
  if (source.kind === "this-machine") return "free: no list has it";
  return `price: ${placed(source)}`;
}

function remarks({ price, edits, textCalls, capabilities, local, roles }: ModelDescription): readonly string[] {
  const from = Math.min(...(price?.tiers ?? []).map((tier) => tier.aboveTokens));
  const places = Object.entries(roles).map(([role, place]) => `${role} ${place}`);
  return [
    ...(Number.isFinite(from) ? [`another price above ${from.toLocaleString("en-US")} tokens`] : []),
    ...(local ? ["on this machine"] : []),
    ...(edits === "edit" ? [] : [`edits: ${edits}`]),
    ...(textCalls ? ["calls as text"] : []),
    ...(places.length === 0 ? [] : [`default: ${places.join(", ")}`]),
    capabilityText(capabilities),
  ];
}

/** `can: tools, thinking, vision?`, where nobody knows the last. */
function capabilityText(capabilities: Capabilities): string {
  const known = CAPABILITIES.filter((one) => capabilities[one]);
  const unknown = CAPABILITIES.filter((one) => capabilities[one] === undefined);
  return `can: ${[...known, ...unknown.map((one) => `${one}?`)].join(", ") || "text only"}`;
}
