/** Shorter values (`1`, `dev`) are everywhere in ordinary text and are no secrets. */
const SHORTEST_SECRET = 8;

/** Replaces every known secret value in `text`. Longer secrets first, so that none leaves a tail. */
export function redact(text: string, secrets: readonly string[]): string {
  return secrets
    .filter((secret) => secret.length >= SHORTEST_SECRET)
    .sort((a, b) => b.length - a.length)
    .reduce((cleaned, secret) => cleaned.replaceAll(secret, "[redacted]"), text);
}

/** The same for every text in plain JSON data, whatever its shape. */
export function redactJson<Value>(value: Value, secrets: readonly string[]): Value {
  return JSON.parse(redact(JSON.stringify(value), secrets)) as Value;
}
