import picocolors from "picocolors";
import type { LineKind } from "./line.ts";

/** Puts the colours of a kind of line on a text; leaves it alone where colours are not wanted. */
export type Paint = (kind: LineKind, text: string) => string;

/** `color` false: a paint that changes nothing. */
export function createPaint(color: boolean): Paint {
  const colors = picocolors.createColors(color);
  const styles: Readonly<Record<LineKind, (text: string) => string>> = {
    title: colors.bold,
    step: colors.cyan,
    detail: colors.dim,
    note: String,
    good: colors.green,
    warning: colors.yellow,
    bad: colors.red,
  };
  return (kind, text) => styles[kind](text);
}
