import type { Diagnostic } from "../core/diagnostic.ts";
import type { LaneDraft } from "./lane-draft.ts";
import { placed } from "./lane-problem.ts";

/** A model that a file names, and where. */
interface NamedModel {
  readonly draft: LaneDraft;
  readonly name: string;
  readonly theirs: string;
}

/**
 * Models that can be reached in two ways that are one: they would have two prices, two limits and two standings. The same
 * endpoint with another key, or on another wire, is another lane.
 */
export function laneDoubles(drafts: readonly LaneDraft[]): readonly Diagnostic[] {
  const models = drafts.flatMap((draft) =>
    Object.entries(draft.models).map(([name, { theirs = name }]): NamedModel => ({ draft, name, theirs })),
  );
  return models.flatMap((one, index) => {
    const first = models.slice(0, index).find((other) => isSame(one, other));
    return first === undefined ? [] : [complaint(one, first)];
  });
}

function isSame(a: NamedModel, b: NamedModel): boolean {
  if (a.theirs !== b.theirs) return false;
  return a.draft.id === b.draft.id || (isSamePlace(a.draft, b.draft) && sharesKey(a.draft, b.draft));
}

function isSamePlace(a: LaneDraft, b: LaneDraft): boolean {
  return a.wire === b.wire && a.baseUrl === b.baseUrl && a.wire !== "scripted";
}

function sharesKey({ keys }: LaneDraft, { keys: others }: LaneDraft): boolean {
  if (keys.length === 0) return others.length === 0;
  return keys.some(({ name }) => others.some((other) => other.name === name));
}

function complaint({ draft, name }: NamedModel, first: NamedModel): Diagnostic {
  const { sources } = draft;
  const mapped = Object.hasOwn(sources, `model_map.${name}`) ? sources[`model_map.${name}`] : undefined;
  const source = mapped ?? sources[`models.${name}`] ?? sources[""];
  const message = `${draft.id}/${name} and ${first.draft.id}/${first.name} are one model by one key`;
  return placed(
    source?.kind === "file" ? source.path : "",
    source,
    message,
    "name it once, or give one of them another key",
  );
}
