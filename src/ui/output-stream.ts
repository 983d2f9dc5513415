/** The part of a stream that the screens use; `process.stdout` and `process.stderr` have it. */
export interface OutputStream {
  write(text: string): unknown;
  /** Missing on a stream that cannot fail later than `write`. */
  on?(event: "error", listener: (error: Error) => void): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
}

const guarded = new WeakSet<OutputStream>();

/**
 * The same stream, except that writing to it never throws and never ends the process: a reader that has gone away
 * (`ccp run | head`) or a terminal that was closed must not take the run with it. The guard stays for good, as errors
 * of a write may come after the screen is closed.
 */
export function quietStream(stream: OutputStream): OutputStream {
  if (!guarded.has(stream)) {
    guarded.add(stream);
    stream.on?.("error", () => {});
  }
  return {
    write: (text) => {
      try {
        return stream.write(text);
      } catch {
        return false;
      }
    },
    get isTTY() {
      return stream.isTTY;
    },
    get columns() {
      return stream.columns;
    },
    get rows() {
      return stream.rows;
    },
  };
}
