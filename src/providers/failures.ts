import type { FailureClass } from "../core/failure.ts";
import { credentialsOf, type Lane } from "../core/lane.ts";
import type { ModelFailure } from "../core/model.ts";
import { redact } from "../core/redact.ts";
import { errorCode, NeverConnected } from "./dial.ts";
import { classOfStatus, rowsFor, type Said } from "./failure-patterns.ts";
import type { Refusal } from "./lane-fetch.ts";
import { retryAfterMs } from "./retry-after.ts";
import type { Stall } from "./stall-watch.ts";

const LONGEST_MESSAGE = 400;
/** Failures that a provider finds before it begins: nothing of the answer was produced. */
const BEFORE_IT_BEGAN: readonly FailureClass[] = ["quota", "auth", "rate", "overloaded", "overflow", "invalid"];

/** A response that was no answer. Nothing is billed for one. */
export function classifyHttp(lane: Lane, refusal: Refusal, now: number): ModelFailure {
  const { status, headers } = refusal;
  const { failure, message } = readRefusal(lane, refusal);
  const should = shouldRetry(headers);
  return {
    ...failureOf(lane, failure, message, status),
    retryAfterMs: retryAfterMs(headers, now),
    ...(should === null ? {} : { shouldRetry: should }),
  };
}

/** An error inside a response that had begun well. */
export function classifySaid(lane: Lane, error: unknown, hasBegun: boolean): ModelFailure {
  const said = readError(error);
  const failure = classOf(lane, said, 200);
  return {
    ...failureOf(lane, failure, `broke off with an error${label(said, 200)}: ${said.message || "no message"}`, 200),
    mayBeBilled: hasBegun || !BEFORE_IT_BEGAN.includes(failure),
  };
}

/** The connection: it never came about, broke, or carried nonsense. `mayBeBilled` is false only for the first. */
export function classifyConnection(lane: Lane, thrown: unknown): ModelFailure {
  const code = errorCode(thrown);
  const why = code === null ? "" : ` (${code})`;
  if (thrown instanceof NeverConnected) {
    const failure = failureOf(lane, "network", `could not be reached at ${new URL(lane.baseUrl).host}${why}`, null);
    return { ...failure, mayBeBilled: false };
  }
  const how = thrown instanceof SyntaxError ? "broke off in an event, or sent one that is not JSON" : "broke off";
  return { ...failureOf(lane, "network", `${how}: no whole answer came${why}`, null), mayBeBilled: true };
}

/** The provider stopped talking; what it had done by then may be billed. */
export function stalledFailure(lane: Lane, stall: Stall): ModelFailure {
  return { ...failureOf(lane, stall.class, stall.message, null), mayBeBilled: true };
}

/** The caller stopped the call. What the provider made of that, nobody knows. */
export const ABORTED: ModelFailure = {
  class: "network",
  message: "aborted",
  httpStatus: null,
  retryAfterMs: null,
  mayBeBilled: true,
};

function readRefusal(
  lane: Lane,
  { status, headers, body }: Refusal,
): { readonly failure: FailureClass; readonly message: string } {
  if (status >= 300 && status < 400) return { failure: "invalid", message: redirectMessage(headers) };
  if (isWebPage(body)) {
    const message = `answered ${status} with a web page, as no model API does: is the base URL right?`;
    // A login or a maintenance page in front of it, perhaps: no matter of the request, and another may answer.
    return { failure: status < 300 ? "server" : classOfStatus(status), message };
  }
  const said = readBody(body);
  const message = `answered ${status}${label(said, status)}: ${said.message || "no message"}`;
  return { failure: classOf(lane, said, status), message };
}

function failureOf(lane: Lane, failure: FailureClass, message: string, httpStatus: number | null): ModelFailure {
  return {
    class: failure,
    message: safe(`${lane.id} ${message}`, lane),
    httpStatus,
    retryAfterMs: null,
    mayBeBilled: false,
  };
}

function safe(message: string, lane: Lane): string {
  const cleaned = redact(message, credentialsOf(lane)).replaceAll(/\s+/g, " ");
  return cleaned.length <= LONGEST_MESSAGE ? cleaned : `${cleaned.slice(0, LONGEST_MESSAGE - 1)}…`;
}

/** What an error says counts more than its status; where that is no error's, the number that the error itself names. */
function classOf(lane: Lane, said: Said, status: number): FailureClass {
  const [known] = rowsFor(lane.wire, said);
  if (known) return known.class;
  const inner = said.words.map(Number).find((word) => word >= 400 && word <= 599);
  return classOfStatus(status >= 400 ? status : (inner ?? 500));
}

/** The provider's own word on whether to ask it again; null: it has none. */
function shouldRetry(headers: Headers): boolean | null {
  const said = headers.get("x-should-retry")?.trim().toLowerCase();
  return said === "true" ? true : said === "false" ? false : null;
}

function label({ words }: Said, status: number): string {
  const word = words.find((candidate) => candidate !== String(status));
  return word === undefined ? "" : ` (${word})`;
}

function redirectMessage(headers: Headers): string {
  const location = headers.get("location");
  const where = location === null ? "" : ` to ${location}`;
  return `answered with a redirect${where}, which is never followed: the key would go along. Is the base URL right?`;
}

function isWebPage(body: string): boolean {
  return /^\s*<(!doctype|html)/i.test(body);
}

function readBody(body: string): Said {
  try {
    return readError(JSON.parse(body));
  } catch {
    return { words: [], message: body.trim() };
  }
}

/** An error of any shape: `{error: {type, code, message}}`, `{error: "…"}`, `{message}`, `{detail}` and their like. */
export function readError(value: unknown): Said {
  if (typeof value === "string") return { words: [], message: value };
  const outer = record(value);
  if (outer.error !== undefined && outer.error !== null) return readError(outer.error);
  const details = record(outer.details);
  const upstream = record(outer.metadata).raw;
  return {
    words: [outer.code, details.error_code, outer.type].filter(isWord).map(String),
    message: [outer.message ?? outer.msg ?? outer.detail, upstream]
      .filter((text) => typeof text === "string")
      .join(": "),
  };
}

function isWord(value: unknown): boolean {
  return typeof value === "number" || (typeof value === "string" && value !== "" && value !== "error");
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return value !== null && typeof value === "object" ? (value as Record<string, unknown>) : {};
}
