import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { APPROVAL, PLAN, RED_PROJECT, type Scenario, type ScriptedTurn, scenario, WORK } from "./scenario.ts";
import { tempDir } from "./temp.ts";

const call = (tool: string, args: unknown) => ({ tool, args });

/** How a try goes, as the scripted model plays it. */
export type Behaviour = keyof typeof BEHAVIOURS;

const note = (n: number, turn: number) => call("write", { path: `note-${n}-${turn}.txt`, content: `${n} ${turn}` });
const finish = (change: Readonly<Record<string, unknown>> = {}) => call("finish", { ...WORK, ...change });
const turns = (count: number, turn: (turn: number) => Omit<ScriptedTurn, "turn">): readonly ScriptedTurn[] =>
  Array.from({ length: count }, (_, index) => ({ ...turn(index + 1), turn: index + 1 }));

/** The turns of the n-th try. Checks are `node check.mjs`, which always says the same while it is red, or `ls; exit 1`. */
const BEHAVIOURS = {
  mends: () => turns(1, () => ({ calls: [call("edit", SUM), finish()] })),
  "mends unsure": () => turns(1, () => ({ calls: [call("edit", SUM), finish({ confidence: 0.2 })] })),
  "is unsure": (n: number) => turns(1, (turn) => ({ calls: [note(n, turn), finish({ confidence: 0.2 })] })),
  "is sure": (n: number) => turns(1, (turn) => ({ calls: [note(n, turn), finish()] })),
  "writes notes": (n: number) => turns(3, (turn) => ({ calls: [note(n, turn), finish()] })),
  "changes nothing": () => turns(1, () => ({ calls: [finish()] })),
  "goes in circles": () => turns(8, () => ({ calls: [call("read", { path: "sum.mjs" })] })),
  "stops talking": () => turns(3, () => ({ say: "I think that is all." })),
  "says nothing": () => turns(3, () => ({ say: "" })),
} as const satisfies Readonly<Record<string, (n: number) => readonly ScriptedTurn[]>>;

const SUM = { path: "sum.mjs", edits: [{ old: "a - b", new: "a + b" }] };

/** A doer's work that goes wrong, and what may be done about it. */
export interface Stuck {
  /** Of each try, in order, whoever makes it. */
  readonly tries: readonly Behaviour[];
  /** What of `escalation` differs in the file; null: `none`. A stronger model is there unless it says otherwise. */
  readonly escalation?: Readonly<Record<string, unknown>> | null;
  readonly attempts?: number;
  readonly until?: { readonly run: string; readonly attempts: number };
  /** Default: a reviewer follows, who approves and can be asked. */
  readonly steps?: readonly Readonly<Record<string, unknown>>[];
  readonly budget?: Readonly<Record<string, unknown>>;
  /** Tokens that each answer of the doer's reports. */
  readonly usage?: Readonly<Record<string, number>>;
  /** What the planner, who comes first, says of its plans, in order; default: there is no planner. */
  readonly uncertainties?: readonly number[];
  readonly advice?: string | null;
}

/** A world in which a doer is stuck. The weak and the strong model play the same tries, each those that come to it. */
export function stuckWorld(
  stuck: Stuck,
): Scenario & { readonly strong: string /** Of the pipeline file. */; readonly text: string } {
  const strong = join(tempDir("ccp-strong"), "strong.yaml");
  const script = scriptOf(stuck);
  writeFileSync(strong, stringify({ turns: script }));
  const named = { models: [`scripted/${strong}`], ...stuck.escalation };
  const escalation = stuck.escalation === null ? "none" : named;
  const doer = {
    id: "build",
    role: "doer",
    attempts: stuck.attempts ?? 2,
    ...(stuck.until ? { until: stuck.until } : {}),
  };
  const pipeline = {
    ...(stuck.budget ? { budget: stuck.budget } : {}),
    roles: { doer: { escalation }, ...(stuck.uncertainties ? { planner: { escalation: without(escalation) } } : {}) },
    pipeline: [
      ...(stuck.uncertainties ? [{ id: "plan", role: "planner" }] : []),
      doer,
      ...(stuck.steps ?? [{ id: "review", role: "reviewer" }]),
    ],
  };
  const text = stringify(pipeline);
  return { ...scenario({ files: RED_PROJECT, turns: script, pipeline: text }), strong, text };
}

/** What is a doer's alone. */
function without(escalation: "none" | Readonly<Record<string, unknown>>) {
  return escalation === "none" ? escalation : { ...escalation, confidence: undefined };
}

function scriptOf({ tries, usage, uncertainties = [], advice = "Look at the sign." }: Stuck): readonly ScriptedTurn[] {
  const work = tries.flatMap((behaviour, index) =>
    BEHAVIOURS[behaviour](index + 1).map((turn) => ({
      ...turn,
      step: "build",
      role: "doer",
      conversation: index + 1,
      ...(usage ? { usage } : {}),
    })),
  );
  const plans = uncertainties.map((uncertainty, index) => ({
    role: "planner",
    conversation: index + 1,
    turn: 1,
    calls: [call("finish", { ...PLAN, uncertainty })],
  }));
  const review = { role: "reviewer", step: "review", turn: 1, calls: [call("finish", APPROVAL)] };
  const advised = advice === null ? [] : [{ role: "reviewer", purpose: "diagnose", say: advice }];
  return [...plans, ...work, review, ...advised];
}
