import type { Network } from "../core/confinement.ts";

/** A part of the file that says what its processes may reach. Nothing where it says nothing: the default has no place in a digest. */
export function networkOf(raw: { readonly network?: Network } | undefined): { readonly network?: Network } {
  return raw?.network === undefined ? {} : { network: raw.network };
}
