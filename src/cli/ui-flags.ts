import { type Command, Option } from "commander";
import type { UiChoice } from "../wire/wire.ts";

/** Flags of every command that drives a run: how it is shown. */
export interface UiFlags {
  readonly json?: boolean;
  readonly ui?: UiChoice;
}

const UI_CHOICES: readonly UiChoice[] = ["auto", "live", "plain", "none"];

/** Adds these flags to a command. */
export function uiOptions(command: Command): Command {
  return command
    .option("--json", "events as NDJSON on standard output, ending with exactly one result")
    .addOption(
      new Option("--ui <mode>", "how progress is shown on standard error").choices(UI_CHOICES).default("auto"),
    );
}
