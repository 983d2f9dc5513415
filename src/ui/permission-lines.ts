import type { EventOf } from "../core/event.ts";
import { type Run, toolKey } from "../core/run.ts";
import { type Line, line, quoted } from "./line.ts";

/** Lines about calls that wait for a person's consent. */
export function permissionLine(event: EventOf<"permission.asked" | "permission.decided">, run: Run): Line {
  if (event.type === "permission.asked") {
    return line("warning", `? ${event.stepId}  asks: ${callOf(event)}: ${quoted(event.reason, 200)}`);
  }
  const asked = run.questions[toolKey(event)]?.asked;
  const call = asked === undefined ? "a call" : callOf(asked);
  if (event.effect === "deny") return line("warning", `  ${event.stepId}  ${call}: a person said no`);
  const scope = event.scope === "run" ? "from here on in this run" : "this once";
  return line("note", `  ${event.stepId}  ${call}: a person allowed it, ${scope}`);
}

function callOf({ tool, subject }: EventOf<"permission.asked">): string {
  return `${quoted(tool, 40)} \`${quoted(subject, 120)}\``;
}
