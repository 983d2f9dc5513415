import type { Lane } from "../core/lane.ts";
import type { StallLimits } from "./stall-watch.ts";

/** These wires say at once that an answer has begun. */
const CLOUD: StallLimits = { firstEventTimeoutMs: 120_000, idleTimeoutMs: 120_000 };
/** On this one a model that hides its reasoning says nothing until it is through with it. */
const CHAT: StallLimits = { firstEventTimeoutMs: 300_000, idleTimeoutMs: 120_000 };
/** A model on this machine reads its prompt slowly, and Ollama keeps a tool call to itself until it is whole. */
const LOCAL: StallLimits = { firstEventTimeoutMs: 600_000, idleTimeoutMs: 300_000 };

/** How long a lane is waited for: what the user says, else what its wire needs. */
export function stallLimits(lane: Lane): StallLimits {
  const { firstEventTimeoutMs, idleTimeoutMs } = usual(lane);
  return {
    firstEventTimeoutMs: lane.waits?.firstEventMs ?? firstEventTimeoutMs,
    idleTimeoutMs: lane.waits?.silenceMs ?? idleTimeoutMs,
  };
}

function usual(lane: Lane): StallLimits {
  if (lane.local || lane.wire === "ollama-chat") return LOCAL;
  return lane.wire === "openai-chat" ? CHAT : CLOUD;
}
