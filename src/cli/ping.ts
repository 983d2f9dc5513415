import type { Command } from "commander";
import { CcpError, EXIT } from "../core/errors.ts";
import { formatModelRef, type ModelRef, parseModelRef } from "../core/model.ts";
import { formatUsd } from "../core/money.ts";
import { modelRefusal } from "../core/policy-limits.ts";
import { NO_USAGE, totalTokens } from "../core/usage.ts";
import type { PingAnswer, Wiring } from "../wire/wire.ts";
import { collect } from "./collect.ts";
import type { CommandContext } from "./command-context.ts";
import { keyNames } from "./key-names.ts";
import { tableText } from "./table-text.ts";
import { writeJson } from "./write-json.ts";

interface PingFlags {
  readonly model?: readonly string[];
  readonly json?: boolean;
}

/** Adds `ccp ping`. */
export function registerPing(program: Command, context: CommandContext): void {
  program
    .command("ping")
    .description(
      "one tiny call to each provider that has a key: does it answer, as what model, at what cost; the spend is recorded",
    )
    .option("--model <provider/model>", "ask this model instead; may be repeated", collect)
    .option("--json", "as JSON")
    .action(async (flags: PingFlags) => {
      const wiring = context.wiring();
      const { stdout } = context.surroundings;
      const answers = await pingAll(flags.model ?? null, wiring);
      if (flags.json) writeJson(stdout, { v: 1, answers });
      else if (answers.length === 0)
        stdout.write(`no provider has a key here: set ${await keyNames(wiring)}, or name a model with --model\n`);
      else {
        const rows = answers.map((answer) => [
          answer.credential === null ? answer.model : `${answer.model} (${answer.credential})`,
          answer.ok ? "answers" : `${answer.failure?.class ?? "failed"}: ${answer.failure?.message ?? ""}`,
          answer.servedBy ?? "-",
          `${totalTokens(answer.usage)} tokens`,
          formatUsd(answer.costNanos),
          `${answer.durationMs} ms`,
        ]);
        stdout.write(await tableText(["model", "state", "served by", "used", "cost", "took"], rows, wiring, stdout));
      }
      context.exit(exitCode(answers));
    });
}

/** The models that were named, or one of each lane that has a key. Side by side: one that hangs keeps none waiting. */
async function pingAll(named: readonly string[] | null, wiring: Wiring): Promise<readonly PingAnswer[]> {
  const ping = await wiring.pinger();
  const refs = named === null ? await reachable(wiring) : named.map(modelRef);
  const policy = (await wiring.policies(null)).now();
  const answers = refs.map((ref) => {
    const why = modelRefusal(policy, ref);
    return why === null ? ping(ref) : [refused(ref, why)];
  });
  return (await Promise.all(answers)).flat();
}

/** Not asked at all. */
function refused(ref: ModelRef, message: string): PingAnswer {
  const failure = { class: "denied", message, httpStatus: null, retryAfterMs: null, mayBeBilled: false } as const;
  return {
    model: formatModelRef(ref),
    credential: null,
    ok: false,
    servedBy: null,
    usage: NO_USAGE,
    costNanos: 0,
    durationMs: 0,
    failure,
  };
}

async function reachable(wiring: Wiring): Promise<readonly ModelRef[]> {
  const usable = (await wiring.lanes()).filter(
    (lane) => lane.credential !== null || (lane.auth === "none" && Object.keys(lane.models).length > 0),
  );
  const refs = await Promise.all(usable.map((lane) => wiring.pingModel(lane)));
  return refs.filter((ref) => ref !== null);
}

function modelRef(name: string): ModelRef {
  const ref = parseModelRef(name);
  if (ref) return ref;
  throw new CcpError("usage", EXIT.usage, `--model ${name} is not of the form provider/model`, {
    hint: "for example: ccp ping --model anthropic/claude-haiku-4-5",
  });
}

function exitCode(answers: readonly PingAnswer[]): number {
  if (answers.length === 0) return EXIT.credentials;
  if (answers.every((answer) => answer.ok)) return EXIT.ok;
  return answers.some((answer) => answer.failure?.class === "auth" || answer.failure?.class === "denied")
    ? EXIT.credentials
    : EXIT.unavailable;
}
