import { applyUtterance, type Conversation, EMPTY_CONVERSATION, type Reminder } from "../core/conversation.ts";
import { unreachable } from "../core/errors.ts";
import type { Agent, AgentOutcome, Assignment, StepPort } from "../core/ports.ts";
import { renderTemplate } from "../core/template.ts";
import { nextTurn, type Turn } from "../core/turn.ts";
import { askInContext } from "./keep-context.ts";
import { openRoute, type Route } from "./route.ts";

/** The built-in agent: a conversation that is the fold of its own record, so it starts and resumes alike. */
export function createAgent(): Agent {
  return { run: runAgent };
}

async function runAgent(assignment: Assignment, port: StepPort): Promise<AgentOutcome> {
  await port.closeOpenCall();
  const route = openRoute(assignment.candidates);
  for (;;) {
    const talk = port.utterances().reduce(applyUtterance, EMPTY_CONVERSATION);
    const turn = nextTurn(talk, assignment.maxTurns);
    if (turn.type === "finish") return { type: "finished", value: turn.value };
    if (turn.type === "fail") return { type: "failed", class: turn.class, reason: turn.reason };
    const stop = port.stopRequested();
    if (stop) return { type: "stopped", why: stop, reason: "stopped between two turns" };
    const outcome = await take(turn, assignment, port, route, talk);
    if (outcome) return outcome;
  }
}

/** Takes one turn; an outcome ends the conversation. */
async function take(
  turn: Exclude<Turn, { type: "finish" | "fail" }>,
  assignment: Assignment,
  port: StepPort,
  route: Route,
  talk: Conversation,
): Promise<AgentOutcome | null> {
  switch (turn.type) {
    case "ask":
      return askInContext({ assignment, port, route, talk, turn: talk.turns + 1 });
    case "call-tool":
      await port.useTools([{ call: turn.call, check: port.tools.check(turn.call, assignment.grant) }]);
      return null;
    case "say":
      port.say(turn.why, sentence(assignment, turn.why, route));
      return null;
    default:
      return unreachable(turn);
  }
}

function sentence(assignment: Assignment, why: Reminder, route: Route): string {
  return renderTemplate(assignment.messages[why] ?? "", (name) =>
    name === "maxTokens" ? String(Math.min(route.current().maxOutputTokens, assignment.maxOutputTokens)) : "",
  );
}
