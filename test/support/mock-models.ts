import { LLMock } from "@copilotkit/aimock";
import { onTestFinished } from "vitest";

/** One answer of a mocked model: the `turn`th (from 1) of a conversation with `model`. */
export interface MockTurn {
  readonly model: string;
  readonly turn: number;
  readonly say?: string;
  readonly calls?: readonly { readonly tool: string; readonly args: unknown }[];
  /** In the vendor's own words. */
  readonly usage?: Readonly<Record<string, number>>;
}

/** A server that speaks the real wires and that nobody here wrote. Strict: a request without an answer is an error. */
export async function mockModels(turns: readonly MockTurn[]): Promise<LLMock> {
  const mock = new LLMock({ port: 0, strict: true });
  for (const { model, turn, say, calls, usage } of turns) {
    mock.addFixture({
      match: { predicate: (request) => request.model === model && answersIn(request.messages) === turn - 1 },
      response: {
        ...(say === undefined ? {} : { content: say }),
        ...(calls === undefined
          ? {}
          : { toolCalls: calls.map(({ tool, args }) => ({ name: tool, arguments: JSON.stringify(args) })) }),
        ...(usage === undefined ? {} : { usage }),
      } as never,
    });
  }
  await mock.start();
  onTestFinished(async () => {
    await mock.stop();
  });
  return mock;
}

function answersIn(messages: readonly { readonly role: string }[]): number {
  return messages.filter(({ role }) => role === "assistant").length;
}
