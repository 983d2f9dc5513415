import { isJsonObject, type Json } from "../core/json.ts";

/** Where a replay first differs from the run, for people. */
export interface ReplayDifference {
  /** Number of the event in the run's log; null: the run has none there. */
  readonly seq: number | null;
  readonly type: string;
  /** Null: the run itself. */
  readonly stepId: string | null;
  /** What of it, as `end.exitCode`; empty: the event as a whole. */
  readonly path: string;
  /** What is on record, and what the replay came to; null: nothing. */
  readonly was: string | null;
  readonly is: string | null;
  /** One sentence. */
  readonly says: string;
  /** What a person can do with it. */
  readonly hint: string;
}

/** A fact that one side has, the other side's, and where they part. */
export interface Parting {
  readonly seq: number | null;
  readonly path: string;
  readonly was: Json | undefined;
  readonly is: Json | undefined;
}

/** Reads the text of a payload by its hash; null: it is not there. */
export type ReadPayload = (sha256: string) => string | null;

/** Longest excerpt of a value. */
const EXCERPT = 200;

/** A parting in words, with the payloads of the run and those of the replay. */
export function differenceInWords(
  { seq, path, was, is }: Parting,
  payloads: { readonly was: ReadPayload; readonly is: ReadPayload },
): ReplayDifference {
  const fact = was ?? is;
  const [type, stepId] = [textOf(fact, "type"), textOf(fact, "stepId") || null];
  const where = { seq, type, stepId, path };
  const isWhole = was === undefined || is === undefined || path === "type";
  if (isWhole) {
    const [then, now] = [describeIf(was), describeIf(is)];
    const hint = isAboutOtherFiles(was) ? HINTS.meanwhile : HINTS.whole;
    return { ...where, was: then, is: now, says: wholeSentence(then, now), hint };
  }
  const [then, now] = excerpts(
    shown(valueAt(was, path), valueAt(was, parentOf(path)), payloads.was),
    shown(valueAt(is, path), valueAt(is, parentOf(path)), payloads.is),
  );
  const says = `${describe(was)}: ${partName(type, path)} is not the same`;
  return { ...where, was: then, is: now, says, hint: hintFor(type, path, fact) };
}

/** The run had found files that nothing on record had left. */
function isAboutOtherFiles(was: Json | undefined): boolean {
  const outcome = isJsonObject(was) ? was.outcome : undefined;
  return ["stale", "tree-changed"].includes(textOf(outcome, "class"));
}

/** A fact in a few words: what it is, of which step. */
export function describe(fact: Json): string {
  const step = textOf(fact, "stepId");
  const what = WHAT[textOf(fact, "type")]?.(fact) ?? `the event ${textOf(fact, "type")}`;
  return step === "" ? what : `step "${step}", ${what}`;
}

const WHAT: Readonly<Record<string, (fact: Json) => string>> = {
  "call.reserved": (fact) =>
    textOf(fact, "purpose") === "diagnose"
      ? `the question for a diagnosis of try ${numberOf(fact, "conversation")}`
      : numberOf(fact, "turn") === 0
        ? `the question for a summary in try ${numberOf(fact, "conversation")}`
        : `the question of turn ${numberOf(fact, "turn")} in try ${numberOf(fact, "conversation")}`,
  "call.settled": () => "the answer of a model",
  "call.lost": () => "a call that was lost",
  "tool.started": (fact) => `the tool ${textOf(fact, "tool")} (${textOf(fact, "subject")}) that began`,
  "tool.finished": (fact) => `what the tool ${textOf(fact, "tool")} answered`,
  "command.started": (fact) => `the command \`${textOf(fact, "command")}\` that began`,
  "command.finished": (fact) => `the outcome of \`${textOf(fact, "command")}\``,
  "step.started": (fact) => `the beginning of try ${numberOf(fact, "conversation")}`,
  "step.finished": (fact) => `the end of try ${numberOf(fact, "conversation")}`,
  "message.added": () => "what the model was reminded of",
  "context.pruned": () => "the results that were left out of what the model is sent",
  "context.summarised": () => "the summary that stands for a part of the conversation",
  "artifact.written": (fact) => `the artifact ${textOf(fact, "name")}`,
  "steps.reset": (fact) => `the way back from "${textOf(fact, "from")}" to "${textOf(fact, "to")}"`,
  "escalation.decided": (fact) => `the decision what comes after try ${numberOf(fact, "conversation")}`,
  "step.diagnosed": (fact) => `what a reviewer advised after try ${numberOf(fact, "conversation")}`,
  "run.ended": (fact) => `the end of the run (${textOf(fact, "status")})`,
};

