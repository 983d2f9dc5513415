/** An instant by the clock on the user's wall, for people: `12:03:10`, on another day `2026-11-21 12:03`. Nothing is decided by it. */
export function localTime(at: number, now: number): string {
  const [then, today] = [new Date(at), new Date(now)];
  const time = [then.getHours(), then.getMinutes(), then.getSeconds()].map(two);
  if (then.toDateString() === today.toDateString()) return time.join(":");
  return `${then.getFullYear()}-${two(then.getMonth() + 1)}-${two(then.getDate())} ${time.slice(0, 2).join(":")}`;
}

function two(number: number): string {
  return String(number).padStart(2, "0");
}
