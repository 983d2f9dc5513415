import type { Diagnostic } from "../core/diagnostic.ts";
import type { Lane, ProvidersFile, WrittenRule } from "../core/lane.ts";
import { type ModelRef, parseModelRef } from "../core/model.ts";
import type { RouteRule } from "../core/route-rules.ts";
import { didYouMean } from "../core/suggest.ts";
import { SCRIPTED } from "./built-in-lanes.ts";
import { placed } from "./lane-problem.ts";
import { cheapestModel } from "./ping-model.ts";
import { loadPriceBook, NO_PRICES, type PriceBook } from "./prices.ts";
import { defaultModelsOf } from "./routes.ts";

/** The rules in their order, and what is wrong with the models that they name. */
export interface ResolvedRouting {
  readonly rules: readonly RouteRule[];
  readonly diagnostics: readonly Diagnostic[];
}

type Files = { readonly user: ProvidersFile | null; readonly project: ProvidersFile | null };

/**
 * The project's rules, then the user's, held against the lanes that there are: what the user has not allowed a project to
 * reach is no lane. Asynchronous only because the price list is loaded for a model that no file and no default names.
 */
export async function resolveRouting(files: Files, lanes: readonly Lane[]): Promise<ResolvedRouting> {
  const written = [...ruled(files.project, "project"), ...ruled(files.user, "user")];
  const isPlain = written.every(({ rule }) => rule.use.every((name) => isNamed(name, lanes)));
  const prices = isPlain ? NO_PRICES : await loadPriceBook();
  return {
    rules: written.map(({ rule: { name, source, when, use }, label }) => ({ name: name ?? label, source, when, use })),
    diagnostics: written.flatMap(({ rule, owner }) =>
      rule.use.flatMap((name, index) => {
        const isForged = owner === "project" && name.startsWith(`${SCRIPTED}/`);
        const wrong = isForged ? TRANSCRIPT : wrongModel(name, { files, lanes, prices });
        return wrong === null ? [] : [placed("", rule.useSources[index], ...wrong)];
      }),
    ),
  };
}

type Owner = "project" | "user";
type Complaint = readonly [message: string, hint: string | null];

/** Whoever puts a file into a repository does not answer in a model's place. */
const TRANSCRIPT: Complaint = ["a project's rule cannot have a transcript answer", "name it with --transcript"];

function ruled(
  file: ProvidersFile | null,
  owner: Owner,
): readonly { readonly rule: WrittenRule; readonly owner: Owner; readonly label: string }[] {
  return (file?.routing ?? []).map((rule, index) => ({ rule, owner, label: `${owner} rule ${index + 1}` }));
}

/** A file or a default names it: the price list need not be asked. */
function isNamed(name: string, lanes: readonly Lane[]): boolean {
  const ref = parseModelRef(name);
  const lane = lanes.find(({ id }) => id === ref?.provider);
  return ref === null || lane === undefined || lane.wire === "scripted" || namesOf(lane).includes(ref.model);
}

function namesOf(lane: Lane): readonly string[] {
  const cheapest = cheapestModel(lane);
  return [...Object.keys(lane.models), ...defaultModelsOf(lane.id), ...(cheapest === null ? [] : [cheapest])];
}

interface Known {
  readonly files: Files;
  readonly lanes: readonly Lane[];
  readonly prices: PriceBook;
}

function wrongModel(name: string, { files, lanes, prices }: Known): Complaint | null {
  const ref = parseModelRef(name);
  if (ref === null) return null;
  const lane = lanes.find(({ id }) => id === ref.provider);
  if (lane !== undefined) return unknownModel(ref, lane, prices);
  // A provider that is written wrongly has been complained about.
  const isMeant = [files.user, files.project].some((file) => Object.hasOwn(file?.providers ?? {}, ref.provider));
  return isMeant ? null : unknownProvider(ref, lanes);
}

function unknownProvider({ provider }: ModelRef, lanes: readonly Lane[]): Complaint {
  const ids = lanes.map(({ id }) => id);
  const near = didYouMean(provider, ids);
  return [`unknown provider "${provider}"`, near ? `did you mean "${near}"?` : `known: ${ids.join(", ")}`];
}

/** A server of one's own that lists no models may have any; of all others it is known what they have. */
function unknownModel({ model }: ModelRef, lane: Lane, prices: PriceBook): Complaint | null {
  const names = namesOf(lane);
  if (lane.wire === "scripted" || names.length === 0 || names.includes(model)) return null;
  if (prices.priceOf(lane, model) !== null || prices.contextWindowOf(lane, model) !== null) return null;
  const near = didYouMean(model, names);
  const hint = near
    ? `did you mean "${near}"?`
    : `if there is one, list it under models of "${lane.id}" in providers.yaml`;
  return [`provider "${lane.id}" is not known to have a model "${model}"`, hint];
}
