import { CcpError, EXIT } from "../core/errors.ts";
import type { Lane } from "../core/lane.ts";
import { formatModelRef, type ModelFacts, type ModelRef } from "../core/model.ts";
import { FREE, type Price } from "../core/money.ts";
import { didYouMean } from "../core/suggest.ts";
import { BUILT_IN_LANES } from "./built-in-lanes.ts";
import { capabilitiesOf } from "./capabilities.ts";
import { editFormOf } from "./edit-forms.ts";
import type { PriceBook } from "./prices.ts";
import { theirName } from "./their-name.ts";

/** Default ceiling of one answer, in tokens: room for a large edit and the reasoning before it. */
const CLOUD_OUTPUT_TOKENS = 16_384;
/** On a small machine a longer answer takes many minutes and crowds out its own prompt. */
const OLLAMA_OUTPUT_TOKENS = 4_096;

/** The lane that a reference names. Throws `CcpError("unknown_provider")`, exit 2. */
export function laneOf(ref: ModelRef, lanes: readonly Lane[]): Lane {
  const lane = lanes.find((candidate) => candidate.id === ref.provider);
  if (lane !== undefined) return lane;
  const ids = lanes.map(({ id }) => id);
  const near = didYouMean(ref.provider, ids);
  throw new CcpError(
    "unknown_provider",
    EXIT.usage,
    `unknown provider "${ref.provider}" in "${formatModelRef(ref)}"; known: ${ids.join(", ")}`,
    { hint: near === null ? "define it in providers.yaml, or name one of these" : `did you mean "${near}"?` },
  );
}

/** Why a lane cannot be asked at all (`missing_key`, exit 4); null when it can. */
export function cannotAsk(lane: Lane): CcpError | null {
  if (lane.auth === "none" || lane.credential !== null) return null;
  return new CcpError(
    "missing_key",
    EXIT.credentials,
    `provider "${lane.id}" has no key: ${lane.credentialName} is not set`,
    { hint: `set ${keyVariables(lane).join(" or ")}, or choose another model` },
  );
}

/** The environment variables that may hold a lane's key, the one that does, or that is missing, first; empty: it needs none. */
export function keyVariables(lane: Lane): readonly string[] {
  if (lane.credentialName === null) return [];
  if (lane.keys)
    return lane.keys
      .toSorted((a, b) => Number(a.credential === null) - Number(b.credential === null))
      .map(({ name }) => name);
  const names = BUILT_IN_LANES.find(({ id }) => id === (lane.via ?? lane.id))?.keys.map(({ name }) => name) ?? [];
  const others = names.includes(lane.credentialName) ? names.filter((name) => name !== lane.credentialName) : [];
  return [lane.credentialName, ...others];
}

/** What is known of a model: the user's word first, then the catalogue's. */
export function factsOf(lane: Lane, model: string, prices: PriceBook): ModelFacts {
  const said = lane.models[model] ?? {};
  const theirs = theirName(lane, model);
  const allocated = lane.wire === "ollama-chat" ? lane.contextTokens : null;
  const contextWindow = said.contextWindow ?? allocated ?? prices.contextWindowOf(lane, theirs);
  const edits = said.edits ?? editFormOf(theirs);
  const capabilities = said.capabilities ?? capabilitiesOf(theirs);
  return {
    ref: { provider: lane.id, model },
    price: said.price ?? listPrice(lane, theirs, prices),
    contextWindow,
    maxOutputTokens: outputCeiling(lane, said.maxOutputTokens ?? null, contextWindow),
    local: lane.local,
    scripted: lane.wire === "scripted",
    ...(lane.quota ? { quota: lane.quota } : {}),
    ...(lane.account ? { account: lane.account } : {}),
    ...(edits === "edit" || lane.wire === "scripted" ? {} : { edits }),
    ...(Object.keys(capabilities).length === 0 || lane.wire === "scripted" ? {} : { capabilities }),
  };
}

/** Families that, run by oneself, write calls into their text now and then instead of calling. */
const TEXT_CALLERS =
  /(^|\/)(qwen2\.5|qwen3-coder|qwen-?coder|codellama|deepseek-(coder|r1)|devstral|gemma|hermes|llama3|mistral|nous-hermes|phi)/i;

/** True where calls are to be looked for in a model's text: the user says so, or it is known for it and runs on Ollama or on this machine. */
export function writesTextCalls(lane: Lane, model: string): boolean {
  const isOnesOwn = lane.local || lane.wire === "ollama-chat";
  return lane.models[model]?.textCalls ?? (isOnesOwn && TEXT_CALLERS.test(theirName(lane, model)));
}

/** A proxy on this machine may stand for a paid service: its list price counts where there is one. */
function listPrice(lane: Lane, model: string, prices: PriceBook): Price | null {
  if (lane.free) return FREE;
  return prices.priceOf(lane, model) ?? (lane.local ? FREE : null);
}

/** Unless said otherwise an answer may fill half of the window at most: the prompt has to fit as well. */
function outputCeiling(lane: Lane, said: number | null, contextWindow: number | null): number {
  const room = contextWindow ?? Number.POSITIVE_INFINITY;
  if (said !== null) return Math.min(said, room);
  const usual = lane.wire === "ollama-chat" ? OLLAMA_OUTPUT_TOKENS : CLOUD_OUTPUT_TOKENS;
  return Math.min(usual, Math.ceil(room / 2));
}
