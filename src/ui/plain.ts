import type { Screen } from "../core/ports.ts";
import { type Line, noticeLine } from "./line.ts";
import { LineFeed } from "./line-feed.ts";
import type { OutputStream } from "./output-stream.ts";
import type { Past } from "./past.ts";
import type { StepLabel } from "./step-label.ts";

/** What a plain screen is made of. */
export interface PlainOptions {
  readonly stream: OutputStream;
  readonly steps: readonly StepLabel[];
  readonly past?: Past | undefined;
}

/** One line a fact: no escape codes, no cursor movement, never a wait. For pipes, CI logs and screen readers. */
export function createPlainScreen({ stream, steps, past }: PlainOptions): Screen {
  const feed = new LineFeed(steps, past);
  const print = (lines: readonly Line[]) => {
    if (lines.length > 0) stream.write(lines.map((line) => `${line.text}\n`).join(""));
  };
  return {
    event: (event, run) => print(feed.event(event, run)),
    delta: (delta) => print(feed.delta(delta)),
    notice: (text) => print([...feed.flush(), noticeLine(text)]),
    typed: () => {},
    close: () => print(feed.flush()),
  };
}
