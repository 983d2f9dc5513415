import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { EventOf, StoredEvent } from "../../../src/core/event.ts";
import type { ModelFailure, Part } from "../../../src/core/model.ts";
import { SqliteStore } from "../../../src/store/sqlite-store.ts";
import { git } from "../../support/git.ts";

/** A call as the journal has it. */
export interface RecordedCall {
  readonly lane: string;
  readonly model: string;
  readonly turn: number;
  readonly heldNanos: number;
  readonly heldTokens: number;
  /** What was charged. */
  readonly nanos: number;
  readonly tokens: number;
  readonly outcome:
    | { readonly type: "answered"; readonly parts: readonly Part[]; readonly servedBy: string | null }
    | { readonly type: "failed" | "lost"; readonly failure: ModelFailure | null; readonly hasPartial: boolean };
  /** True: it names the call that it asks again. */
  readonly isRetryOf: boolean;
}

/** What a run left behind. */
export interface Recorded {
  readonly rid: string;
  readonly status: string;
  readonly ending: string | null;
  readonly calls: readonly RecordedCall[];
  readonly settledNanos: number;
  readonly heldNanos: number;
  /** Of run.json. */
  readonly costNanos: number;
  readonly models: readonly { readonly model: string; readonly calls: number; readonly cost_nanos: number }[];
  /** Files of the run's branch, by path; null: there is no branch. */
  readonly file: (path: string) => string | null;
}

interface RunJson {
  readonly rid: string;
  readonly status: string;
  readonly cost_nanos: number;
  readonly models: Recorded["models"];
  readonly steps: readonly { readonly failure: { readonly class: string } | null }[];
}

/** By the folder that the last line of `--json` names. Null: there is none. */
export function recordOf(root: string, stdout: string): Recorded | null {
  const json = runJson(stdout);
  if (json === null) return null;
  const store = new SqliteStore(join(root, ".git", "ccp"));
  try {
    const events = store.events(json.rid);
    const { settledNanos, heldNanos } = store.ledger(json.rid, "run");
    const reserved = events.filter((event) => event.type === "call.reserved");
    return {
      rid: json.rid,
      status: json.status,
      ending: json.steps.findLast(({ failure }) => failure !== null)?.failure?.class ?? null,
      calls: reserved.flatMap((call) => callOf(call, events, store)),
      settledNanos,
      heldNanos,
      costNanos: json.cost_nanos,
      models: json.models,
      file: (path) => {
        try {
          return git(root, "show", `ccp/${json.rid}:${path}`);
        } catch {
          return null;
        }
      },
    };
  } finally {
    store.close();
  }
}

function runJson(stdout: string): RunJson | null {
  try {
    const { results } = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as { readonly results: string };
    return JSON.parse(readFileSync(join(results, "run.json"), "utf8")) as RunJson;
  } catch {
    return null;
  }
}

/** Every end of the call: two of them are two entries, which no run may have. */
function callOf(
  reserved: StoredEvent & EventOf<"call.reserved">,
  events: readonly StoredEvent[],
  store: SqliteStore,
): readonly RecordedCall[] {
  const { callId, model, turn, heldNanos, heldTokens, retryOf } = reserved;
  const known = { lane: model.split("/")[0] ?? "", model, turn, heldNanos, heldTokens, isRetryOf: retryOf !== null };
  return events.flatMap((event): readonly RecordedCall[] => {
    if (event.type === "call.lost" && event.callId === callId) {
      const outcome = { type: "lost", failure: event.failure, hasPartial: event.partial !== null } as const;
      return [{ ...known, nanos: event.heldNanos, tokens: event.heldTokens, outcome }];
    }
    if (event.type !== "call.settled" || event.callId !== callId) return [];
    const { usage, costNanos, result } = event;
    const charged = {
      nanos: costNanos,
      tokens: usage.freshInput + usage.cacheRead + usage.cacheWrite + usage.output,
    };
    if (result.type === "failed") {
      const outcome = { type: "failed", failure: result.failure, hasPartial: result.partial !== null } as const;
      return [{ ...known, ...charged, outcome }];
    }
    const parts = JSON.parse(new TextDecoder().decode(store.blob(result.parts))) as readonly Part[];
    return [{ ...known, ...charged, outcome: { type: "answered", parts, servedBy: result.servedBy } }];
  });
}
