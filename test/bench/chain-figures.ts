/** What one chain of steps took, per step: milliseconds from start to end, and bytes of the closed database. */
export interface ChainFigures {
  readonly msPerStep: number;
  readonly firstHundredMs: number;
  readonly lastHundredMs: number;
  readonly bytesPerStep: number;
}
