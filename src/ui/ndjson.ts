import type { StoredEvent } from "../core/event.ts";
import type { Json } from "../core/json.ts";
import type { Screen } from "../core/ports.ts";
import { lostCalls, type Run, totalSpend } from "../core/run.ts";
import { stepEntries } from "../core/step-table.ts";
import { totalTokens } from "../core/usage.ts";
import type { OutputStream } from "./output-stream.ts";

/** Version of the lines' shape. */
const VERSION = 1;

/** Machine output: every fact as one line of JSON, its `type` the event's own. Deltas are not in it. */
export function createNdjsonScreen(stream: OutputStream): Screen {
  return {
    event: (event) => void stream.write(eventLine(event)),
    delta: () => {},
    notice: () => {},
    typed: () => {},
    close: () => {},
  };
}

/** `{"v":1,"type":"step.started",…}` and a line break. */
export function eventLine(event: StoredEvent): string {
  return jsonLine({ v: VERSION, ...event });
}

/** The last line of machine output, written once by whoever ends the run; `extra` adds to it (paths, next commands). */
export function resultLine(run: Run, extra: Readonly<Record<string, Json>> = {}): string {
  const spend = totalSpend(run);
  return jsonLine({
    v: VERSION,
    type: "result",
    rid: run.rid,
    status: run.status,
    exitCode: run.end?.exitCode ?? null,
    reason: run.end?.reason ?? null,
    hint: run.end?.hint ?? null,
    costNanos: spend.settledNanos,
    heldNanos: spend.heldNanos,
    tokens: spend.settledTokens,
    activeMs: run.activeMs,
    lostCalls: lostCalls(run),
    steps: stepEntries(run.steps).map(([id, step]) => ({
      id,
      status: step.status,
      tries: step.conversation,
      calls: step.calls,
      tokens: totalTokens(step.usage),
      costNanos: run.spend[`step:${id}`]?.settledNanos ?? 0,
    })),
    ...extra,
  });
}

/** JSON escapes C0 only; DEL, C1 and what turns the direction of text are escaped here. No meaning is lost. */
const UNSAFE = /[\x7f-\x9f\u200b\u200e\u200f\u061c\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

function jsonLine(value: unknown): string {
  const text = JSON.stringify(value).replace(
    UNSAFE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return `${text}\n`;
}
