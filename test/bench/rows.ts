/** One line of the report: what was measured, the figure, and what to hold beside it. */
export function row(name: string, figure: string, remark = ""): string {
  return `  ${name.padEnd(34)} ${figure.padStart(10)}   ${remark}`.trimEnd();
}

/** Milliseconds, with as many decimals as mean something. */
export function ms(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 0)} ms`;
}

/** How many times `b` goes into `a`. */
export function times(a: number, b: number): string {
  return `${(a / b).toFixed(2)}x`;
}

/** An aim beside its figure, and whether this run of the bench reached it. */
export function aim(text: string, isReached: boolean): string {
  return `aim: ${text}${isReached ? "" : "  MISSED"}`;
}
