import { expect, test } from "vitest";
import { chooseMode, createScreen, type ScreenMode } from "../../src/ui/screen.ts";
import { SAMPLE_EVENTS, SAMPLE_STEPS, told } from "./sample-run.ts";

const terminal = { json: false, ui: "auto", stderrIsTty: true, term: "xterm-256color", ci: false } as const;

test.each([
  ["a terminal gets the live list", {}, "live"],
  ["a pipe gets plain lines", { stderrIsTty: false }, "plain"],
  ["a dumb terminal gets plain lines", { term: "dumb" }, "plain"],
  ["a terminal without a name is a terminal", { term: undefined }, "live"],
  ["CI gets plain lines, even on a terminal", { ci: true }, "plain"],
  ["who asks for the live list in CI gets it", { ci: true, ui: "live" }, "live"],
  ["who asks for plain lines gets them", { ui: "plain" }, "plain"],
  ["who asks for nothing gets nothing", { ui: "none" }, "none"],
  ["--json beats all", { json: true, ui: "live" }, "json"],
] as const)("%s", (_, given, mode) => {
  expect(chooseMode({ ...terminal, ...given })).toEqual({ mode, notice: null });
});

test.each([
  [{ stderrIsTty: false }, "stderr is not a terminal: plain lines in place of the live list"],
  [{ term: "dumb" }, "TERM is dumb: plain lines in place of the live list"],
])("a live list that is asked for and impossible is refused with a word", (given, notice) => {
  expect(chooseMode({ ...terminal, ...given, ui: "live" })).toEqual({ mode: "plain", notice });
});

function shown(mode: ScreenMode, write: (text: string) => unknown) {
  const out: string[] = [];
  const screen = createScreen({
    mode,
    stdout: { write: (text) => out.push(text) },
    stderr: { write },
    color: true,
    columns: 60,
    steps: SAMPLE_STEPS,
    now: () => 0,
  });
  for (const [event, run] of told(SAMPLE_EVENTS)) screen.event(event, run);
  screen.notice("a word");
  screen.close();
  return out;
}

test("progress goes to stderr and machine output to stdout", () => {
  const err: string[] = [];
  expect(shown("plain", (text) => err.push(text))).toEqual([]);
  expect(err.length).toBeGreaterThan(30);
  const quiet: string[] = [];
  expect(shown("json", (text) => quiet.push(text))).toHaveLength(SAMPLE_EVENTS.length);
  expect(quiet).toEqual([]);
});

test("without a screen nothing is written at all", () => {
  const err: string[] = [];
  expect(shown("none", (text) => err.push(text))).toEqual([]);
  expect(err).toEqual([]);
});

test.each(["live", "plain"] as const)("a %s screen whose stream throws does not throw", (mode) => {
  const broken = () => {
    throw new Error("EIO");
  };
  expect(() => shown(mode, broken)).not.toThrow();
});

test("a live screen on a stream without a width takes the one it was given", () => {
  const err: string[] = [];
  shown("live", (text) => err.push(text));
  const lines = err
    .join("")
    .replace(/\x1b\[\d+m/g, "")
    .split("\n");
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(60);
});
