import { isJsonObject, type Json } from "../core/json.ts";

/** The arguments as an object, or why they are none. */
export type ParsedArguments =
  | { readonly ok: true; readonly value: { readonly [key: string]: Json } }
  | { readonly ok: false; readonly reason: string };

/**
 * Reads the arguments of a call. Repaired are only faults with one possible meaning: nothing at all (no arguments),
 * control characters that should have been escaped, and an object that was put into a string. JSON that ends too early
 * is never completed: the rest of a file might be missing from it.
 */
export function parseArguments(raw: string): ParsedArguments {
  if (raw.trim() === "" || raw.trim() === "null") return { ok: true, value: {} };
  const parsed = parseJson(raw) ?? parseJson(withEscapedControls(raw));
  if (parsed === null) return { ok: false, reason: complaint(raw) };
  const value = typeof parsed.value === "string" ? (parseJson(parsed.value)?.value ?? parsed.value) : parsed.value;
  if (!isJsonObject(value)) return { ok: false, reason: `the arguments must be a JSON object, not ${kindOf(value)}.` };
  return { ok: true, value };
}

/** `an object`, `a string`, …: for sentences about what came. */
function kindOf(value: Json | undefined): string {
  if (value === null || value === undefined) return "null";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

function parseJson(text: string): { readonly value: Json } | null {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return null;
  }
}

/** Raw newlines, tabs and the like inside strings, escaped as JSON wants them. */
function withEscapedControls(text: string): string {
  return text.replace(/"(?:[^"\\]|\\.)*"/gs, (string) =>
    string.replace(/[\u0000-\u001f]/g, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}`),
  );
}

function complaint(raw: string): string {
  const isCutOff = !/[}\]]\s*$/.test(raw);
  const advice = isCutOff
    ? "They seem to be cut off: send the call again whole, a large file in several smaller edits."
    : "Send the call again with valid JSON.";
  return `the arguments are not valid JSON (${reasonOf(raw)}). ${advice}`;
}

function reasonOf(raw: string): string {
  try {
    JSON.parse(raw);
    return "";
  } catch (error) {
    return error instanceof Error ? error.message.replace(/\s+/g, " ").slice(0, 160) : "unreadable";
  }
}
