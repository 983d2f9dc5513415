import { createHash } from "node:crypto";
import { CcpError, EXIT } from "../core/errors.ts";
import type { CredentialName, Lane, LaneStanding } from "../core/lane.ts";

/** What those who look after lanes know of one. Null: it answers from a file, and is always well. */
export function laneStanding(lane: Lane): LaneStanding | null {
  if (lane.wire === "scripted") return null;
  const set = (lane.keys ?? []).flatMap(({ name, credential }) => (credential === null ? [] : [{ name, credential }]));
  const only: CredentialName = { name: null, key: keyOf(lane.credentialName, lane.credential) };
  return {
    // However its path is spelt, it is the same server.
    lane: `${lane.account ?? lane.id} ${new URL(lane.baseUrl).origin}`,
    credentials: set.length > 1 ? set.map(({ name, credential }) => ({ name, key: keyOf(name, credential) })) : [only],
    limits: lane.limits ?? {},
  };
}

/** The lane with one of its credentials, by the variable's name; null: the one that it has anyway. */
export function withCredential(lane: Lane, name: string | null): Lane {
  if (name === null) return lane;
  const key = lane.keys?.find((one) => one.name === name && one.credential !== null);
  if (key) return { ...lane, credential: key.credential, credentialName: name };
  throw new CcpError("missing_key", EXIT.credentials, `provider "${lane.id}" has no key: ${name} is not set`);
}

/** Another key in the same variable is another account. Eight digits of a hash tell the two apart, and nothing of either. */
function keyOf(name: string | null, credential: string | null): string {
  if (credential === null) return "none";
  return `${name}#${createHash("sha256").update(credential).digest("hex").slice(0, 8)}`;
}