const PARTS: Readonly<Record<string, string>> = {
  "call.reserved request": "what was asked",
  "step.started prompt": "the prompt",
  "step.started tree": "the tree that it began on",
  "tool.finished result": "the text of the answer",
  "tool.finished treeAfter": "the tree that it left",
  "step.finished tree": "the tree that it left",
  "artifact.written blob": "its content",
};

const HINTS = {
  whole: "ccp decides otherwise here than the one that made the run, or its journal was changed",
  question:
    "ccp puts the question together otherwise than then (its tools, its length limit), or somebody has changed an outcome before it in the journal",
  prompt: "the way in which ccp puts prompts together has changed, or a payload that goes into them",
  tool: "the tool works otherwise than then, or it has read what git ignores: that is not on record",
  meanwhile: "somebody changed files in the worktree while the run was driven: that is not on record",
  tree: "the files are not what they were: see what the tools before it did",
  journal: "this comes from the journal as it is: somebody has changed it",
};

const FROM_THE_JOURNAL = ["call.settled", "call.lost", "command.finished", "tool.finished"];

function hintFor(type: string, path: string, fact: Json | undefined): string {
  if (type === "call.reserved") return HINTS.question;
  if (type === "step.started" && path.startsWith("prompt")) return HINTS.prompt;
  if (type === "tool.finished" && textOf(fact, "tool") !== "bash") return HINTS.tool;
  if (/tree/i.test(path)) return HINTS.tree;
  return FROM_THE_JOURNAL.includes(type) ? HINTS.journal : HINTS.whole;
}

function describeIf(fact: Json | undefined): string | null {
  return fact === undefined ? null : describe(fact);
}

function wholeSentence(then: string | null, now: string | null): string {
  if (now === null) return `the replay does not come to this: ${then}`;
  if (then === null) return `the replay does what is not on record: ${now}`;
  return `where the run has ${then}, the replay has ${now}`;
}

function partName(type: string, path: string): string {
  const part = path.split(".")[0] ?? "";
  return PARTS[`${type} ${part}`] ?? `\`${path}\``;
}

/** The text of a payload where the value names one, else the value itself. */
function shown(value: Json | undefined, around: Json | undefined, read: ReadPayload): string {
  const ref = typeof value === "string" && textOf(around, "sha256") !== "" ? textOf(around, "sha256") : null;
  const text = ref === null ? null : read(ref);
  if (text !== null) return text;
  if (typeof value === "number" && textOf(around, "sha256") !== "") return `${value} bytes`;
  return typeof value === "string" ? value : JSON.stringify(value ?? null);
}

/** The first line in which two texts are not the same, of each. */
function excerpts(a: string, b: string): readonly [string, string] {
  const [then, now] = [a.split("\n"), b.split("\n")];
  const at = then.findIndex((line, index) => line !== now[index]);
  const line = at === -1 ? then.length : at;
  return [excerpt(then[line], line, then), excerpt(now[line], line, now)];
}

function excerpt(line: string | undefined, index: number, lines: readonly string[]): string {
  if (line === undefined) return `(ends after line ${lines.length})`;
  const text = line.length > EXCERPT ? `${line.slice(0, EXCERPT)}…` : line;
  return lines.length > 1 ? `line ${index + 1}: ${text}` : text;
}

function parentOf(path: string): string {
  return path.split(".").slice(0, -1).join(".");
}

function valueAt(value: Json | undefined, path: string): Json | undefined {
  if (path === "") return value;
  return path.split(".").reduce<Json | undefined>((at, key) => {
    return typeof at === "object" && at !== null ? (at as Readonly<Record<string, Json>>)[key] : undefined;
  }, value);
}

function textOf(fact: Json | undefined, key: string): string {
  const value = isJsonObject(fact) ? fact[key] : undefined;
  return typeof value === "string" ? value : "";
}

function numberOf(fact: Json, key: string): number {
  const value = isJsonObject(fact) ? fact[key] : undefined;
  return typeof value === "number" ? value : 0;
}
