import { createHash } from "node:crypto";
import type { BlobRef, Event, TreeHash } from "../../src/core/event.ts";

/** A turn of a made-up agent: which of which step of which run. */
export interface Turn {
  readonly rid: string;
  readonly stepId: string;
  readonly conversation: number;
  /** From 1. */
  readonly turn: number;
  readonly tree: TreeHash;
}

/** An event and the payload that it names; null: it names none. */
export interface Fact {
  readonly event: Event;
  readonly payload: Uint8Array | null;
}

/** What the pieces of the made-up payloads are; a real turn says and reads about as much. */
const SENTENCE = "The function rounds down, so the last page is never counted; I will look at who calls it. ";
const LINE = "export const pageCount = (items, size) => Math.ceil(items.length / size);\n";
const MODEL = "anthropic/claude-sonnet-5";

/** A try begins, with its prompt. */
export function startFact({ stepId, conversation, tree }: Turn): Fact {
  const payload = bytesOf(JSON.stringify({ system: SENTENCE.repeat(20), user: `${stepId} ${conversation}` }));
  return {
    event: { type: "step.started", stepId, conversation, tree, prompt: refOf(payload), fingerprint: null },
    payload,
  };
}

/** A call and its answer, as the engine words them. */
export function callFacts({ rid, stepId, conversation, turn }: Turn): readonly Fact[] {
  // Each earlier try has asked once.
  const callId = `${rid}.${stepId}.${conversation - 1 + turn}`;
  const call = { callId, stepId, role: "doer", model: MODEL, heldNanos: 91_500_000, heldTokens: 40_500 };
  const payload = bytesOf(
    JSON.stringify([
      { kind: "text", text: SENTENCE.repeat(3) },
      { kind: "tool_call", id: callId, name: "read", rawArguments: `{"path":"src/pages-${turn}.js"}` },
    ]),
  );
  const request = turn.toString(16).padStart(64, "0");
  return [
    {
      event: {
        type: "call.reserved",
        ...call,
        conversation,
        turn,
        request,
        maxTokens: 8_192,
        shrunk: false,
        facts: null,
        retryOf: null,
      },
      payload: null,
    },
    {
      event: {
        type: "call.settled",
        ...call,
        costNanos: 2_345_600,
        listedNanos: 2_345_600,
        usage: { freshInput: 412, cacheRead: 6_140, cacheWrite: 512, output: 131, reasoning: 0, source: "provider" },
        durationMs: 2_340,
        result: { type: "answered", parts: refOf(payload), stop: "tool_calls", servedBy: MODEL, cut: false },
      },
      payload,
    },
  ];
}

/** The four facts of a turn: a call that asks for a tool, and the tool. Every third tool is an edit, which has trees. */
export function turnFacts(at: Turn): readonly Fact[] {
  const { stepId, turn, tree } = at;
  const isEdit = turn % 3 === 0;
  const work = { stepId, toolCallId: `${at.rid}.${stepId}.${turn}`, tool: isEdit ? "edit" : "read" };
  const path = `src/pages-${turn}.js`;
  const payload = bytesOf(`${work.toolCallId}\n${LINE.repeat(8)}`);
  return [
    ...callFacts(at),
    {
      event: {
        type: "tool.started",
        ...work,
        subject: path,
        effect: isEdit ? "write" : "read",
        tree: isEdit ? tree : null,
      },
      payload: null,
    },
    {
      event: {
        type: "tool.finished",
        ...work,
        status: "ok",
        result: refOf(payload),
        summary: `${path}, 8 lines`,
        durationMs: 12,
        treeAfter: isEdit ? tree : null,
        finish: null,
      },
      payload,
    },
  ];
}

/** What `Store.putBlob` will say of them. */
function refOf(bytes: Uint8Array): BlobRef {
  return { sha256: createHash("sha256").update(bytes).digest("hex"), sizeBytes: bytes.length };
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
