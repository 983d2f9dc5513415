import type { Conversation } from "../core/conversation.ts";
import type { CallPurpose, Message, ModelFacts } from "../core/model.ts";
import type { Assignment, StepPort } from "../core/ports.ts";
import type { Route } from "./route.ts";

/** What a model is to be asked, and by whom. */
export interface Question {
  readonly assignment: Assignment;
  readonly port: StepPort;
  readonly route: Route;
  /** The conversation as it is before it is asked. */
  readonly talk: Conversation;
  /** Ordinal of the model call in its conversation; 0 for a question beside it. */
  readonly turn: number;
  /** A question that is no part of the talk; missing: the conversation as it is. */
  readonly aside?: Aside;
}

/** A question beside the talk: for what, with which messages, and how long its answer may be in tokens. */
export interface Aside {
  readonly purpose: CallPurpose;
  readonly messages: readonly Message[];
  readonly maxOutputTokens: number;
  /** Who is asked, where it is not whom the conversation asks; missing: those. */
  readonly route?: Route;
  /** True: there is no use for tools in its answer. Missing: it has those of the conversation, for what a provider has in its cache begins with them. */
  readonly withoutTools?: true;
}

/** Who is asked now. */
export function routeOf({ route, aside }: Pick<Question, "route" | "aside">): Route {
  return aside?.route ?? route;
}

/** The longest answer that is wanted of a model, in tokens. */
export function outputCeiling(
  model: ModelFacts,
  { assignment, aside }: Pick<Question, "assignment" | "aside">,
): number {
  const most = aside?.maxOutputTokens ?? Number.POSITIVE_INFINITY;
  return Math.min(model.maxOutputTokens, assignment.maxOutputTokens, most);
}
