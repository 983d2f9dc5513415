import type { StoredEvent, TreeHash } from "../core/event.ts";
import type { QuestionPlace } from "./replay-answers.ts";
import { FactNames } from "./replay-names.ts";

/** A question that is not the one that was asked in its place. */
export interface DifferentQuestion extends QuestionPlace {
  /** What of it is another: for people. */
  readonly what: string;
}

/** What a replay with old answers has come to. */
export class AnswersSoFar {
  readonly names = new FactNames();
  readonly #places = new Map<string, QuestionPlace>();
  readonly #attempts = new Map<string, number>();
  readonly #prompts = new Map<string, string | null>();
  readonly #different: DifferentQuestion[] = [];
  readonly #onOtherFiles: string[] = [];
  #asked = 0;
  #ran = 0;
  #tree: TreeHash | null = null;

  /** Something is on record of the replay. */
  saw(event: StoredEvent): void {
    this.names.of(event);
    if (event.type === "step.started") {
      this.#prompts.set(`${event.stepId} ${event.conversation}`, event.prompt?.sha256 ?? null);
    } else if (event.type === "call.reserved") {
      const { stepId, conversation, turn } = event;
      const place = this.nextPlace({ stepId, conversation, turn });
      this.#places.set(event.callId, place);
      this.#attempts.set(keyOf(place), place.attempt);
    } else if (event.type === "tool.started" || event.type === "command.started") this.#tree = event.tree;
  }

  /** Where a call stands that was reserved. */
  placeOf(callId: string): QuestionPlace {
    const place = this.#places.get(callId);
    if (!place) throw new Error(`call ${callId} was not reserved`);
    return place;
  }

  /** Where the next call in a turn is going to stand. */
  nextPlace(turn: Omit<QuestionPlace, "attempt">): QuestionPlace {
    return { ...turn, attempt: (this.#attempts.get(keyOf(turn)) ?? 0) + 1 };
  }

  /** sha256 of the prompt that a conversation began with; null: it was not begun. */
  prompt(stepId: string, conversation: number): string | null {
    return this.#prompts.get(`${stepId} ${conversation}`) ?? null;
  }

  /** The tree that whatever was begun last has found. */
  get tree(): TreeHash | null {
    return this.#tree;
  }

  /** A question was answered. Null: it is the one of then. */
  asked(difference: DifferentQuestion | null): void {
    this.#asked += 1;
    if (difference) this.#different.push(difference);
  }

  /** A command came out as then. `onOtherFiles`: which, where it would have found other files now; null: the same. */
  ran(onOtherFiles: string | null): void {
    this.#ran += 1;
    if (onOtherFiles !== null) this.#onOtherFiles.push(onOtherFiles);
  }

  get questions(): { readonly asked: number; readonly different: number; readonly first: DifferentQuestion | null } {
    return { asked: this.#asked, different: this.#different.length, first: this.#different[0] ?? null };
  }

  get commands(): { readonly run: number; readonly onOtherFiles: number; readonly first: string | null } {
    return { run: this.#ran, onOtherFiles: this.#onOtherFiles.length, first: this.#onOtherFiles[0] ?? null };
  }
}

function keyOf({ stepId, conversation, turn }: Omit<QuestionPlace, "attempt">): string {
  return `${stepId} ${conversation} ${turn}`;
}
