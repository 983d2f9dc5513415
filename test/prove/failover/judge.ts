import type { Answer } from "../agent/answers.ts";
import { outputTokens } from "../agent/speak.ts";
import type { Taken } from "./lane-server.ts";
import type { Played, PlayedLane } from "./play.ts";
import type { Recorded, RecordedCall } from "./recorded.ts";

/** What is wrong with what a play left; empty: nothing. */
export function violationsOf(played: Played): readonly string[] {
  const { record, hung, milliseconds, play } = played;
  if (hung) return ["it hung"];
  if (record === null) return [`no run.json: ${played.stderr.slice(-400)}`];
  return [
    ...(milliseconds > play.scenario.seconds * 1_000 ? [`it took ${milliseconds} ms`] : []),
    ...endViolations(played, record),
    ...played.lanes.flatMap((lane) => laneViolations(lane, record)),
    ...ledgerViolations(record),
    ...routeViolations(played, record),
    ...paceViolations(played),
    ...secretViolations(played),
  ];
}

function endViolations({ play: { scenario }, task, exitCodes, replayed }: Played, record: Recorded): readonly string[] {
  const isGreen = record.status === "succeeded";
  const expected = scenario.end === "failed" ? [1] : scenario.end === "paused" ? [3, 0] : [0];
  const wrong = Object.entries(task.solution).filter(([path, text]) => record.file(path) !== text);
  return [
    ...(exitCodes.join() === expected.join() ? [] : [`exit ${exitCodes.join()} and not ${expected.join()}`]),
    ...(replayed === 0 ? [] : [`its replay ended with exit ${replayed}`]),
    ...(isGreen === (scenario.end !== "failed") ? [] : [`it ended as ${record.status}`]),
    ...(scenario.end === "failed" && !isNamed(record.ending, scenario.class)
      ? [`it failed as ${record.ending} and not as ${scenario.class}`]
      : []),
    ...(isGreen ? wrong.map(([path]) => `${path} is not what was asked for`) : []),
  ];
}

/** What fits no window may also be called a conversation that is at its end. */
function isNamed(ending: string | null, failure: string | null): boolean {
  return ending === failure || (failure === "overflow" && ending === "context-exhausted");
}

/** What is wrong with a lane's calls. One request is one call: answered as it was answered, charged as it was billed. */
export function laneViolations(lane: PlayedLane, record: Pick<Recorded, "calls">): readonly string[] {
  const calls = record.calls.filter((call) => call.lane === lane.name);
  if (lane.server === null)
    return calls.filter(({ nanos }) => nanos !== 0).map(() => "charged for what was never sent");
  const { taken } = lane.server;
  if (calls.length !== taken.length)
    return [`${lane.name}: ${taken.length} requests, and ${calls.length} calls on the ledger`];
  return calls.flatMap((call, index) => {
    const request = taken[index];
    return request ? callViolations(call, request, lane).map((text) => `${lane.name} #${index + 1}: ${text}`) : [];
  });
}

function callViolations(call: RecordedCall, request: Taken, lane: PlayedLane): readonly string[] {
  const bill = request.bill.input * lane.price.input + request.bill.output * lane.price.output;
  const { outcome } = call;
  if (outcome.type === "answered") {
    if (request.whole === null) return ["an answer that was never sent whole was taken for one"];
    return [
      ...(saidBy(outcome.parts) === saidIn(request.whole) ? [] : ["the answer is not the one that was sent"]),
      ...(outcome.servedBy === lane.model ? [] : [`answered by ${outcome.servedBy}, on record for ${lane.model}`]),
      ...(call.nanos === bill ? [] : [`charged ${call.nanos}, billed ${bill}`]),
      ...(call.tokens === request.bill.input + request.bill.output ? [] : [`${call.tokens} tokens are not the bill's`]),
    ];
  }
  if (request.whole !== null && request.act === "whole" && call.nanos === 0) return ["a whole answer was not paid"];
  return [
    ...(call.nanos < bill ? [`charged ${call.nanos}, may be billed ${bill}`] : []),
    ...(call.nanos > call.heldNanos ? [`charged ${call.nanos}, held ${call.heldNanos}`] : []),
    ...(bill === 0 && call.nanos > 0 ? [`charged ${call.nanos} for a refusal`] : []),
  ];
}

/** Text, reasoning and calls, as one text. */
function saidBy(parts: Extract<RecordedCall["outcome"], { type: "answered" }>["parts"]): string {
  const of = (kind: "text" | "reasoning") =>
    parts.map((part) => (part.kind !== "tool_call" && part.kind === kind ? part.text : "")).join("");
  const calls = parts.flatMap((part) =>
    part.kind === "tool_call" ? [[part.name, JSON.stringify(JSON.parse(part.rawArguments))]] : [],
  );
  return JSON.stringify([of("text"), of("reasoning"), calls]);
}

function saidIn({ text = "", reasoning = "", calls }: Answer): string {
  const asked = calls.map(({ tool, args }) => [tool, JSON.stringify(JSON.parse(args))]);
  return JSON.stringify([text, reasoning, asked]);
}

