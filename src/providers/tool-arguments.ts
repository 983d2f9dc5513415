import type { Json } from "../core/json.ts";

/** True when JSON text breaks off: inside a string, an object or an array. Text that is wrong in other ways is not cut. */
export function isCutOff(json: string): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < json.length; at++) {
    const char = json[at];
    if (inString) {
      if (char === "\\") at++;
      else if (char === '"') inString = false;
    } else if (char === '"') inString = true;
    else if (char === "{" || char === "[") depth++;
    else if (char === "}" || char === "]") depth--;
  }
  return inString || depth > 0;
}

/** True for the whole JSON text of an object: nothing of it is still to come. */
export function isObject(json: string): boolean {
  return parseObject(json) !== null;
}

/**
 * Arguments as an object, which is what a wire wants back; whatever else the model wrote becomes an empty one: its
 * mistake was answered when it made it, and the request must be valid all the same.
 */
export function argumentsObject(raw: string): { readonly [key: string]: Json } {
  return parseObject(raw) ?? {};
}

/** Arguments as JSON text of an object, for the wires that want text. Valid text goes back as it was written: caches go by bytes. */
export function argumentsText(raw: string): string {
  return Object.keys(argumentsObject(raw)).length === 0 ? "{}" : raw;
}

function parseObject(text: string): { readonly [key: string]: Json } | null {
  try {
    const value: unknown = JSON.parse(text);
    if (value !== null && typeof value === "object" && !Array.isArray(value)) return value as { [key: string]: Json };
  } catch {
    return null;
  }
  return null;
}
