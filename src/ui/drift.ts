import { NANOS_PER_USD } from "../core/money.ts";

/** True when what was charged is more than 2 % off the price list: roundings stay below that, a price that has changed does not. */
export function isDrift(chargedNanos: number, listedNanos: number): boolean {
  return Math.abs(chargedNanos - listedNanos) * 50 > listedNanos;
}

/** `the provider charged $0.110, the price list says $0.100`: with as many digits as it takes to see the difference. */
export function driftText(who: string, chargedNanos: number, listedNanos: number): string {
  const amounts = [chargedNanos, listedNanos].filter((nanos) => nanos > 0);
  const magnitude = Math.floor(Math.log10(Math.min(...amounts) / NANOS_PER_USD));
  const decimals = Math.min(9, Math.max(2, 2 - magnitude));
  const shown = (nanos: number) => `$${(nanos / NANOS_PER_USD).toFixed(nanos === 0 ? 2 : decimals)}`;
  return `${who} charged ${shown(chargedNanos)}, the price list says ${shown(listedNanos)}`;
}
