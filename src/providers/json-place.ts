import { isJsonObject, type Json } from "../core/json.ts";
import { didYouMean } from "../core/suggest.ts";

/** A place in a JSON value that a person wrote, and the list of all that is found wrong in it. */
export interface Place {
  /** Undefined: there is nothing here. */
  readonly value: Json | undefined;
  /** `turns[2].calls[0]`; empty for the whole. */
  readonly path: string;
  readonly problems: string[];
}

/** Notes what is wrong at a place. */
export function complain(place: Place, message: string): void {
  place.problems.push(place.path === "" ? message : `${place.path}: ${message}`);
}

/** The place under a key; a missing value and an explicit null are the same. */
export function under(place: Place, key: string): Place {
  const value = isJsonObject(place.value) ? place.value[key] : undefined;
  return {
    value: value ?? undefined,
    path: place.path === "" ? key : `${place.path}.${key}`,
    problems: place.problems,
  };
}

/** Complains of anything but an object with these keys. */
export function expectKeys(place: Place, keys: readonly string[]): void {
  if (place.value === undefined) return;
  if (!isJsonObject(place.value)) complain(place, `expected keys and values, found ${kindOf(place.value)}`);
  const found = isJsonObject(place.value) ? Object.keys(place.value) : [];
  for (const key of found.filter((name) => !keys.includes(name))) {
    const near = didYouMean(key, keys);
    complain(
      place,
      `unknown key "${key}"${near === null ? `; known: ${keys.join(", ")}` : `; did you mean "${near}"?`}`,
    );
  }
}

/** The items of a list; none where there is nothing or something else, which is complained of. */
export function listAt(place: Place): readonly Place[] {
  if (place.value === undefined) return [];
  if (Array.isArray(place.value)) {
    return place.value.map((value, index) => ({ ...place, value, path: `${place.path}[${index}]` }));
  }
  complain(place, `expected a list, found ${kindOf(place.value)}`);
  return [];
}

/** A text; null where there is nothing or something else, which is complained of. */
export function textAt(place: Place): string | null {
  if (place.value === undefined) return null;
  if (typeof place.value === "string") return place.value;
  complain(place, `expected a text, found ${kindOf(place.value)}`);
  return null;
}

/** A whole number of at least `least`. */
export function countAt(place: Place, least: number): number | null {
  if (place.value === undefined) return null;
  if (typeof place.value === "number" && Number.isSafeInteger(place.value) && place.value >= least) return place.value;
  complain(place, `expected a whole number from ${least}, found ${kindOf(place.value)}`);
  return null;
}

/** One of a few words; null where there is nothing or something else, which is complained of. */
export function choiceAt<T extends string>(place: Place, choices: readonly T[]): T | null {
  if (place.value === undefined) return null;
  const found = choices.find((choice) => choice === place.value);
  if (found !== undefined) return found;
  complain(place, `expected one of ${choices.join(", ")}, found ${kindOf(place.value)}`);
  return null;
}

function kindOf(value: Json): string {
  if (value === null) return "nothing";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "keys and values" : JSON.stringify(value);
}
