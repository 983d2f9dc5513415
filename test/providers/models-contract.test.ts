import type { Lane } from "../../src/core/lane.ts";
import { createModels } from "../../src/providers/models.ts";
import { type ModelsUnderTest, modelsContract } from "../contract/models.ts";
import { wireServer } from "../support/wire-server.ts";
import { STORIES } from "../support/wire-stories.ts";
import { contentTypeOf, framed, lane, memorySpool, REAL_WIRES, type RealWire, request } from "../support/wires.ts";

const TURNS = [
  { role: "doer", step: "answered", turn: 1, say: "Grüße 👋 und mehr", calls: [{ tool: "ls" }], usage: { input: 9 } },
  { role: "doer", step: "failing", turn: 1, fault: { class: "overloaded", times: "always" } },
  { role: "doer", step: "endless", turn: 1, delay_ms: 3_600_000 },
];

modelsContract("the scripted provider", async (): Promise<ModelsUnderTest> => {
  const spool = memorySpool();
  const scripted = lane("openai-chat", {
    id: "scripted",
    baseUrl: "t.yaml",
    auth: "none",
    credential: null,
    free: true,
  });
  const models = await createModels({
    lanes: [{ ...scripted, wire: "scripted" }],
    spool,
    readTranscript: () => ({ turns: TURNS }),
  });
  const asked = (stepId: string) =>
    request({
      model: { provider: "scripted", model: "transcript" },
      asker: { role: "doer", stepId, conversation: 1, turn: 1 },
    });
  return { models, spool, answered: asked("answered"), failing: asked("failing"), endless: asked("endless") };
});

for (const wire of REAL_WIRES) modelsContract(`lanes of the wire ${wire}`, () => overSockets(wire));

/** Three lanes, each with a server of its own. */
async function overSockets(wire: RealWire): Promise<ModelsUnderTest> {
  const headers = { "content-type": contentTypeOf(wire) };
  const whole = framed(wire, STORIES[wire]);
  const servers = {
    answered: await wireServer({ headers, chunks: [whole] }),
    failing: await wireServer({ status: 503, chunks: ["out of order"] }),
    endless: await wireServer({ headers, chunks: [whole.slice(0, whole.indexOf("\n") + 1)], ending: "silence" }),
  };
  const lanes = Object.entries(servers).map(([id, { url }]): Lane => lane(wire, { id, baseUrl: url }));
  const spool = memorySpool();
  const models = await createModels({ lanes, spool, readTranscript: () => null });
  const asked = (provider: string) => request({ model: { provider, model: "some-model" } });
  return { models, spool, answered: asked("answered"), failing: asked("failing"), endless: asked("endless") };
}
