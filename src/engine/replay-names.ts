import type { Event, EventOf } from "../core/event.ts";

/** The name of a call, without the run's. */
export function callName(callId: string): string {
  return `call ${callId.slice(callId.indexOf(".") + 1)}`;
}

/** The name of a conversation. */
export function conversationName(stepId: string, conversation: number): string {
  return `step ${stepId} ${conversation}`;
}

/** True for the name of a tool call's beginning or end. */
export function isOfTool(name: string): boolean {
  return name.startsWith("tool ");
}

/** The name under which the beginning, or the end, of something is known. */
export const begun = (name: string) => `${name} begun`;
export const done = (name: string) => `${name} done`;
/** The name of the question about it. */
export const asked = (name: string) => `${name} asked`;

/**
 * Names facts as they come, so that one of a run and one of its replay can be told to be the same. Facts that a crash
 * adds, and those that only ever come together with another, have no name.
 */
export class FactNames {
  readonly #counts = new Map<string, number>();
  readonly #conversations = new Map<string, number>();
  readonly #owners = new Map<string, string | null>();
  #isPrepared = false;

  /** Null: it has no name. Each fact is to be shown once, in order. */
  of(event: Event): string | null {
    switch (event.type) {
      case "workspace.prepared":
        this.#isPrepared = true;
        return this.#counted(event.type);
      case "workspace.created":
        return this.#isPrepared ? null : this.#counted(event.type);
      case "workspace.edited":
      case "steps.reset":
      case "judgements.voided":
        return this.#counted(event.type);
      case "policy.changed":
        return this.#counted(`${event.type} ${event.stepId}`);
      case "message.added":
      case "escalation.decided":
      case "step.diagnosed":
      case "context.pruned":
      case "context.summarised":
      case "route.decided":
        return this.#counted(`${event.type} ${event.stepId}`);
      case "route.changed":
        // One that came while nobody drove the run was not the driver's to make.
        return event.stepId === undefined ? null : this.#counted(`${event.type} ${event.stepId}`);
      case "step.started":
        this.#conversations.set(event.stepId, event.conversation);
        return begun(conversationName(event.stepId, event.conversation));
      case "step.finished":
        return done(conversationName(event.stepId, event.conversation));
      case "call.reserved":
        this.#count(`calls of ${event.stepId}`);
        return begun(callName(event.callId));
      case "call.settled":
        return done(callName(event.callId));
      case "call.lost":
        return event.failure === null ? null : done(callName(event.callId));
      case "tool.started":
        return begun(this.tool(event.stepId, event.toolCallId));
      case "permission.asked":
        return asked(this.tool(event.stepId, event.toolCallId));
      case "tool.finished":
        return this.#ended(this.tool(event.stepId, event.toolCallId), this.#toolKey(event.stepId, event.toolCallId));
      case "command.started":
        this.#owners.set(event.commandId, event.stepId);
        return this.#isAgain(event) ? null : begun(this.command(event.commandId));
      case "command.finished":
        return this.#isAgain(event) ? null : this.#ended(this.command(event.commandId), `command ${event.commandId}`);
      default:
        return null;
    }
  }

  /** What begins, or ends, is named by what it is and which one it is. Here: the next call of a step, … */
  nextCall(stepId: string): string {
    return `call ${stepId}.${this.#nth(`calls of ${stepId}`)}`;
  }

  /** … the next decision about a step's tries … */
  nextDecision(stepId: string): string {
    const key = `escalation.decided ${stepId}`;
    return `${key} ${this.#nth(key)}`;
  }

  /** … the run of a command that was begun last … */
  command(commandId: string): string {
    return `command ${commandId} ${this.#nth(`command ${commandId}`)}`;
  }

  /** … and that of a tool, in the conversation that its step has now. */
  tool(stepId: string, toolCallId: string): string {
    const key = this.#toolKey(stepId, toolCallId);
    return `${key} ${this.#nth(key)}`;
  }

  /** The step that a command was begun for; null: the run itself. */
  stepOf(commandId: string): string | null {
    return this.#owners.get(commandId) ?? null;
  }

  #toolKey(stepId: string, toolCallId: string): string {
    return `tool ${stepId} ${this.#conversations.get(stepId) ?? 0} ${toolCallId}`;
  }

  /** A worktree that was made again is set up again. */
  #isAgain({ purpose }: EventOf<"command.started" | "command.finished">): boolean {
    return this.#isPrepared && purpose === "setup";
  }

  #nth(key: string): number {
    return (this.#counts.get(key) ?? 0) + 1;
  }

  #count(key: string): void {
    this.#counts.set(key, this.#nth(key));
  }

  #counted(key: string): string {
    this.#count(key);
    return `${key} ${this.#counts.get(key)}`;
  }

  #ended(name: string, key: string): string {
    this.#count(key);
    return done(name);
  }
}
