import type { LLMock } from "@copilotkit/aimock";
import { onTestFinished } from "vitest";
import { type MockTurn, startMockModels } from "./mock-server.ts";

export type { MockTurn } from "./mock-server.ts";

/** The mock server, stopped with the test. */
export async function mockModels(turns: readonly MockTurn[]): Promise<LLMock> {
  const mock = await startMockModels(turns);
  onTestFinished(async () => {
    await mock.stop();
  });
  return mock;
}
