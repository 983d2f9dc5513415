import type { Json } from "./json.ts";

/**
 * JSON as a model wrote it; null: it cannot be read. Mended are only faults with one possible meaning: control characters
 * that should have been escaped, a code fence around it, marks of the model's own dialect behind it. JSON that ends too
 * early is never completed: the rest of a file might be missing from it.
 */
export function readModelJson(text: string): { readonly value: Json } | null {
  for (const form of [text, withEscapedControls(text)]) {
    const read = parsed(form) ?? parsed(unwrapped(form));
    if (read !== null) return read;
  }
  return null;
}

function parsed(text: string): { readonly value: Json } | null {
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

/** Without a fence around it, and without such as `</parameter>` or `<|im_end|>` behind its last bracket. */
function unwrapped(text: string): string {
  const trimmed = text.trim();
  const firstLine = trimmed.indexOf("\n");
  const isFenced = /^```\w*[ \t]*\r?\n/.test(trimmed) && trimmed.endsWith("```");
  const inner = isFenced ? trimmed.slice(firstLine + 1, -3) : trimmed;
  const last = Math.max(inner.lastIndexOf("}"), inner.lastIndexOf("]"));
  return /^(?:\s*<[/|][\w|: ▁-]*>)+\s*$/.test(inner.slice(last + 1)) ? inner.slice(0, last + 1) : inner;
}
