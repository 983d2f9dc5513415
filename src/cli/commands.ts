import type { Command } from "commander";
import { registerApply } from "./apply.ts";
import { registerBundle } from "./bundle.ts";
import type { CommandContext } from "./command-context.ts";
import { registerDemo } from "./demo.ts";
import { registerDiff } from "./diff.ts";
import { registerDiscard } from "./discard.ts";
import { registerDoctor } from "./doctor.ts";
import { registerExport } from "./export.ts";
import { registerFork } from "./fork.ts";
import { registerGc } from "./gc.ts";
import { registerImport } from "./import.ts";
import { registerInit } from "./init.ts";
import { registerModel } from "./model.ts";
import { registerModels } from "./models.ts";
import { registerPermissions } from "./permissions.ts";
import { registerPing } from "./ping.ts";
import { registerPlan } from "./plan.ts";
import { registerPolicy } from "./policy.ts";
import { registerProviders } from "./providers.ts";
import { registerReplay } from "./replay.ts";
import { registerRerun } from "./rerun.ts";
import { registerResume } from "./resume.ts";
import { registerRewind } from "./rewind.ts";
import { registerRoute } from "./route.ts";
import { registerRun } from "./run.ts";
import { registerRuns } from "./runs.ts";
import { registerUsage } from "./usage.ts";
import { registerValidate } from "./validate.ts";
import { registerView } from "./view.ts";

/** In the order in which help shows them. */
export const COMMANDS: readonly ((program: Command, context: CommandContext) => void)[] = [
  registerRun,
  registerResume,
  registerModel,
  registerRerun,
  registerFork,
  registerRewind,
  registerReplay,
  registerRuns,
  registerView,
  registerDiff,
  registerApply,
  registerDiscard,
  registerUsage,
  registerBundle,
  registerExport,
  registerImport,
  registerGc,
  registerValidate,
  registerPlan,
  registerRoute,
  registerPermissions,
  registerPolicy,
  registerInit,
  registerDemo,
  registerProviders,
  registerModels,
  registerPing,
  registerDoctor,
];
