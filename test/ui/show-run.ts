import { createScreen, type ScreenMode } from "../../src/ui/screen.ts";
import { SAMPLE_EVENTS, SAMPLE_STEPS, SAMPLE_WAIT, told } from "./sample-run.ts";

// Shows the sample run as fast as it can: `show-run.ts live|plain|json [color]`. Never closed: the process must end all the same.
const [mode, color] = process.argv.slice(2);
let clock = 0;
const screen = createScreen({
  mode: mode as ScreenMode,
  stdout: process.stdout,
  stderr: process.stderr,
  color: color === "color",
  steps: SAMPLE_STEPS,
  now: () => clock,
});
for (const [event, run] of told(SAMPLE_EVENTS)) {
  clock = event.at;
  screen.event(event, run);
  if (event.type === "call.settled" && event.result.type === "failed") screen.delta(SAMPLE_WAIT);
  // Errors of a write to a closed pipe come with the next turn of the event loop.
  await new Promise((resolve) => setImmediate(resolve));
}
