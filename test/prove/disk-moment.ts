import type { ChildProcess } from "node:child_process";
import { linesOf } from "../support/killer.ts";

/** Does something once ccp has written so many lines, and comes back when it has closed its output. */
export async function atLine(child: ChildProcess, line: number, work: () => Promise<void>): Promise<void> {
  let seen = 0;
  for await (const _line of linesOf(child)) {
    seen += 1;
    if (seen === line) await work();
  }
}
