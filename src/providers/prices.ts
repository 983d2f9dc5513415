import type { Provider } from "@pydantic/genai-prices";
import type { Lane } from "../core/lane.ts";
import { type Price, usdToNanos } from "../core/money.ts";
import { CATALOGUE_OVERLAY, type ListedModel } from "./catalogue-overlay.ts";
import { dearest, toPrice } from "./catalogue-price.ts";

type Catalogue = typeof import("@pydantic/genai-prices");

/** List prices and context windows, by who runs the lane's host. What a user says of a model is not in it. */
export interface PriceBook {
  /** Null: nobody knows, so the call is refused unless the user gives a price. */
  priceOf(lane: Lane, model: string): Price | null;
  /** Tokens; null: unknown. */
  contextWindowOf(lane: Lane, model: string): number | null;
}

/** Knows nothing: for lanes that cost nothing. */
export const NO_PRICES: PriceBook = { priceOf: () => null, contextWindowOf: () => null };

/** The vendor of a built-in lane, wherever a proxy has moved it. */
const VENDORS: ReadonlyMap<string, string> = new Map([
  ["anthropic", "anthropic"],
  ["openai", "openai"],
  ["openai-chat", "openai"],
  ["openrouter", "openrouter"],
  ["zai", "zai"],
]);

/** The package gives only the lowest tier of bigmodel.cn's prices (prompts under 32k tokens): no bound, so not used. */
const INCOMPLETE_VENDORS: readonly string[] = ["zhipuai"];

/**
 * The bundled catalogue, offline: `@pydantic/genai-prices` under our overlay. Loaded only when something may cost
 * money (some 40 ms). `at`: the instant whose prices count; now, if not given.
 */
export async function loadPriceBook(at: Date = new Date()): Promise<PriceBook> {
  const catalogue = await import("@pydantic/genai-prices");
  return {
    priceOf: (lane, model) => {
      const listed = overlayModel(catalogue, lane, model);
      return listed === null ? catalogued(catalogue, lane, model, at).price : overlayPrice(listed);
    },
    contextWindowOf: (lane, model) =>
      overlayModel(catalogue, lane, model)?.contextWindow ?? catalogued(catalogue, lane, model, at).contextWindow,
  };
}

/** Who bills for a lane: the owner of its host, else the vendor that the lane is named after. */
function vendorOf(catalogue: Catalogue, lane: Lane): string | null {
  if (/^https:\/\/api\.z\.ai(?:[:/]|$)/.test(lane.baseUrl)) return "zai";
  return catalogue.findProvider({ providerApiUrl: lane.baseUrl })?.id ?? VENDORS.get(lane.via ?? lane.id) ?? null;
}

function overlayModel(catalogue: Catalogue, lane: Lane, model: string): ListedModel | null {
  return CATALOGUE_OVERLAY.get(`${vendorOf(catalogue, lane)}/${model.toLowerCase()}`) ?? null;
}

function overlayPrice(listed: ListedModel): Price {
  const input = usdToNanos(listed.input);
  return {
    input,
    cacheRead: usdToNanos(listed.cacheRead),
    cacheWrite: input,
    output: usdToNanos(listed.output),
    tiers: [],
  };
}

interface Catalogued {
  readonly price: Price | null;
  readonly contextWindow: number | null;
}

const NOT_LISTED: Catalogued = { price: null, contextWindow: null };

function catalogued(catalogue: Catalogue, lane: Lane, model: string, at: Date): Catalogued {
  const vendor = vendorOf(catalogue, lane);
  if (vendor === null || INCOMPLETE_VENDORS.includes(vendor)) return NOT_LISTED;
  const provider = catalogue.findProvider({ providerId: vendor });
  // The package matches names loosely; only the vendor that was asked for may answer.
  return provider?.id === vendor ? dearestOfTheDay(catalogue, provider, model, at) : NOT_LISTED;
}

/** Some vendors are cheaper at night. A run may cross the hour, so the dearest hour of the day counts. */
function dearestOfTheDay(catalogue: Catalogue, provider: Provider, model: string, at: Date): Catalogued {
  const now = catalogue.calcPrice({}, model, { provider, timestamp: at });
  if (now === null) return NOT_LISTED;
  const { prices, context_window } = now.model;
  const varies = Array.isArray(prices) && prices.some((one) => one.constraint?.type === "time_of_date");
  const later = Array.from({ length: varies ? 23 : 0 }, (_, hour) => new Date(at.getTime() + (hour + 1) * 3_600_000));
  const lists = later.flatMap((timestamp) => catalogue.calcPrice({}, model, { provider, timestamp }) ?? []);
  const all = [now, ...lists].map((list) => toPrice(list.model_price, model));
  return {
    price: all.reduce((a, b) => (a === null || b === null ? null : dearest(a, b))),
    contextWindow: context_window ?? null,
  };
}
