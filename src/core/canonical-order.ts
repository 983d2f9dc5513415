import type { EventOf, StoredEvent } from "./event.ts";

/** The facts of one conversation of a step, or of a part of it. */
interface Block {
  readonly stepId: string;
  readonly conversation: number;
  readonly events: StoredEvent[];
}

/**
 * The order in which steps that run side by side come on record is chance. Only those that change no files do: between
 * two that do, or two facts of the run itself, their conversations stand by the names of their steps, each in one piece.
 */
export function inCanonicalOrder(events: readonly StoredEvent[]): readonly StoredEvent[] {
  const ordered: StoredEvent[] = [];
  const open = new Map<string, Block>();
  let blocks: Block[] = [];
  const flush = () => {
    ordered.push(...arranged(blocks).flatMap((block) => block.events));
    blocks = [...open.values()].map(({ stepId, conversation }) => ({ stepId, conversation, events: [] }));
    for (const block of blocks) open.set(block.stepId, block);
  };
  for (const event of events) {
    if (event.type === "step.started") blocks.push(opened(event, open));
    const block = blockOf(event, open);
    if (block === undefined) {
      flush();
      ordered.push(event);
      continue;
    }
    block.events.push(event);
    if (event.type === "step.finished") open.delete(block.stepId);
  }
  flush();
  return ordered;
}

/**
 * Calls of one answer are carried out side by side, as many as there were left of it after a crash: how many began
 * together is chance. Each stands with its beginning where it ended; those that never ended stay where they began.
 */
export function withBeginningsBesideEnds(events: readonly StoredEvent[]): readonly StoredEvent[] {
  const begun = new Map<string, StoredEvent>();
  const beginningOf = new Map<StoredEvent, StoredEvent>();
  for (const event of events) {
    if (event.type === "tool.started") begun.set(toolName(event), event);
    if (event.type !== "tool.finished") continue;
    const beginning = begun.get(toolName(event));
    if (beginning !== undefined) beginningOf.set(event, beginning);
    // Another conversation may use the name again, and a call that is refused has no beginning.
    begun.delete(toolName(event));
  }
  const moved = new Set(beginningOf.values());
  return events.flatMap((event) => {
    const beginning = beginningOf.get(event);
    if (beginning !== undefined) return [beginning, event];
    return moved.has(event) ? [] : [event];
  });
}

function toolName({ stepId, toolCallId }: EventOf<"tool.started" | "tool.finished">): string {
  return `${stepId} ${toolCallId}`;
}

function opened({ stepId, conversation }: EventOf<"step.started">, open: Map<string, Block>): Block {
  const block = { stepId, conversation, events: [] };
  open.set(stepId, block);
  return block;
}

/** Undefined: a fact of the run itself. */
function blockOf(event: StoredEvent, open: ReadonlyMap<string, Block>): Block | undefined {
  const isJudgementOfTheEnd = "purpose" in event && event.purpose === "final";
  if (!("stepId" in event) || event.stepId === null || isJudgementOfTheEnd) return undefined;
  return open.get(event.stepId);
}

/** Whoever changes files runs alone, and stays in its place. */
function arranged(blocks: readonly Block[]): readonly Block[] {
  const result: Block[] = [];
  let readers: Block[] = [];
  for (const block of blocks) {
    if (!changesFiles(block)) {
      readers.push(block);
      continue;
    }
    result.push(...readers.toSorted(byName), block);
    readers = [];
  }
  return [...result, ...readers.toSorted(byName)];
}

function byName(a: Block, b: Block): number {
  if (a.stepId !== b.stepId) return a.stepId < b.stepId ? -1 : 1;
  return a.conversation - b.conversation;
}

/** A command may do anything; an agent has done what its tools have. */
function changesFiles({ events }: Block): boolean {
  return events.some((event) => {
    if (event.type === "step.started") return event.prompt === null;
    return event.type === "tool.started" && (event.effect === "write" || event.effect === "execute");
  });
}
