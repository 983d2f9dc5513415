import type { Network } from "../core/confinement.ts";
import type { Diagnostic } from "../core/diagnostic.ts";
import { ROLE_NAMES } from "../core/pipeline.ts";
import { type Rule, stepsOf } from "./draft.ts";
import { type Path, problem } from "./source.ts";

/** A part of the file that says what its processes may reach. Nothing where it says nothing: the default has no place in a digest. */
export function networkOf(raw: { readonly network?: Network } | undefined): { readonly network?: Network } {
  return raw?.network === undefined ? {} : { network: raw.network };
}

/** Until a proxy is there that knows hosts by name, a list of them is held to nothing. */
export const hostsAreNone: Rule = (draft) => {
  const { raw } = draft;
  const places: readonly (readonly [Path, Network | undefined])[] = [
    [["workspace", "network"], raw.workspace?.network],
    ...ROLE_NAMES.map((name) => [["roles", name, "network"], raw.roles?.[name]?.network] as const),
    ...stepsOf(draft).map((step, index) => [["pipeline", index, "network"], step.network] as const),
    ...Object.entries(raw.mcp ?? {}).map(([name, server]) => [["mcp", name, "network"], server.network] as const),
  ];
  return places.flatMap(([path, network]): readonly Diagnostic[] => {
    if (!Array.isArray(network)) return [];
    const message = `hosts in "network" are "none" for now, where a sandbox is active`;
    return [problem(draft.source.at(path, "key"), message, '"open" reaches everything')];
  });
};
