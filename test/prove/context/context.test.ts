import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ROOT } from "../../support/cli.ts";
import { ENDLESS, longSession, type SessionResult } from "./long-session.ts";

/** Whole, or a sample of it. */
const IS_WHOLE = process.env.CCP_CONTEXT === "all";
const LONG = IS_WHOLE ? { turns: 160, lines: 300, window: 128_000 } : { turns: 30, lines: 60, window: 16_000 };
const SMALL = IS_WHOLE ? { turns: 150, lines: 150, window: 32_768 } : { turns: 24, lines: 60, window: 12_000 };
const figures: Record<string, unknown> = { at: new Date().toISOString() };

const figuresOf = ({ asked, code, tree }: SessionResult) => {
  const { answered, summaries, refused, tokens, longest } = asked;
  return { exitCode: code, tree, requests: answered, summaries, refused, inputTokens: tokens, longestRequest: longest };
};

function keep(name: string, value: unknown): void {
  figures[name] = value;
  if (!IS_WHOLE) return;
  const path = join(ROOT, "results", "prove", "context.json");
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, `${JSON.stringify(figures, null, 2)}\n`);
}

test("a long session sends at least 30 % fewer tokens than without discipline, and comes to the same tree", async () => {
  const { window, ...session } = LONG;
  const without = await longSession({ ...session, told: ENDLESS, real: ENDLESS });
  const disciplined = await longSession({ ...session, told: window, real: window });
  const saved = 1 - disciplined.asked.tokens / without.asked.tokens;
  keep("long", {
    ...session,
    window,
    without: figuresOf(without),
    disciplined: figuresOf(disciplined),
    savedPart: saved,
  });
  expect(without.code, without.reason).toBe(0);
  expect(disciplined.code, disciplined.reason).toBe(0);
  expect(disciplined.tree).toBe(without.tree);
  expect(disciplined.asked.refused).toBe(0);
  expect(saved).toBeGreaterThanOrEqual(0.3);
}, 900_000);

test("a session that overflows its model's window without discipline ends well with it", async () => {
  const { window, ...session } = SMALL;
  const without = await longSession({ ...session, told: ENDLESS, real: ENDLESS });
  const disciplined = await longSession({ ...session, told: window, real: window });
  const overflowsAt = without.asked.firstAbove(window);
  keep("small", { ...session, window, overflowsAt, without: figuresOf(without), disciplined: figuresOf(disciplined) });
  expect(overflowsAt).not.toBeNull();
  expect(disciplined.code, disciplined.reason).toBe(0);
  expect(disciplined.tree).toBe(without.tree);
  expect(disciplined.asked.refused).toBe(0);
}, 900_000);

test("one whose window is smaller than ccp was told ends well all the same: what is refused is asked again with less", async () => {
  const { window, ...session } = SMALL;
  const misled = await longSession({ ...session, told: window * 4, real: window });
  keep("misled", { ...session, window, told: window * 4, disciplined: figuresOf(misled) });
  expect(misled.code, misled.reason).toBe(0);
  expect(misled.asked.refused).toBeGreaterThan(0);
}, 900_000);
