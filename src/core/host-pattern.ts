/** A host as rules name it: a name, or all names below one (`*.example.com`), perhaps with a port. */
interface HostPattern {
  readonly name: string;
  /** True: all names below `name`, not that name itself. */
  readonly isBelow: boolean;
  /** Null: the usual ports, 80 and 443. */
  readonly port: number | null;
}

/** Ports of a host for which none is named. */
const USUAL_PORTS: readonly number[] = [80, 443];

/** The hosts that both lists name, as a list: whatever it lets through, each of them does, and the other way round. */
export function commonHosts(a: readonly string[], b: readonly string[]): readonly string[] {
  const common = a.flatMap((one) => b.flatMap((other) => commonHost(patternOf(one), patternOf(other)) ?? []));
  return [...new Set(common)];
}

function commonHost(a: HostPattern, b: HostPattern): string | null {
  const name = commonName(a, b) ?? commonName(b, a);
  const port = commonPort(a.port, b.port);
  if (name === null || port === undefined) return null;
  return port === null ? name : `${name}:${port}`;
}

/** The narrower name, if it is `a`'s. */
function commonName(a: HostPattern, b: HostPattern): string | null {
  const isSame = a.name === b.name && a.isBelow === b.isBelow;
  if (!isSame && !(b.isBelow && a.name.endsWith(`.${b.name}`) && a.name.length > b.name.length + 1)) return null;
  return `${a.isBelow ? "*." : ""}${a.name}`;
}

/** Undefined: they have none in common. */
function commonPort(a: number | null, b: number | null): number | null | undefined {
  if (a === b) return a;
  const named = a ?? b;
  if (a !== null && b !== null) return undefined;
  return named !== null && USUAL_PORTS.includes(named) ? named : undefined;
}

function patternOf(text: string): HostPattern {
  const [, wanted = "", port] = /^(.*?)(?::(\d+))?$/.exec(text.toLowerCase()) ?? [];
  const isBelow = wanted.startsWith("*.");
  return { name: isBelow ? wanted.slice(2) : wanted, isBelow, port: port === undefined ? null : Number(port) };
}
