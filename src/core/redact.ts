import { SECRET_PATTERNS, withoutPrivateKeys } from "./secret-patterns.ts";

/** What stands in the place of a secret. Long enough that nobody writes it by chance: a tool may refuse it in a file. */
export const REDACTED = "[redacted by ccp]";

/** Shorter values (`1`, `dev`) are everywhere in ordinary text and are no secrets. */
const SHORTEST_SECRET = 8;
/** Of a shorter value the encoded middle would be too short to be known by. */
const SHORTEST_ENCODED = 16;

/** Replaces every known secret value, in each form in which it may show, and what looks like a key whoever's it is. */
export function redact(text: string, secrets: readonly string[]): string {
  return withoutPrivateKeys(redactValues(text, secrets), REDACTED).replace(SECRET_PATTERNS, REDACTED);
}

/** The same for every text in plain JSON data, whatever its shape. */
export function redactJson<Value>(value: Value, secrets: readonly string[]): Value {
  return mapTexts(value, (text) => redact(text, secrets));
}

/** Replaces known secret values alone: for what must not be changed because it only looks like a key. */
export function redactValues(text: string, secrets: readonly string[]): string {
  const values = formsOf(secrets);
  return values === null ? text : text.replace(values, REDACTED);
}

const SECRET_NAME = /TOKEN|SECRET|PASSW|KEY|AUTH|CRED|PRIVATE/i;
/** A word, a number, a path: in ordinary text they mean nothing. */
const PLAIN_VALUE = /^(?:[A-Za-z]+|[\d.]+|[~.]?\/.*)$/;

/** Of variables that were named by steps or servers, the values that must never be shown: `production` and `/usr` are none. */
export function secretValues(variables: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(variables).flatMap(([name, value]) =>
    SECRET_NAME.test(name) || !PLAIN_VALUE.test(value) ? [value] : [],
  );
}

/** Does `change` to every text in a value, and to nothing else: names of fields stay, and so does what is `opaque`. */
export function mapTexts<T>(value: T, change: (text: string) => string): T {
  if (typeof value === "string") return change(value) as T & string;
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, change)) as T & unknown[];
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => [key, key === "opaque" ? item : mapTexts(item, change)]);
  return Object.fromEntries(entries) as T & object;
}

/** Compiled once for each list: it is asked for each text of a run. */
const COMPILED = new WeakMap<readonly string[], RegExp | null>();

/** Matches every form of every secret, the longest first, so that none leaves a tail; null: there are none. */
function formsOf(secrets: readonly string[]): RegExp | null {
  const known = COMPILED.get(secrets);
  if (known !== undefined) return known;
  const forms = new Set(secrets.filter((secret) => secret.length >= SHORTEST_SECRET).flatMap(formsOfOne));
  const longestFirst = [...forms].sort((a, b) => b.length - a.length).map(escaped);
  const compiled = longestFirst.length === 0 ? null : new RegExp(longestFirst.join("|"), "g");
  COMPILED.set(secrets, compiled);
  return compiled;
}

function formsOfOne(secret: string): readonly string[] {
  const plain = [secret, JSON.stringify(secret).slice(1, -1), uriEncoded(secret)];
  const lines = secret.split(/\r?\n/).filter((line) => line.length >= SHORTEST_ENCODED);
  return [...plain, ...lines, ...(secret.length >= SHORTEST_ENCODED ? base64Forms(secret) : [])];
}

/** Half a surrogate pair cannot be encoded, and is no part of a key. */
function uriEncoded(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

/** What of it shows in base64 wherever it stands in a longer text: without the letters that its neighbours share. */
function base64Forms(secret: string): readonly string[] {
  const bytes = new TextEncoder().encode(secret);
  const standard = [0, 1, 2].map((shift) => {
    const shifted = String.fromCharCode(...new Uint8Array(shift), ...bytes);
    const whole = shifted.length - (shifted.length % 3);
    return btoa(shifted.slice(0, whole)).slice(shift === 0 ? 0 : 4);
  });
  return standard.flatMap((form) => [form, form.replaceAll("+", "-").replaceAll("/", "_")]);
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);
}
