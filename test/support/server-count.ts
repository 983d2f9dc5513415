import type { JournalEntry, LLMock } from "@copilotkit/aimock";
import { calcPrice } from "@pydantic/genai-prices";
import { NANOS_PER_USD } from "../../src/core/money.ts";

/** What a server says that it was asked and used, and what that costs at list price. */
export interface ServerCount {
  readonly requests: number;
  readonly freshInput: number;
  readonly cacheRead: number;
  readonly output: number;
  readonly nanos: number;
}

/** Sums the server's own journal, without a line of ours between. Failed requests count as requests that used nothing. */
export function serverCount(mock: LLMock): ServerCount {
  const counts = mock.getRequests().map(countOf);
  const sum = (key: keyof ServerCount) => counts.reduce((total, count) => total + count[key], 0);
  return {
    requests: counts.length,
    freshInput: sum("freshInput"),
    cacheRead: sum("cacheRead"),
    output: sum("output"),
    nanos: sum("nanos"),
  };
}

/** Each vendor's own words for the same things; `prompt_tokens` and its like include what came from the cache. */
interface ReportedUsage {
  readonly input_tokens?: number;
  readonly prompt_tokens?: number;
  readonly prompt_eval_count?: number;
  readonly output_tokens?: number;
  readonly completion_tokens?: number;
  readonly eval_count?: number;
  readonly prompt_tokens_details?: { readonly cached_tokens?: number };
  readonly cost?: number;
}

function countOf({ path, body, response }: JournalEntry): ServerCount {
  const { usage = {} } = (response.fixture?.response ?? {}) as { readonly usage?: ReportedUsage };
  const input = usage.input_tokens ?? usage.prompt_tokens ?? usage.prompt_eval_count ?? 0;
  const cacheRead = usage.prompt_tokens_details?.cached_tokens ?? 0;
  const output = usage.output_tokens ?? usage.completion_tokens ?? usage.eval_count ?? 0;
  const nanos =
    usage.cost === undefined
      ? listPrice(path, String((body as { model?: unknown } | null)?.model), { input, cacheRead, output })
      : usage.cost * NANOS_PER_USD;
  return { requests: 1, freshInput: input - cacheRead, cacheRead, output, nanos };
}

/** The prices of these tests are whole nano-dollars a token, so that only the noise of floating point is rounded. */
function listPrice(path: string, model: string, usage: { input: number; cacheRead: number; output: number }): number {
  const provider = providerOf(path);
  if (provider === null) return 0;
  const tokens = { input_tokens: usage.input, cache_read_tokens: usage.cacheRead, output_tokens: usage.output };
  const price = calcPrice(tokens, model, { providerId: provider });
  if (!price) throw new Error(`genai-prices does not know ${provider}/${model}`);
  return Math.round(price.total_price * NANOS_PER_USD);
}

/** Null: nobody bills for it. */
function providerOf(path: string): string | null {
  if (path.startsWith("/v1/messages")) return "anthropic";
  if (path.startsWith("/api/v1/")) return "openrouter";
  return path.startsWith("/api/chat") ? null : "openai";
}
