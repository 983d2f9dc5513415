import { isJsonObject, type Json } from "../core/json.ts";
import { readModelJson } from "../core/model-json.ts";

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
 * Arguments as an object, which is what a wire wants back, mended as they were when the call was carried out; whatever
 * else the model wrote becomes an empty one: its mistake was answered when it made it.
 */
export function argumentsObject(raw: string): { readonly [key: string]: Json } {
  const value = readModelJson(raw)?.value;
  const inner = typeof value === "string" ? readModelJson(value)?.value : value;
  return inner !== undefined && isJsonObject(inner) ? inner : {};
}

/** Arguments as JSON text of an object, for the wires that want text. Valid text goes back as it was written: caches go by bytes. */
export function argumentsText(raw: string): string {
  return isObject(raw) ? raw : JSON.stringify(argumentsObject(raw));
}

function parseObject(text: string): { readonly [key: string]: Json } | null {
  try {
    const value: Json = JSON.parse(text);
    return isJsonObject(value) ? value : null;
  } catch {
    return null;
  }
}