function ledgerViolations(record: Recorded): readonly string[] {
  const sum = (calls: readonly RecordedCall[]) => calls.reduce((total, { nanos }) => total + nanos, 0);
  const total = sum(record.calls);
  const byModel = record.models.filter(({ model, calls, cost_nanos: cost }) => {
    const own = record.calls.filter((call) => call.model === model);
    return own.length !== calls || sum(own) !== cost;
  });
  return [
    ...(record.settledNanos === total ? [] : [`the ledger says ${record.settledNanos}, its calls ${total}`]),
    ...(record.costNanos === total ? [] : [`run.json says ${record.costNanos}, the calls ${total}`]),
    ...(record.heldNanos === 0 ? [] : [`${record.heldNanos} are still held`]),
    ...byModel.map(({ model }) => `run.json has other figures for ${model} than its calls`),
  ];
}

function routeViolations({ play: { scenario }, view }: Played, { calls }: Recorded): readonly string[] {
  const failed = calls.find(({ lane, outcome }) => lane === "first" && outcome.type !== "answered") ?? null;
  const turn = failed?.turn ?? calls[0]?.turn;
  const asked = calls.filter((call) => call.turn === turn).map(({ lane }) => lane);
  const later = calls.filter((call) => call.turn > (turn ?? 0)).map(({ lane }) => lane);
  const last = asked.at(-1);
  const failure = failed !== null && failed.outcome.type !== "answered" ? failed.outcome.failure : null;
  const brokeOff = failure?.brokeOff ?? false;
  const isAgain = calls
    .filter((call) => call.turn === turn)
    .slice(1)
    .every(({ isRetryOf }) => isRetryOf);
  return [
    ...((failure?.class ?? null) === scenario.class ? [] : [`the class is ${failure?.class}, not ${scenario.class}`]),
    ...(asked.join() === scenario.asked.join() ? [] : [`asked ${asked.join()} and not ${scenario.asked.join()}`]),
    ...(later.every((lane) => lane === last) ? [] : [`went on with ${later.join()} after ${last}`]),
    ...(brokeOff === scenario.brokeOff ? [] : [`on record as ${brokeOff ? "" : "not "}broken off`]),
    ...(brokeOff && !/broke off|broken off/.test(view) ? ["`ccp view` does not say that an answer broke off"] : []),
    ...(brokeOff && !isAgain ? ["what broke off is not named by the call that asks again"] : []),
  ];
}

function paceViolations({ play: { scenario }, lanes }: Played): readonly string[] {
  const taken = lanes.find(({ name }) => name === "first")?.server?.taken ?? [];
  // Those of the troubled question: what follows on a good answer is no hammering.
  const troubled = scenario.asked.filter((lane) => lane === "first").length;
  const times = taken.slice(1, 1 + troubled).map(({ at }) => at);
  const gap = Math.round((times[1] ?? Number.POSITIVE_INFINITY) - (times[0] ?? 0));
  const { most, withinMs } = scenario.pace ?? { most: 6, withinMs: 1_000 };
  const crowded = times.some((from) => times.filter((at) => at >= from && at < from + withinMs).length > most);
  return [
    // A timer may fire within its own millisecond.
    ...(scenario.gapMs !== undefined && gap < scenario.gapMs - 1 ? [`asked again after ${gap} ms`] : []),
    ...(crowded ? [`more than ${most} requests within ${withinMs} ms`] : []),
  ];
}

/** What belongs to one lane is in none of another's requests; that it is looked for at all is shown by its own. */
function secretViolations({ lanes, stranger, stdout, stderr, view }: Played): readonly string[] {
  const crossed = lanes.flatMap((lane) =>
    lanes
      .filter(({ name }) => name !== lane.name)
      .flatMap((other) =>
        (lane.server?.taken ?? []).filter(({ raw }) => wordsOf(other).some((word) => raw.includes(word))),
      )
      .map(() => `${lane.name} was sent what belongs to another lane`),
  );
  const bare = lanes.filter(({ server, secrets }) => server?.taken.some(({ raw }) => !raw.includes(secrets.key)));
  const shown = lanes.filter(({ secrets }) => [stdout, stderr, view].some((text) => text.includes(secrets.key)));
  return [
    ...new Set(crossed),
    ...bare.map(({ name }) => `${name} was asked without its key`),
    ...shown.map(({ name }) => `the key of ${name} was shown`),
    ...(stranger.taken.length > 0 ? ["a redirect was followed"] : []),
  ];
}

function wordsOf({ secrets }: PlayedLane): readonly string[] {
  return Object.values(secrets);
}

/** What was looked at, in figures. */
export function figuresOf({ lanes, record, milliseconds }: Played) {
  const taken = lanes.flatMap(({ server }) => server?.taken ?? []);
  return {
    requests: taken.length,
    answers: taken.filter(({ whole }) => whole !== null).length,
    tokens: taken.reduce((sum, { whole }) => sum + (whole === null ? 0 : outputTokens(whole)), 0),
    nanos: record?.settledNanos ?? 0,
    milliseconds,
  };
}
