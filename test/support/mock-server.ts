import { type Fixture, LLMock } from "@copilotkit/aimock";

/** One answer of a mocked model: the `turn`th (from 1) of a conversation with `model`. */
export interface MockTurn {
  readonly model: string;
  readonly turn: number;
  readonly say?: string;
  readonly calls?: readonly { readonly tool: string; readonly args: unknown }[];
  /** In the vendor's own words. */
  readonly usage?: Readonly<Record<string, unknown>>;
  /** Sent in small pieces with a pause before each: it takes as long as its text is long. */
  readonly isSlow?: boolean;
}

/**
 * A server that speaks the real wires and that nobody here wrote. Strict: a request without an answer is an error.
 * Its answers depend on the request alone, so a request that is made again is answered alike. The caller stops it.
 */
export async function startMockModels(turns: readonly MockTurn[]): Promise<LLMock> {
  const mock = new LLMock({ port: 0, strict: true });
  for (const turn of turns) mock.addFixture(fixtureOf(turn));
  await mock.start();
  return mock;
}

/** The answer as the server knows it. */
export function fixtureOf({ model, turn, say, calls, usage, isSlow }: MockTurn): Fixture {
  return {
    ...(isSlow ? { latency: 100, chunkSize: 10 } : {}),
    match: { predicate: (request) => request.model === model && answersIn(request.messages) === turn - 1 },
    response: {
      ...(say === undefined ? {} : { content: say }),
      ...(calls === undefined
        ? {}
        : { toolCalls: calls.map(({ tool, args }) => ({ name: tool, arguments: JSON.stringify(args) })) }),
      ...(usage === undefined ? {} : { usage }),
    } as Fixture["response"],
  };
}

/** Of neighbouring assistant messages (the Responses wire has one for each tool call) the first counts. */
function answersIn(messages: readonly { readonly role: string }[]): number {
  return messages.filter(({ role }, index) => role === "assistant" && messages[index - 1]?.role !== "assistant").length;
}
