const OLLAMA_PORT = 11_434;

/**
 * A base URL as a lane keeps it: http or https, no trailing slash, no query. Null when it is none, or when it carries
 * a password: secrets do not belong into addresses.
 */
export function parseBaseUrl(text: string): string | null {
  const url = parseUrl(text.trim());
  if (url === null || !["http:", "https:"].includes(url.protocol)) return null;
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") return null;
  return `${url.origin}${url.pathname}`.replace(/\/+$/, "");
}

/**
 * `OLLAMA_HOST` in its usual spellings: `host`, `host:port`, `:port`, a port alone, `[::1]`, `http://…`. An address to
 * listen on (0.0.0.0, [::]) is asked on this machine. Null when it is none of these.
 */
export function parseOllamaHost(text: string): string | null {
  const spelt = text.trim();
  const full = spelt.includes("://") ? spelt : `http://${withPort(spelt)}`;
  const baseUrl = parseBaseUrl(full);
  return baseUrl === null ? null : baseUrl.replace(/^(https?:\/\/)(?:0\.0\.0\.0|\[::\])(?=[:/]|$)/, "$1127.0.0.1");
}

function withPort(spelt: string): string {
  if (/^\d+$/.test(spelt)) return `127.0.0.1:${spelt}`;
  if (/^:\d+$/.test(spelt)) return `127.0.0.1${spelt}`;
  if (/^[0-9a-f:]*::[0-9a-f:.]*$/i.test(spelt)) return `[${spelt}]:${OLLAMA_PORT}`;
  const [, host = "", port = "", path = ""] = /^(\[[^\]]*\]|[^:/]*)(:\d+)?(\/.*)?$/.exec(spelt) ?? [];
  return host === "" ? spelt : `${host}${port || `:${OLLAMA_PORT}`}${path}`;
}

/** `host:port`, the port always written out; null for what is no URL. */
export function hostOf(baseUrl: string): string | null {
  const url = parseUrl(baseUrl);
  return url === null ? null : `${url.hostname}:${url.port || (url.protocol === "https:" ? "443" : "80")}`;
}

/** True when the address never leaves this machine. */
export function isLoopback(baseUrl: string): boolean {
  const hostname = parseUrl(baseUrl)?.hostname ?? "";
  return /^(?:localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}

/** True when both name the same scheme, host and port: what goes to one goes to the other. */
export function isSameOrigin(a: string, b: string): boolean {
  const [left, right] = [parseUrl(a), parseUrl(b)];
  return left !== null && right !== null && left.origin === right.origin;
}

/** True when a consent (`host` for its https port, or `host:port`) covers the address. */
export function isTrusted(baseUrl: string, trustedHosts: readonly string[]): boolean {
  const host = hostOf(baseUrl);
  return trustedHosts.some((trusted) => {
    const named = parseUrl(`https://${trusted.trim()}`);
    return named !== null && host === `${named.hostname}:${named.port || "443"}`;
  });
}

function parseUrl(text: string): URL | null {
  return URL.canParse(text) ? new URL(text) : null;
}
