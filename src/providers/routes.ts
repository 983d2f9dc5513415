import type { Lane } from "../core/lane.ts";
import { ROLE_NAMES, type RoleName } from "../core/pipeline.ts";
import { cannotAsk } from "./model-facts.ts";

/** What a vendor is asked for, when a pipeline does not say: a good worker at a fair price, and a stronger judge. */
interface VendorModels extends Readonly<Record<RoleName, string>> {
  readonly lane: string;
  /** Who made the models: two lanes of one vendor judge alike. */
  readonly vendor: string;
}

/** In the order in which they are asked. Ids and prices are those of the catalogue (`@pydantic/genai-prices` 0.1.8). */
const DEFAULT_MODELS: readonly VendorModels[] = [
  // $2 in, $10 out per million tokens; the reviewer $5 and $25.
  {
    lane: "anthropic",
    vendor: "anthropic",
    planner: "claude-sonnet-5",
    doer: "claude-sonnet-5",
    reviewer: "claude-opus-5",
  },
  // $2 in, $12 out; the reviewer $4 and $20.
  { lane: "openai", vendor: "openai", planner: "gpt-5.6-terra", doer: "gpt-5.6-terra", reviewer: "gpt-5.6-sol" },
  // $1.40 in, $4.40 out.
  { lane: "zai", vendor: "z-ai", planner: "glm-5.3", doer: "glm-5.3", reviewer: "glm-5.3" },
  {
    lane: "openrouter",
    vendor: "z-ai",
    planner: "z-ai/glm-5.3",
    doer: "z-ai/glm-5.3",
    reviewer: "z-ai/glm-5.3",
  },
];

/** Of models that work at a fair price the stronger one of the same vendor. Ids as above. */
const STRONGER: Readonly<Record<string, string>> = {
  // $2 in, $10 out per million tokens; the stronger one $5 and $25.
  "anthropic/claude-sonnet-5": "anthropic/claude-opus-5",
  // $2 in, $12 out; the stronger one $4 and $20.
  "openai/gpt-5.6-terra": "openai/gpt-5.6-sol",
};

/** What to take where a model is stuck and nobody has named a stronger one: of the same vendor and key, from the lanes that can be asked now. */
export function strongerModels(lanes: readonly Lane[]): Readonly<Record<string, string>> {
  const usable = lanes.filter((lane) => lane.wire !== "scripted" && cannotAsk(lane) === null);
  const entries = Object.entries(STRONGER).filter(([model]) => usable.some(({ id }) => model.startsWith(`${id}/`)));
  return Object.fromEntries(entries);
}

/**
 * The routes of roles for which nobody named a model, from the lanes that can be asked now. Empty lists: there is none.
 * What files have as the default of a role comes first, then the vendors with a key, so that another answers when one is down, then the models that providers.yaml
 * lists for lanes of one's own; never a transcript. The reviewer is not of the doer's vendor where there are two.
 */
export function defaultRoutes(lanes: readonly Lane[]): Readonly<Record<RoleName, readonly string[]>> {
  const usable = lanes.filter((lane) => lane.wire !== "scripted" && cannotAsk(lane) === null);
  const vendors = DEFAULT_MODELS.filter(({ lane }) => usable.some(({ id }) => id === lane));
  const own = usable.flatMap(({ id, models }) =>
    DEFAULT_MODELS.some(({ lane }) => lane === id) ? [] : Object.keys(models).map((model) => `${id}/${model}`),
  );
  const chosen = (role: RoleName) =>
    usable.flatMap(({ id, models }) =>
      Object.entries(models).flatMap(([model, { defaultFor = [] }]) =>
        defaultFor.includes(role) ? [`${id}/${model}`] : [],
      ),
    );
  return routes((role) => {
    const order = role === "reviewer" ? withLast(vendors, vendors[0]?.vendor) : vendors;
    return [...new Set([...chosen(role), ...order.map((models) => `${models.lane}/${models[role]}`), ...own])];
  });
}

/** The models of a built-in lane that a default route has; empty: none. */
export function defaultModelsOf(laneId: string): readonly string[] {
  const models = DEFAULT_MODELS.find(({ lane }) => lane === laneId);
  return models === undefined ? [] : [...new Set(ROLE_NAMES.map((role) => models[role]))];
}

/** The same models, those of one vendor behind all others. */
function withLast(models: readonly VendorModels[], vendor: string | undefined): readonly VendorModels[] {
  return [...models.filter((one) => one.vendor !== vendor), ...models.filter((one) => one.vendor === vendor)];
}

function routes(routeOf: (role: RoleName) => readonly string[]): Readonly<Record<RoleName, readonly string[]>> {
  const [planner, doer, reviewer] = ROLE_NAMES.map(routeOf) as [
    readonly string[],
    readonly string[],
    readonly string[],
  ];
  return { planner, doer, reviewer };
}
