import { type Answer, call, type SaidCall } from "./answers.ts";
import type { Heard, HeardMessage } from "./listen.ts";
import type { Task } from "./task.ts";

/**
 * A model that knows the solution and works as a good one does: it reads, changes, runs the check and finishes. It has
 * no memory but the request, so it also knows where it stands after anything that went wrong on the way.
 */
export function oracleOf(task: Task): (heard: Heard) => Answer {
  return (heard) => {
    if (/You are the planner/.test(heard.system)) return planned(task, heard);
    if (/You are the reviewer/.test(heard.system)) return reviewed(task, heard);
    return worked(task, heard);
  };
}

/** What a conversation shows of the work: later sights replace earlier ones. */
interface Mind {
  /** Files as they were last shown, without the line numbers; null: it is not there. */
  readonly seen: ReadonlyMap<string, string | null>;
  readonly changed: ReadonlySet<string>;
  /** What the check said after the last change; null: it was not run since. */
  readonly check: "green" | "red" | null;
}

function mindOf({ messages }: Heard, task: Task): Mind {
  const seen = new Map<string, string | null>();
  const changed = new Set<string>();
  let check: Mind["check"] = null;
  for (const { name, args, text } of deeds(messages)) {
    const path = String(args?.path ?? pathOfPatch(args) ?? "");
    if (name === "read") {
      if (/^\s*\d+\t/m.test(text)) seen.set(path, withoutNumbers(text));
      else if (/does not exist/.test(text)) seen.set(path, null);
    } else if (name === "edit" || name === "write" || name === "apply_patch") {
      check = null;
      if (/^@@ |\b(?:Edited|Created|Wrote|Added|Updated)\b|exactly this content/m.test(text)) changed.add(path);
      else seen.delete(path);
    } else if (name === "bash" && args?.command === task.check) check = /^exit 0\b/.test(text) ? "green" : "red";
    else if (name === "bash") check = null;
  }
  return { seen, changed, check };
}

interface Deed {
  readonly name: string;
  readonly args: { readonly path?: unknown; readonly command?: unknown; readonly patch?: unknown } | null;
  readonly text: string;
}

function deeds(messages: readonly HeardMessage[]): readonly Deed[] {
  const results = new Map(messages.flatMap((message) => (message.role === "tool" ? [[message.id, message.text]] : [])));
  return messages.flatMap((message) =>
    message.role !== "assistant"
      ? []
      : message.calls.map(({ id, name, args }) => ({ name, args: parsed(args), text: results.get(id) ?? "" })),
  );
}

function parsed(args: string): Deed["args"] {
  try {
    const value: unknown = JSON.parse(args);
    return typeof value === "object" ? (value as Deed["args"]) : null;
  } catch {
    return null;
  }
}

function pathOfPatch(args: Deed["args"]): string | null {
  return /^\*\*\* (?:Update|Add) File: (.*)$/m.exec(String(args?.patch ?? ""))?.[1] ?? null;
}

function withoutNumbers(text: string): string {
  return text.replace(/^\s*\d+\t/gm, "");
}

function worked(task: Task, heard: Heard): Answer {
  const { seen, changed, check } = mindOf(heard, task);
  const paths = Object.keys(task.solution);
  const unseen = paths.filter((path) => path in task.before && !seen.has(path));
  if (unseen.length > 0) {
    const reads = unseen.map((path) => call("read", { path }));
    return { move: "look", text: "I read what I am going to change.", calls: reads };
  }
  const next = paths.find((path) => !changed.has(path) && !isThere(task, path, seen.get(path) ?? null));
  if (next !== undefined) return { move: "change", calls: [changeOf(task, next, heard.tools)] };
  // It is all there, and something is there that should not be.
  if (check === "red" && heard.tools.includes("write")) {
    const whole = paths.map((path) => call("write", { path, content: task.solution[path] ?? "" }));
    return { move: "change", calls: whole };
  }
  if (check === null) return { move: "check", calls: [call("bash", { command: task.check })] };
  return { move: "finish", calls: [finishOf("done")] };
}

/** True when the file that was seen has all that the solution adds to it. */
function isThere(task: Task, path: string, seen: string | null): boolean {
  if (seen === null) return false;
  const old = new Set(linesOf(task.before[path] ?? ""));
  const shown = new Set(linesOf(seen));
  return linesOf(task.solution[path] ?? "").every((line) => old.has(line) || shown.has(line));
}

function linesOf(text: string): readonly string[] {
  return text.replace(/^\uFEFF/, "").split(/\r?\n/);
}

/** The change in the form that the tools on offer suggest. */
function changeOf(task: Task, path: string, tools: readonly string[]): SaidCall {
  const [before, after] = [task.before[path], task.solution[path] ?? ""];
  if (before === undefined) {
    if (tools.includes("apply_patch") && !tools.includes("write"))
      return call("apply_patch", { patch: added(path, after) });
    return call("write", { path, content: after });
  }
  const { old, now } = hunkOf(linesOf(before), linesOf(after));
  if (tools.includes("edit")) return call("edit", { path, edits: [{ old: old.join("\n"), new: now.join("\n") }] });
  if (tools.includes("apply_patch")) return call("apply_patch", { patch: updated(path, old, now) });
  return call("write", { path, content: after });
}

/** The lines that differ, with one that does not before and behind. */
function hunkOf(before: readonly string[], after: readonly string[]) {
  let first = 0;
  while (first < before.length && before[first] === after[first]) first++;
  let last = 0;
  while (last < before.length - first && last < after.length - first && before.at(-1 - last) === after.at(-1 - last))
    last++;
  const from = Math.max(0, first - 1);
  const behind = Math.max(0, last - 1);
  return { old: before.slice(from, before.length - behind), now: after.slice(from, after.length - behind) };
}

function updated(path: string, old: readonly string[], now: readonly string[]): string {
  const body = [...old.map((line) => `-${line}`), ...now.map((line) => `+${line}`)];
  return ["*** Begin Patch", `*** Update File: ${path}`, "@@", ...body, "*** End Patch", ""].join("\n");
}

function added(path: string, content: string): string {
  const body = content
    .replace(/\n$/, "")
    .split("\n")
    .map((line) => `+${line}`);
  return ["*** Begin Patch", `*** Add File: ${path}`, ...body, "*** End Patch", ""].join("\n");
}

/** A doer's claim. */
export function finishOf(status: "done" | "blocked" | "failed"): SaidCall {
  return call("finish", { status, summary: "What was asked for.", evidence: ["the check"], confidence: 0.9 });
}

function planned(task: Task, heard: Heard): Answer {
  if (deeds(heard.messages).length === 0)
    return { move: "look", calls: [call("ls", {}), call("grep", { pattern: "." })] };
  const tasks = Object.keys(task.solution).map((path) => `change ${path}`);
  const plan = { plan: "Read, change, check.", tasks, acceptance: [`\`${task.check}\` is green`], uncertainty: 0.1 };
  return { move: "finish", calls: [call("finish", plan)] };
}

function reviewed(task: Task, heard: Heard): Answer {
  const read = deeds(heard.messages).some(({ name }) => name === "read");
  if (!read) return { move: "look", calls: Object.keys(task.solution).map((path) => call("read", { path })) };
  const good = { ok: true, note: "as it should be" };
  const checklist = { style: good, safety: good, risk: good };
  return { move: "finish", calls: [call("finish", { verdict: "approve", findings: [], checklist })] };
}
