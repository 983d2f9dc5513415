import type { JournalEntry } from "@copilotkit/aimock";
import { NOTHING_SPENT, type Spend } from "../../../src/core/budget.ts";
import type { EventOf, StoredEvent } from "../../../src/core/event.ts";
import { answeredTurns, callNames, lostCalls } from "./calls.ts";
import { nameOfRequest, priceOf } from "./models.ts";
import type { Picture } from "./picture.ts";
import type { Killed } from "./run-case.ts";
import { TURNS, turnName } from "./scenario.ts";

/** Holds the calls on record, the ledger and the server's own log (`requests`) against each other. */
export function callViolations(
  killed: readonly Killed[],
  { events, ledger }: Picture,
  requests: readonly JournalEntry[],
): readonly string[] {
  return [
    ...repeatedRequests(killed, requests),
    ...lossViolations(killed, events),
    ...serverViolations(requests, events),
    ...priceViolations(requests, events),
    ...ledgerViolations(events, ledger),
  ];
}

/** A request whose outcome was on record when a process died is not made again. */
function repeatedRequests(killed: readonly Killed[], requests: readonly JournalEntry[]): readonly string[] {
  return killed.flatMap(({ answered, requests: before }) =>
    requests
      .slice(before)
      .map(nameOfRequest)
      .filter((name) => answered.includes(name))
      .map((name) => `${name} was sent again, though its answer was on record`),
  );
}

/** Only what was in flight at a kill is lost, if its answer had not arrived, and one call for each such kill at most. */
function lossViolations(killed: readonly Killed[], events: readonly StoredEvent[]): readonly string[] {
  const inFlight = killed.map(({ open }) => open).filter((open) => open.length > 0);
  const lost = lostCalls(events).map(({ callId }) => callId);
  return [
    ...lost.filter((callId) => !inFlight.flat().includes(callId)).map((callId) => `${callId} is lost, not in flight`),
    ...lost
      .filter((callId) => killed.some(({ kept }) => kept.includes(callId)))
      .map((callId) => `${callId} is lost, though its whole answer was kept`),
    ...(lost.length <= inFlight.length ? [] : [`${lost.length} calls lost by ${inFlight.length} kills in flight`]),
  ];
}

/** Of the requests for a turn, one is settled and every other is lost; what is lost may have died before it was sent. */
function serverViolations(requests: readonly JournalEntry[], events: readonly StoredEvent[]): readonly string[] {
  const nameOf = callNames(events);
  const [asked, settled] = [requests.map(nameOfRequest), answeredTurns(events)];
  const lost = lostCalls(events).map(({ callId }) => nameOf(callId));
  const wanted = TURNS.map(turnName);
  const names = [...new Set([...wanted, ...asked, ...settled, ...lost])];
  return names.flatMap((name) => {
    const [sent, once, gone] = [asked, settled, lost].map((list) => list.filter((one) => one === name).length) as [
      number,
      number,
      number,
    ];
    const isWhole = wanted.includes(name) && once === 1 && sent >= 1 && sent <= once + gone;
    return isWhole ? [] : [`${name}: ${sent} requests at the server, ${once} settled, ${gone} lost`];
  });
}

/** What is settled costs what the server says that it used. */
function priceViolations(requests: readonly JournalEntry[], events: readonly StoredEvent[]): readonly string[] {
  const nameOf = callNames(events);
  const prices = new Map(requests.map((request) => [nameOfRequest(request), priceOf(request)]));
  return events.flatMap((event) => {
    if (event.type !== "call.settled") return [];
    const name = nameOf(event.callId);
    const isRight = event.costNanos === prices.get(name);
    return isRight ? [] : [`${name} is booked at ${event.costNanos}, the server says ${prices.get(name)}`];
  });
}

/** The ledger is the sum of what is settled and what is lost, in every scope, and holds nothing. */
function ledgerViolations(events: readonly StoredEvent[], ledger: Picture["ledger"]): readonly string[] {
  const expected = new Map<string, Spend>();
  for (const event of events) {
    if (event.type !== "call.settled" && event.type !== "call.lost") continue;
    for (const scope of ["run", `role:${event.role}`, `step:${event.stepId}`]) {
      expected.set(scope, charged(expected.get(scope) ?? NOTHING_SPENT, event));
    }
  }
  return Object.entries(ledger).flatMap(([scope, spend]) => {
    const wanted = expected.get(scope) ?? NOTHING_SPENT;
    const wrong = Object.entries(wanted).filter(([unit, amount]) => spend[unit as keyof Spend] !== amount);
    return wrong.map(([unit, amount]) => `${scope} ${unit} is ${spend[unit as keyof Spend]}, by the calls ${amount}`);
  });
}

/** A lost call at all that was held for it. */
function charged(spend: Spend, event: EventOf<"call.settled" | "call.lost">): Spend {
  const isLost = event.type === "call.lost";
  const nanos = isLost ? event.heldNanos : event.costNanos;
  const tokens = isLost ? event.heldTokens : tokensOf(event.usage);
  return { ...spend, settledNanos: spend.settledNanos + nanos, settledTokens: spend.settledTokens + tokens };
}

function tokensOf({ freshInput, cacheRead, cacheWrite, output }: EventOf<"call.settled">["usage"]): number {
  return freshInput + cacheRead + cacheWrite + output;
}
