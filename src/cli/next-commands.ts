import { openQuestion, type Run } from "../core/run.ts";
import type { NextCommand } from "../wire/wire.ts";

function consent(rid: string): readonly NextCommand[] {
  return [
    { command: `ccp resume ${rid} --allow`, purpose: "agree to the call, and go on" },
    { command: `ccp resume ${rid} --deny`, purpose: "refuse it, and go on" },
  ];
}

/** What a person may do next with a run. Only commands that exist, with the real rid. */
export function nextCommands(run: Run): readonly NextCommand[] {
  const { rid } = run;
  const see = { command: `ccp diff ${rid}`, purpose: "see the changes" };
  const drop = { command: `ccp discard ${rid}`, purpose: "drop them" };
  const resume = { command: run.end?.hint ?? `ccp resume ${rid}`, purpose: "go on" };
  switch (run.status) {
    case "succeeded":
      return run.applied
        ? [drop, { command: `ccp run --on ${rid} "…"`, purpose: "go on from here" }]
        : [see, { command: `ccp apply ${rid}`, purpose: "bring them into your tree" }, drop];
    case "failed":
      return [
        { command: `ccp view ${rid}`, purpose: "see what happened" },
        see,
        { command: `ccp resume ${rid}`, purpose: "try again where it failed" },
        { command: `ccp run --on ${rid} "…"`, purpose: "go on from this tree with another task" },
      ];
    case "discarded":
      return [{ command: `ccp rerun ${rid}`, purpose: "run it again" }];
    case "running":
      return [{ command: `ccp resume ${rid}`, purpose: "go on, if nobody else is driving it" }];
    default:
      if (openQuestion(run) !== null) return [...consent(rid), see, drop];
      return [resume, see, drop];
  }
}
