import type { Lane, Limits } from "../core/lane.ts";
import { NEW_ACCOUNT, type Standing, standingOf } from "../core/lane-account.ts";
import type { KnownAccount } from "../core/lane-health.ts";
import { lastMinute, type Said } from "../core/lane-traffic.ts";
import { laneStanding } from "./lane-standing.ts";

/** How a provider is just now, as the processes of this machine have found it. */
export interface ProviderHealth {
  readonly limits: Limits;
  /** In the order in which they are used. */
  readonly credentials: readonly CredentialHealth[];
}

/** How one of its credentials is. */
export interface CredentialHealth extends Standing {
  /** The variable that holds it; null: there is only one, or none is needed. */
  readonly name: string | null;
  /** Models of which something is known. */
  readonly models: readonly (Standing & { readonly model: string })[];
  /** Calls under way; requests and tokens of the last minute. */
  readonly used: { readonly calls: number; readonly requests: number; readonly tokens: number };
  /** What the provider has said of what is left. */
  readonly said: readonly Said[];
}

/** What is known of a lane at an instant. No key is in it, and nothing of one. */
export function describeHealth(lane: Lane, known: readonly KnownAccount[], now: number): ProviderHealth {
  const standing = laneStanding(lane) ?? { lane: "", credentials: [], limits: {} };
  return {
    limits: standing.limits,
    credentials: standing.credentials.map(({ name, key }) => {
      const found = known.find((one) => one.lane === standing.lane && one.key === key);
      const { own, models, traffic } = found?.account ?? NEW_ACCOUNT;
      return {
        name,
        ...standingOf(own, now),
        models: Object.entries(models).map(([model, breaker]) => ({ model, ...standingOf(breaker, now) })),
        used: { calls: traffic.calls.length, ...lastMinute(traffic) },
        said: traffic.said,
      };
    }),
  };
}
