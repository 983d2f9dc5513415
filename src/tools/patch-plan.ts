import type { FileOutcome, ToolPlace, Workspace } from "../core/ports.ts";
import type { SeenFile } from "../core/seen.ts";
import { plural } from "../core/words.ts";
import { contentBefore } from "./content-before.ts";
import { diffLines } from "./line-diff.ts";
import { fromBytes } from "./matching.ts";
import { patchFile } from "./patch-file.ts";
import { type FileChange, pathsOf } from "./patch-text.ts";
import { omissionIn } from "./placeholder.ts";
import { changedSince, pathFromRoot, seenAs, sightOf } from "./sight.ts";
import { linesOf } from "./text.ts";

/** What is to be done to one file, checked. */
export interface PatchWork {
  /** One line on it, for the model. */
  readonly title: string;
  /** Notes, and the diff. */
  readonly details: readonly string[];
  readonly added: number;
  readonly removed: number;
  readonly seen: readonly SeenFile[];
  carryOut(workspace: Workspace): Promise<FileOutcome<void>>;
}

/** The works of a whole patch, or the first reason why it cannot be; `summary` is for people. */
export type PatchPlan =
  | { readonly ok: true; readonly works: readonly PatchWork[] }
  | { readonly ok: false; readonly reason: string; readonly summary: string };

/** Holds a patch against the files as they are. Nothing is written. */
export async function planPatch(changes: readonly FileChange[], place: ToolPlace): Promise<PatchPlan> {
  const names = pathsOf(changes).map((path) => pathFromRoot(place.workspace.path, path));
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) return refuse(`The patch speaks of ${twice} twice. Put all of it into one part.`);
  const works: PatchWork[] = [];
  for (const change of changes) {
    const work = await workOf(change, place);
    if ("reason" in work) return work;
    works.push(work);
  }
  return { ok: true, works };
}

type Refusal = Extract<PatchPlan, { ok: false }>;
type Of<Kind> = Extract<FileChange, { kind: Kind }>;

function workOf(change: FileChange, place: ToolPlace): Promise<PatchWork | Refusal> {
  if (change.kind === "add") return addition(change, place);
  return change.kind === "delete" ? deletion(change, place) : update(change, place);
}

async function addition({ path, lines }: Of<"add">, place: ToolPlace): Promise<PatchWork | Refusal> {
  const before = await contentBefore(path, place.workspace);
  if (!before.ok) return refuse(`${before.reason}.`);
  if (before.value !== null) return refuse(`${path} exists already. Change it with *** Update File.`);
  const omission = omissionIn(lines.join("\n"), "");
  if (omission !== null) return refuse(`The new ${path} has ${JSON.stringify(omission)} in place of code.`);
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""));
  return {
    title: `Added ${path}: ${plural(lines.length, "line")}.`,
    details: [],
    added: lines.length,
    removed: 0,
    seen: [seenAs(place, path, bytes)],
    carryOut: (workspace) => workspace.writeFile(path, bytes),
  };
}

async function deletion({ path }: Of<"delete">, place: ToolPlace): Promise<PatchWork | Refusal> {
  const file = await place.workspace.readFile(path);
  if (!file.ok) return refuse(`${file.reason}.`);
  if (sightOf(place, path, file.value) === "changed") return stale(path);
  const removed = linesOf(Buffer.from(file.value).toString("utf8")).length;
  return {
    ...{ title: `Deleted ${path}.`, details: [], added: 0, removed, seen: [] },
    carryOut: (workspace) => workspace.removeFile(path),
  };
}

async function update({ path, moveTo, hunks }: Of<"update">, place: ToolPlace): Promise<PatchWork | Refusal> {
  const file = await place.workspace.readFile(path);
  if (!file.ok) return refuse(`${file.reason}.${file.isMissing ? " A new file needs *** Add File." : ""}`);
  const sight = sightOf(place, path, file.value);
  if (sight === "changed") return stale(path);
  const target = moveTo === null ? null : await contentBefore(moveTo, place.workspace);
  if (target?.ok === false) return refuse(`${target.reason}.`);
  if (target?.value) return refuse(`${path} cannot be moved: ${moveTo} exists already.`);

  const before = Buffer.from(file.value).toString("latin1");
  const patched =
    hunks.length === 0 ? unchanged(before) : patchFile(before, hunks, { path, hasRead: sight === "current" });
  if (!patched.ok) return { ...refuse(patched.reason), summary: "not applied" };
  const bytes = Buffer.from(patched.bytes, "latin1");
  const diff = diffLines(linesOf(fromBytes(before)), linesOf(fromBytes(patched.bytes)));
  const counts = `(+${diff.added} -${diff.removed})`;
  return {
    title: moveTo === null ? `Updated ${path} ${counts}.` : `Moved ${path} to ${moveTo} ${counts}.`,
    details: [...patched.notes, ...(diff.text === "" ? [] : [diff.text])],
    ...{ added: diff.added, removed: diff.removed },
    seen: [seenAs(place, moveTo ?? path, bytes)],
    carryOut: (workspace) => replace(workspace, { path, moveTo, bytes }),
  };
}

function unchanged(bytes: string) {
  return { ok: true as const, bytes, notes: [] };
}

/** A file that moves takes its mode with it. */
async function replace(
  workspace: Workspace,
  { path, moveTo, bytes }: { readonly path: string; readonly moveTo: string | null; readonly bytes: Uint8Array },
): Promise<FileOutcome<void>> {
  const moved = moveTo === null ? null : await workspace.moveFile(path, moveTo);
  return moved?.ok === false ? moved : workspace.writeFile(moveTo ?? path, bytes);
}

function stale(path: string): Refusal {
  return { ok: false, reason: changedSince(path), summary: "changed since it was last seen" };
}

function refuse(reason: string): Refusal {
  return { ok: false, reason, summary: reason };
}
