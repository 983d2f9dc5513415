/** How long a provider asks us to wait, in milliseconds, from whichever header it uses; null when it does not say. */
export function retryAfterMs(headers: Headers, now: number): number | null {
  const ms = numberOf(headers.get("retry-after-ms"));
  if (ms !== null) return ms;
  const text = headers.get("retry-after");
  const seconds = numberOf(text);
  if (seconds !== null) return Math.ceil(seconds * 1000);
  const date = Date.parse(text ?? "");
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}

function numberOf(text: string | null): number | null {
  return text !== null && /^\s*\d+(\.\d+)?\s*$/.test(text) ? Number(text) : null;
}
