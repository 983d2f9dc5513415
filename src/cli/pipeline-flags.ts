import { resolve } from "node:path";
import { type Command, Option } from "commander";
import type { Budget } from "../core/budget.ts";
import { CcpError, EXIT } from "../core/errors.ts";
import { parseModelRef } from "../core/model.ts";
import { parseUsd } from "../core/money.ts";
import { ROLE_NAMES, type RoleName } from "../core/pipeline.ts";
import { didYouMean } from "../core/suggest.ts";
import { collect } from "./collect.ts";

/** Flags of every command that loads a pipeline. */
export interface PipelineFlags {
  readonly pipeline?: string | undefined;
  readonly input?: readonly string[];
  readonly model?: readonly string[];
  readonly budget?: string;
  readonly tokens?: string;
  readonly minutes?: string;
  readonly transcript?: string;
}

/** Adds these flags to a command. */
export function pipelineOptions(command: Command): Command {
  return planOptions(command).addOption(
    new Option("--input <name=value>", "an input of the pipeline; may be repeated").argParser(collect),
  );
}

/** Those of a command whose inputs are another run's. */
export function planOptions(command: Command): Command {
  return command
    .option("-p, --pipeline <path|name>", "a file, or a name in .ccp/pipelines/ or among the shipped ones")
    .addOption(
      new Option(
        "--model <role=model>",
        "the model of a role, e.g. doer=anthropic/claude-sonnet-5; may be repeated, the first that answers wins",
      ).argParser(collect),
    )
    .option("--budget <usd>", "ceiling of the run in US dollars")
    .option("--tokens <n>", "ceiling of the run in tokens")
    .option("--minutes <n>", "ceiling of the run's time")
    .option("--transcript <file>", "answers come from this transcript (the scripted provider), not from a model");
}

/** What `--budget`, `--tokens` and `--minutes` say; null for each that was not given. Throws for what is no number. */
export function budgetFrom(flags: Pick<PipelineFlags, "budget" | "tokens" | "minutes">): Budget {
  const nanos = flags.budget === undefined ? undefined : parseUsd(flags.budget);
  if (nanos === null) throw badNumber("--budget", flags.budget, "an amount of US dollars, such as 2.00");
  return {
    ...(nanos === undefined ? {} : { maxCostNanos: nanos }),
    ...(flags.tokens === undefined ? {} : { maxTokens: count("--tokens", flags.tokens) }),
    ...(flags.minutes === undefined
      ? {}
      : { maxDurationMs: Math.round(positive("--minutes", flags.minutes) * 60_000) }),
  };
}

/** `--model role=model`, and what `--transcript` makes of roles that were not named. */
export function modelsFrom(
  flags: Pick<PipelineFlags, "model" | "transcript">,
  cwd: string,
): Readonly<Partial<Record<RoleName, readonly string[]>>> {
  const named: Partial<Record<RoleName, readonly string[]>> = {};
  if (flags.transcript !== undefined)
    for (const role of ROLE_NAMES) named[role] = [`scripted/${resolve(cwd, flags.transcript)}`];
  const given: Partial<Record<RoleName, readonly string[]>> = {};
  for (const text of flags.model ?? []) {
    const [role, model] = splitPair("--model", text, "role=provider/model");
    if (!isRole(role)) throw unknownRole(role);
    if (parseModelRef(model) === null) throw notOfForm("--model", text, "role=provider/model");
    given[role] = [...(given[role] ?? []), model];
  }
  return { ...named, ...given };
}

/** `--input name=value`. Whether there is such an input is the pipeline's to say. */
export function inputsFrom(flags: Pick<PipelineFlags, "input">): Readonly<Record<string, string>> {
  return Object.fromEntries((flags.input ?? []).map((pair) => splitPair("--input", pair, "name=value")));
}

function splitPair(flag: string, text: string, form: string): readonly [string, string] {
  const at = text.indexOf("=");
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw notOfForm(flag, text, form);
}

function notOfForm(flag: string, text: string, form: string): CcpError {
  return new CcpError("usage", EXIT.usage, `${flag} ${text} is not of the form ${form}`, {
    hint: `nothing was started; write ${flag} ${form}`,
  });
}

function unknownRole(role: string): CcpError {
  const near = didYouMean(role, ROLE_NAMES);
  return new CcpError("usage", EXIT.usage, `--model names the role "${role}", which does not exist`, {
    hint: `nothing was started; ${near ? `did you mean "${near}"?` : `roles: ${ROLE_NAMES.join(", ")}`}`,
  });
}

function isRole(name: string): name is RoleName {
  return (ROLE_NAMES as readonly string[]).includes(name);
}

/** A whole number above zero. Throws for anything else. */
export function count(flag: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw badNumber(flag, text, "a whole number above zero");
}

function positive(flag: string, text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw badNumber(flag, text, "a number above zero");
}

function badNumber(flag: string, text: string | undefined, wanted: string): CcpError {
  return new CcpError("usage", EXIT.usage, `${flag} ${text ?? ""} is not ${wanted}`, {
    hint: "nothing was started; mend the flag and try again",
  });
}
