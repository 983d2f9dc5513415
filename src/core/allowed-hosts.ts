/** Ports of a host for which none is named. */
const USUAL_PORTS: readonly number[] = [80, 443];

/**
 * May a process reach this host? A pattern is a name (`example.com`), or all names below one (`*.example.com`, not that
 * name itself), perhaps with a port (`example.com:8443`). Case and a final dot do not count.
 */
export function isAllowedHost(patterns: readonly string[], host: string, port: number): boolean {
  const name = host.toLowerCase().replace(/\.$/, "");
  return patterns.some((pattern) => {
    const [, wanted = "", wantedPort] = /^(.*?)(?::(\d+))?$/.exec(pattern.toLowerCase()) ?? [];
    if (wantedPort === undefined ? !USUAL_PORTS.includes(port) : Number(wantedPort) !== port) return false;
    if (!wanted.startsWith("*.")) return name === wanted;
    return name.endsWith(wanted.slice(1)) && name.length > wanted.length - 1;
  });
}
