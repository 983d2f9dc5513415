import type { Wire } from "../agent/answers.ts";
import { laneViolations } from "./judge.ts";
import { ccp, onStage, type Play } from "./play.ts";
import { type RecordedCall, recordOf } from "./recorded.ts";
import type { Scenario } from "./scenarios.ts";

/** How long the first lane is down. */
const OUTAGE_MS = 12_000;
/** From its recovery on, until it has to be asked again. */
const LONGEST_RECOVERY_MS = 30_000;
/** Three that open the breaker, and one probe for each of its rests, with one to spare. */
const MOST_ASKED_WHILE_DOWN = 6;
const LONGEST_RUN_MS = 30_000;

/** What came of a lane that flaps. */
export interface Flapped {
  readonly wire: Wire;
  readonly runs: number;
  /** Requests at the first lane while it was down. */
  readonly askedWhileDown: number;
  /** From its recovery to its first whole answer; null: it was not asked again. */
  readonly backAfterMs: number | null;
  readonly slowestMs: number;
  readonly violations: readonly string[];
}

/**
 * S15 of failoverbench's catalogue: the first lane answers 503, and after a while is well again; one run after another,
 * each a process of its own. While it is down the other lane serves, and the first is left alone but for probes.
 */
export function flap(wire: Wire, binary: string): Promise<Flapped> {
  const startedAt = performance.now();
  const passed = () => performance.now() - startedAt;
  const down = {
    kind: "status",
    status: 503,
    body: '{"error":{"type":"overloaded_error","message":"Overloaded"}}',
  } as const;
  const scenario: Scenario = {
    id: "S15",
    title: "the first lane is down, then healthy",
    act: () => (passed() < OUTAGE_MS ? down : { kind: "whole" }),
    wires: [wire],
    route: ["first", "second"],
    class: "overloaded",
    brokeOff: false,
    asked: [],
    end: "succeeded",
    seconds: 120,
  };
  const of: Play = { scenario, wire };
  return onStage(of, binary, async (stage) => {
    const { root, pipeline, task, lanes } = stage;
    const first = lanes[0]?.server?.taken ?? [];
    const isBack = () => first.some(({ whole }) => whole !== null);
    const runs: { readonly exitCode: number | null; readonly ms: number; readonly calls: number }[] = [];
    const calls: RecordedCall[] = [];
    while (!isBack() && passed() < OUTAGE_MS + LONGEST_RECOVERY_MS + LONGEST_RUN_MS) {
      const from = passed();
      const { exitCode, stdout } = await ccp(["run", "--pipeline", pipeline, "--json", task.words], stage);
      const recorded = recordOf(root, stdout)?.calls ?? [];
      calls.push(...recorded);
      runs.push({ exitCode, ms: Math.round(passed() - from), calls: recorded.length });
    }
    const askedWhileDown = first.filter(({ whole }) => whole === null).length;
    const backAt = first.find(({ whole }) => whole !== null)?.at ?? null;
    const backAfterMs = backAt === null ? null : Math.round(backAt - startedAt - OUTAGE_MS);
    const slowestMs = Math.max(0, ...runs.map(({ ms }) => ms));
    const isSlow = slowestMs > LONGEST_RUN_MS;
    const violations = [
      ...runs.flatMap(({ exitCode }) => (exitCode === 0 ? [] : [`a run ended with exit ${exitCode}`])),
      ...(isSlow ? [`a run took ${slowestMs} ms`] : []),
      ...(askedWhileDown > MOST_ASKED_WHILE_DOWN ? [`asked ${askedWhileDown} times while it was down`] : []),
      ...(askedWhileDown === 0 ? ["it was never asked while it was down: nothing was proven"] : []),
      ...(backAfterMs === null || backAfterMs > LONGEST_RECOVERY_MS ? [`back after ${backAfterMs} ms`] : []),
      ...lanes.flatMap((lane) => laneViolations(lane, { calls })),
    ];
    return { wire, runs: runs.length, askedWhileDown, backAfterMs, slowestMs, violations };
  });
}
