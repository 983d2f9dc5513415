import { describe, expect, test } from "vitest";
import { BROKEN_STREAMS, HOPELESS, RECOVERABLE } from "../prove/agent/habits.ts";
import { OWN_TASKS } from "../prove/agent/own-tasks.ts";
import { type Play, play } from "../prove/agent/play.ts";
import { BINARY } from "../support/cli.ts";

/** A sample of `npm run prove:agent`: one wire for each habit, and the quick ones among them. */
function playOf(wire: Play["wire"], habitName: string, roles: Play["roles"] = "doer", taskNumber = 0): Play {
  const habit = [...RECOVERABLE, ...BROKEN_STREAMS, ...HOPELESS].find(({ name }) => name === habitName);
  const task = OWN_TASKS[taskNumber];
  if (!habit || !task) throw new Error(`there is no habit "${habitName}" or task ${taskNumber}`);
  return { wire, habit, roles, task };
}

describe("a model that knows the way gets there", () => {
  test.each<Play>([
    playOf("anthropic-messages", "none", "all", 1),
    playOf("openai-responses", "none", "doer", 3),
    playOf("openai-chat", "JSON cut short"),
    playOf("ollama-chat", "other names for tools"),
    playOf("openai-responses", "one id for all calls", "doer", 1),
    playOf("openai-chat", "calls written as text"),
    playOf("anthropic-messages", "a reply cut in the middle of a call"),
    playOf("openai-chat", "done before anything is done"),
    playOf("anthropic-messages", "outside of the tree, and at keys"),
    playOf("ollama-chat", "byte by byte"),
    playOf("anthropic-messages", "more than its window holds"),
  ])("$wire, $habit.name: $task.name", async (of) => {
    expect(await play(of, BINARY)).toMatchObject({ status: "succeeded", violations: [] });
  });
});

describe("a model that never gets there has an ending with a name, and is never green", () => {
  test.each<Play>([
    playOf("openai-chat", "always words"),
    playOf("anthropic-messages", "always broken JSON"),
    playOf("openai-responses", "always the same call"),
    playOf("ollama-chat", "always a false done"),
  ])("$wire, $habit.name: $habit.ending", async (of) => {
    expect(await play(of, BINARY)).toMatchObject({ ending: of.habit.ending, violations: [] });
  });
});
