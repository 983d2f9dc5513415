import { expect, test } from "vitest";
import { afterFailedAttempt, type FailureClass } from "../../src/core/failure.ts";
import { page, rowsIn } from "./pages.ts";

/** How often one model is asked that fails in the same way each time. */
function attempts(failure: FailureClass, others: number): number {
  const ahead = Array.from({ length: others }, () => ({ contextWindow: 2 }));
  const known = { retryAfterMs: null, shouldRetry: null, candidate: { contextWindow: 1 }, msLeft: null, random: 0 };
  for (let asked = 1; ; asked++) {
    if (afterFailedAttempt({ ...known, class: failure, attempts: asked, ahead }).type !== "retry") return asked;
  }
}

test("docs/failover.md has the table of the code", () => {
  const rows = rowsIn(page("docs/failover.md")).filter((row) => row.length === 5 && /^`/.test(row[0] ?? ""));
  const said = rows.map(([name = "", , left, last]) => [name.replaceAll("`", ""), Number(left), Number(last)]);
  expect(rows).toHaveLength(11);
  expect(said).toEqual(
    said.map(([name]) => [name, attempts(name as FailureClass, 1), attempts(name as FailureClass, 0)]),
  );
});
