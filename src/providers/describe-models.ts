import type { Lane } from "../core/lane.ts";
import { type Capabilities, type EditForm, formatModelRef, type ModelRef } from "../core/model.ts";
import type { Price } from "../core/money.ts";
import type { RoleName } from "../core/pipeline.ts";
import { priceMultiples } from "../core/price-multiple.ts";
import { redactJson } from "../core/redact.ts";
import type { ValueSource } from "../core/value-source.ts";
import { cannotAsk, factsOf, laneOf, writesTextCalls } from "./model-facts.ts";
import { cheapestModel } from "./ping-model.ts";
import { loadPriceBook, NO_PRICES, type PriceBook } from "./prices.ts";
import { defaultRoutes } from "./routes.ts";
import { theirName } from "./their-name.ts";

/** A model that can be asked here, for people to compare: no credential is in it. */
export interface ModelDescription {
  /** `provider/model`. */
  readonly name: string;
  /** Nano-dollars per million tokens; null: nobody knows it. */
  readonly price: Price | null;
  /** Null: the price is unknown. */
  readonly priceSource: PriceSource | null;
  /** Of `blendedPrice`, against the cheapest of the list; null: the price is unknown, or it costs nothing. */
  readonly priceMultiple: number | null;
  /** Tokens; null: unknown. */
  readonly contextWindow: number | null;
  /** Tokens of its longest answer. */
  readonly maxOutputTokens: number;
  readonly edits: EditForm;
  /** Calls that it writes into its text are read as calls. */
  readonly textCalls: boolean;
  /** What is not in it, nobody knows. */
  readonly capabilities: Capabilities;
  readonly local: boolean;
  /** Its place, from 1, in the routes of roles for which nobody names a model. */
  readonly roles: Readonly<Partial<Record<RoleName, number>>>;
}

/** A file, the bundled list, a provider whose calls cost nothing, or this machine, where the list has no price. */
export type PriceSource =
  | ValueSource
  | { readonly kind: "catalogue" }
  | { readonly kind: "free-provider" }
  | { readonly kind: "this-machine" };

/** What can be asked through these lanes, in their order: what files name, the defaults, and the cheapest of each built-in one. */
export async function describeModels(lanes: readonly Lane[]): Promise<readonly ModelDescription[]> {
  const usable = lanes.filter((lane) => lane.wire !== "scripted" && cannotAsk(lane) === null);
  const prices = usable.some((lane) => !lane.free) ? await loadPriceBook() : NO_PRICES;
  const routes = defaultRoutes(lanes);
  const refs = usable.flatMap((lane) => modelsOf(lane, Object.values(routes).flat()));
  const all = refs.map((ref) => described(ref, laneOf(ref, lanes), prices));
  const multiples = priceMultiples(all.map(({ price }) => price));
  const models = all.map((model, index) => {
    return { ...model, priceMultiple: multiples[index] ?? null, roles: placesIn(routes, model.name) };
  });
  return redactJson(
    models,
    lanes.flatMap(({ credential }) => credential ?? []),
  );
}

function modelsOf(lane: Lane, routed: readonly string[]): readonly ModelRef[] {
  const prefix = `${lane.id}/`;
  const defaults = routed.flatMap((name) => (name.startsWith(prefix) ? [name.slice(prefix.length)] : []));
  const cheapest = cheapestModel(lane);
  const names = new Set([...Object.keys(lane.models), ...defaults, ...(cheapest === null ? [] : [cheapest])]);
  return [...names].map((model) => ({ provider: lane.id, model }));
}

function described(ref: ModelRef, lane: Lane, prices: PriceBook): Omit<ModelDescription, "priceMultiple" | "roles"> {
  const {
    price,
    contextWindow,
    maxOutputTokens,
    edits = "edit",
    capabilities = {},
    local,
  } = factsOf(lane, ref.model, prices);
  return {
    name: formatModelRef(ref),
    price,
    priceSource: price === null ? null : priceSourceOf(lane, ref.model, prices),
    contextWindow,
    maxOutputTokens,
    edits,
    textCalls: writesTextCalls(lane, ref.model),
    capabilities,
    local,
  };
}

/** In the order in which `factsOf` asks. */
function priceSourceOf(lane: Lane, model: string, prices: PriceBook): PriceSource {
  const key = `models.${model}.price`;
  const said = Object.hasOwn(lane.sources ?? {}, key) ? lane.sources?.[key] : undefined;
  if (said !== undefined) return said;
  if (lane.free) return { kind: "free-provider" };
  return { kind: prices.priceOf(lane, theirName(lane, model)) === null ? "this-machine" : "catalogue" };
}

function placesIn(
  routes: Readonly<Record<RoleName, readonly string[]>>,
  name: string,
): Readonly<Partial<Record<RoleName, number>>> {
  const places = Object.entries(routes).map(([role, route]) => [role, route.indexOf(name) + 1] as const);
  return Object.fromEntries(places.filter(([, place]) => place > 0));
}
