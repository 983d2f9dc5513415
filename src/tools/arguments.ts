import { isJsonObject, type Json } from "../core/json.ts";
import { readModelJson } from "../core/model-json.ts";

/** The arguments as an object, or why they are none. */
export type ParsedArguments =
  | { readonly ok: true; readonly value: { readonly [key: string]: Json } }
  | { readonly ok: false; readonly reason: string };

/**
 * Reads the arguments of a call. Beyond what `readModelJson` mends: nothing at all is no arguments, and an object may have
 * been put into a string.
 */
export function parseArguments(raw: string): ParsedArguments {
  if (raw.trim() === "" || raw.trim() === "null") return { ok: true, value: {} };
  const parsed = readModelJson(raw);
  if (parsed === null) return { ok: false, reason: complaint(raw) };
  const value = typeof parsed.value === "string" ? (readModelJson(parsed.value)?.value ?? parsed.value) : parsed.value;
  if (!isJsonObject(value)) return { ok: false, reason: `the arguments must be a JSON object, not ${kindOf(value)}.` };
  return { ok: true, value };
}

/** `an object`, `a string`, …: for sentences about what came. */
function kindOf(value: Json | undefined): string {
  if (value === null || value === undefined) return "null";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
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
