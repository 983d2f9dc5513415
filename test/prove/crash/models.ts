import { type Fixture, type JournalEntry, LLMock } from "@copilotkit/aimock";
import { calcPrice } from "@pydantic/genai-prices";
import { NANOS_PER_USD } from "../../../src/core/money.ts";
import { type ModelTurn, SECOND_ROUND, TURNS, turnName } from "./scenario.ts";

/** Characters of an answer that arrive together, and milliseconds between: an answer comes in several pieces. */
const CHUNKS = { chunkSize: 250, latency: 1 } as const;

/** A server that speaks the real wire, was not written here and keeps its own log. What it answers depends on the request alone. */
export async function startModels(): Promise<LLMock> {
  const models = new LLMock({ port: 0, strict: true, ...CHUNKS });
  for (const turn of TURNS) models.addFixture(fixtureOf(turn));
  await models.start();
  return models;
}

/** The turn that the server served. */
export function nameOfRequest({ response }: JournalEntry): string {
  return servedBy(response.fixture)?.id ?? `nothing that it knows (${response.status})`;
}

/** What a request costs in nano-dollars: the server's own word on the usage, at list price, by the catalogue and not by ccp. */
export function priceOf({ body, response }: JournalEntry): number {
  const { model } = body as { readonly model: string };
  const price = calcPrice(servedBy(response.fixture)?.usage ?? {}, model, { providerId: "anthropic" });
  if (!price) throw new Error(`genai-prices does not know ${model}`);
  return Math.round(price.total_price * NANOS_PER_USD);
}

/** The name goes over the wire as the message's id. */
interface Served {
  readonly id: string;
  readonly usage: ModelTurn["usage"];
}

function servedBy(fixture: Fixture | null): Served | null {
  return fixture === null ? null : (fixture.response as unknown as Served);
}

/** Ids of tool calls are given, so that they are the same in every run. */
function fixtureOf(turn: ModelTurn): Fixture {
  const id = turnName(turn);
  const toolCalls = turn.calls.map(({ tool, args }, index) => ({
    id: `toolu_${id.replaceAll(/\W/g, "_")}_${index}`,
    name: tool,
    arguments: JSON.stringify(args),
  }));
  return {
    match: {
      predicate: ({ model, messages }) =>
        model === turn.model &&
        messages.filter(({ role }) => role === "assistant").length === turn.turn - 1 &&
        roundOf(messages) === turn.conversation,
    },
    response: { ...(turn.say === undefined ? {} : { content: turn.say }), toolCalls, usage: turn.usage, id },
  };
}

function roundOf(messages: readonly { readonly role: string }[]): number {
  const task = messages.find(({ role }) => role === "user");
  return JSON.stringify(task).includes(SECOND_ROUND) ? 2 : 1;
}
