import { setTimeout as delay } from "node:timers/promises";
import type { Window } from "../core/budget.ts";
import type { Chance } from "../core/ports.ts";

/** Without those that look alike. */
const RID_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789";

/** Node's timers count in 32 bits: some 24 days. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The clock and the chance of the machine. */
export const systemChance: Chance = {
  now: () => Date.now(),
  sleep: (ms, signal) => delay(ms, undefined, { signal }).catch(() => undefined),
  alarm: (ms) => AbortSignal.timeout(Math.min(Math.max(0, Math.ceil(ms)), LONGEST_TIMER_MS)),
  random: () => Math.random(),
  day: localDay,
  minute: (at) => new Date(at).getHours() * 60 + new Date(at).getMinutes(),
  rid: () => `r-${Array.from(crypto.getRandomValues(new Uint8Array(6)), letter).join("")}`,
};

function localDay(at: number): string {
  const date = new Date(at);
  const two = (number: number) => String(number).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

function letter(byte: number): string {
  return RID_LETTERS[byte % RID_LETTERS.length] ?? "";
}

/** The part of the user's day or week that is over at an instant: above 0, at most 1. */
export function elapsedOf(window: Window, now: number): number {
  const date = new Date(now);
  const seconds = date.getHours() * 3600 + date.getMinutes() * 60 + date.getSeconds() + 1;
  const ofDay = seconds / 86_400;
  return window === "day" ? ofDay : (((date.getDay() + 6) % 7) + ofDay) / 7;
}
