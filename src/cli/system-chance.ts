import { setTimeout as delay } from "node:timers/promises";
import type { Chance } from "../core/ports.ts";

/** Without those that look alike. */
const RID_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789";

/** The clock and the chance of the machine. */
export const systemChance: Chance = {
  now: () => Date.now(),
  sleep: (ms, signal) => delay(ms, undefined, { signal }).catch(() => undefined),
  random: () => Math.random(),
  rid: () => `r-${Array.from(crypto.getRandomValues(new Uint8Array(6)), letter).join("")}`,
};

function letter(byte: number): string {
  return RID_LETTERS[byte % RID_LETTERS.length] ?? "";
}
