import { type Conversation, EMPTY_CONVERSATION, type Reminder } from "../core/conversation.ts";
import { unreachable } from "../core/errors.ts";
import { repeatedText } from "../core/loop.ts";
import type { Agent, AgentOutcome, AgentQuestion, Assignment, StepPort } from "../core/ports.ts";
import { renderTemplate } from "../core/template.ts";
import { openTodos, renderTodos } from "../core/todos.ts";
import { nextTurn, type Turn, togetherOf } from "../core/turn.ts";
import { askModel, intentOf } from "./ask-model.ts";
import { askInContext } from "./keep-context.ts";
import { openRoute, type Route } from "./route.ts";
import { followTalk } from "./talk.ts";

/** The built-in agent: a conversation that is the fold of its own record, so it starts and resumes alike. */
export function createAgent(): Agent {
  return { run: runAgent, ask };
}

async function ask(assignment: Assignment, question: AgentQuestion, port: StepPort): Promise<AgentOutcome | null> {
  const { purpose, text, maxOutputTokens } = question;
  const aside = { purpose, messages: [{ role: "user", text }], maxOutputTokens, withoutTools: true } as const;
  const asked = { assignment, port, route: openRoute(assignment.candidates), talk: EMPTY_CONVERSATION, turn: 0, aside };
  const { request } = intentOf(asked, asked.route.current());
  const ruled = await port.candidatesBeside(request, maxOutputTokens);
  return askModel(ruled === null ? asked : { ...asked, aside: { ...aside, route: openRoute(ruled) } });
}

async function runAgent(assignment: Assignment, port: StepPort): Promise<AgentOutcome> {
  await port.closeOpenCall();
  const route = openRoute(assignment.candidates);
  const talkNow = followTalk(port);
  for (;;) {
    const talk = talkNow();
    const turn = nextTurn(talk, assignment.maxTurns);
    if (turn.type === "finish") return { type: "finished", value: turn.value };
    if (turn.type === "fail") return { type: "failed", class: turn.class, reason: turn.reason };
    const stop = port.stopRequested();
    if (stop) return { type: "stopped", why: stop, reason: "stopped between two turns" };
    const outcome = await take(turn, { assignment, port, route, talk });
    if (outcome) return outcome;
  }
}

/** Where a turn is taken. */
interface Place {
  readonly assignment: Assignment;
  readonly port: StepPort;
  readonly route: Route;
  readonly talk: Conversation;
}

/** Takes one turn; an outcome ends the conversation. */
async function take(turn: Exclude<Turn, { type: "finish" | "fail" }>, place: Place): Promise<AgentOutcome | null> {
  const { assignment, port, route, talk } = place;
  switch (turn.type) {
    case "ask":
      return askInContext({ assignment, port, route, talk, turn: talk.turns + 1 });
    case "call-tools": {
      const uses = turn.calls.map((call) => ({ call, check: port.tools.check(call, assignment.grant) }));
      await port.useTools(togetherOf(uses));
      return null;
    }
    case "refuse-call":
      await port.useTools([{ call: turn.call, check: { type: "repeated", text: repeatedText(turn.call) } }]);
      return null;
    case "say":
      port.say(turn.why, sentence(turn.why, place));
      return null;
    default:
      return unreachable(turn);
  }
}

function sentence(why: Reminder, { assignment, route, talk }: Place): string {
  const { messages } = assignment;
  // A run that was begun by an older ccp has its own sentences pinned.
  const said = renderTemplate(messages[why] ?? messages.nudge ?? "", (name) =>
    name === "maxTokens" ? String(Math.min(route.current().maxOutputTokens, assignment.maxOutputTokens)) : "",
  );
  const open = openTodos(talk.todos);
  if (why !== "nudge" || open.length === 0) return said;
  return `${said.trimEnd()}\n\n${renderTemplate(messages["open-todos"] ?? "${todos}", () => renderTodos(open))}`;
}
