import { type Means, NO_MEANS } from "../core/escalation-terms.ts";
import type { BlobRef, EventOf, StoredEvent, TreeHash } from "../core/event.ts";
import type { RecordedCall } from "./replay-models.ts";
import { done, FactNames } from "./replay-names.ts";

/** A question, by who asked it: the n-th attempt to get an answer in a turn of a conversation. */
export interface QuestionPlace {
  readonly stepId: string;
  readonly conversation: number;
  readonly turn: number;
  readonly attempt: number;
}

/** What a tool with effects answered, and the tree that it found. */
export interface RecordedTool {
  readonly tree: TreeHash | null;
  readonly finished: EventOf<"tool.finished">;
}

/** Old answers, to be found by whoever asks the same place again. Undefined: there is none. */
export interface RecordedAnswers {
  /** Calls that a crash lost are no attempts. */
  call(place: QuestionPlace): RecordedCall | undefined;
  /** `name`: as `FactNames` gives it. */
  tool(name: string): RecordedTool | undefined;
  /** By name where the text is the same, else what the same text came to on the same tree. */
  command(name: string, text: string, tree: TreeHash): EventOf<"command.finished"> | undefined;
  /** What the command of this name was then. */
  commandText(name: string): string | undefined;
  /** What could be done for a step that was stuck, by the name of the decision; nothing, where none was made. */
  means(name: string): Means;
  /** What a conversation began with; null: it was not begun. */
  prompt(stepId: string, conversation: number): BlobRef | null;
}

/** Puts a log in order. */
export function recordedAnswers(events: readonly StoredEvent[]): RecordedAnswers {
  const names = new FactNames();
  const named = new Map<string, StoredEvent>();
  const calls = new Map<string, RecordedCall>();
  const tools = new Map<string, RecordedTool>();
  const prompts = new Map<string, BlobRef | null>();
  const trees = new Map<string, TreeHash | null>();
  const attempts = new Map<string, number>();
  const ends = endsOf(events);
  for (const event of events) {
    const toolName = event.type === "tool.finished" ? names.tool(event.stepId, event.toolCallId) : "";
    const name = names.of(event);
    if (name !== null && !named.has(name)) named.set(name, event);
    if (event.type === "step.started") prompts.set(`${event.stepId} ${event.conversation}`, event.prompt);
    if (event.type === "tool.started") trees.set(`${event.stepId} ${event.toolCallId}`, event.tree);
    if (event.type === "tool.finished" && event.status !== "denied") {
      tools.set(toolName, { tree: trees.get(`${event.stepId} ${event.toolCallId}`) ?? null, finished: event });
    }
    const end = event.type === "call.reserved" ? ends.get(event.callId) : undefined;
    if (event.type === "call.reserved" && end) {
      const turn = `${event.stepId} ${event.conversation} ${event.turn}`;
      attempts.set(turn, (attempts.get(turn) ?? 0) + 1);
      calls.set(`${turn} ${attempts.get(turn)}`, { reserved: event, end });
    }
  }
  const commands = events.filter((event) => event.type === "command.finished");
  const commandOf = (name: string) => {
    const event = named.get(done(name));
    return event?.type === "command.finished" ? event : undefined;
  };
  return {
    call: ({ stepId, conversation, turn, attempt }) => calls.get(`${stepId} ${conversation} ${turn} ${attempt}`),
    tool: (name) => tools.get(name),
    command(name, text, tree) {
      const own = commandOf(name);
      return own?.command === text ? own : commands.find((one) => one.command === text && one.tree === tree);
    },
    commandText: (name) => commandOf(name)?.command,
    means(name) {
      const event = named.get(name);
      return event?.type === "escalation.decided" ? event.means : NO_MEANS;
    },
    prompt: (stepId, conversation) => prompts.get(`${stepId} ${conversation}`) ?? null,
  };
}

function endsOf(events: readonly StoredEvent[]): ReadonlyMap<string, EventOf<"call.settled" | "call.lost">> {
  return new Map(
    events.flatMap((event) => {
      const isEnd = event.type === "call.settled" || (event.type === "call.lost" && event.failure !== null);
      return isEnd ? [[event.callId, event] as const] : [];
    }),
  );
}
