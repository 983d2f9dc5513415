import type { CacheMiss } from "../core/cache-misses.ts";
import type { ContextUtterance } from "../core/context-view.ts";
import type { Utterance } from "../core/conversation.ts";
import type { CallPurpose, Part, StopReason } from "../core/model.ts";
import { formatUsd } from "../core/money.ts";
import type { TranscriptEntry } from "../core/transcript.ts";
import { lostWords } from "./call-lines.ts";
import { shortenedText } from "./context-lines.ts";
import { formatDuration, formatEnd, formatTokens, formatUsage } from "./format.ts";
import type { LineKind } from "./line.ts";
import { quoted } from "./line.ts";
import { createPaint } from "./paint.ts";
import { manyLines, oneLine } from "./sanitize.ts";
import { modelName } from "./step-label.ts";

/** How a transcript is shown. */
export interface TranscriptOptions {
  /** Colours; default none. */
  readonly color?: boolean;
  /** Lines of one tool result, command output or unfinished answer that are shown; default all. */
  readonly maxOutputLines?: number;
}

interface Block {
  readonly kind: LineKind;
  readonly heading: string;
  readonly body: readonly string[];
}

/**
 * A step's conversation for people: who said what, what was called, what it cost. Nothing in it can drive a terminal:
 * lines are cleaned once more when they are whole, as two harmless pieces can make a command.
 */
export function renderTranscript(entries: readonly TranscriptEntry[], options: TranscriptOptions = {}): string {
  const paint = createPaint(options.color ?? false);
  const limit = options.maxOutputLines ?? Number.POSITIVE_INFINITY;
  return entries
    .map((entry) => ({ at: entry.at, ...blockOf(entry, limit) }))
    .map(({ at, kind, heading, body }) => {
      const head = paint(kind, `${clock(at)}  ${oneLine(heading)}`);
      return `${[head, ...body.map((line) => `    ${oneLine(line)}`.trimEnd())].join("\n")}\n`;
    })
    .join("\n");
}

function blockOf(entry: TranscriptEntry, limit: number): Block {
  switch (entry.kind) {
    case "prompt":
      return { kind: "title", heading: "prompt", body: [...manyLines(entry.system), "", ...manyLines(entry.text)] };
    case "utterance":
      return utteranceBlock(entry.utterance, limit);
    case "call":
      return callBlock(entry, limit);
    case "shortened":
      return { kind: "note", heading: shortenedText(entry), body: [] };
    case "lost":
      return {
        kind: "warning",
        heading: `${modelName(entry.model)}: ${lostWords(entry)} unknown, charged in full: ${formatUsd(entry.heldNanos)} (${quoted(entry.reason)})`,
        body: unusedLines(entry.text, limit),
      };
    case "command": {
      const heading = `$ ${quoted(entry.command, 200)}: ${formatEnd(entry.end)}  ${formatDuration(entry.end.durationMs)}`;
      return { kind: entry.end.exitCode === 0 ? "step" : "warning", heading, body: shortened(entry.output, limit) };
    }
    case "advice":
      return { kind: "title", heading: `${modelName(entry.model)} advises`, body: shortened(entry.text, limit) };
    case "note":
      return { kind: "note", heading: entry.text, body: [] };
  }
}

const PURPOSES: Readonly<Record<CallPurpose, string>> = {
  compact: ", asked for a summary",
  diagnose: ", asked as a reviewer why it fails",
};

function callBlock(entry: TranscriptEntry & { readonly kind: "call" }, limit: number): Block {
  const figures = `${formatUsage(entry.usage)}${missedText(entry.missed)}  ${formatUsd(entry.costNanos)}  ${formatDuration(entry.durationMs)}`;
  const purpose = entry.purpose === undefined ? "" : PURPOSES[entry.purpose];
  const name = `${modelName(entry.model)}${purpose}`;
  if (entry.failure === null) return { kind: "detail", heading: `${name}: ${figures}`, body: [] };
  const status = entry.failure.httpStatus === null ? "" : ` (${entry.failure.httpStatus})`;
  const where = entry.failure.brokeOff ? ", the answer broke off" : "";
  const heading = `${name}: ${entry.failure.class}${status}${where}: ${quoted(entry.failure.message, 200)}  ${formatUsd(entry.costNanos)}`;
  return { kind: "warning", heading, body: unusedLines(entry.text, limit) };
}

/** `, 21.3k past the cache for $0.05 more`; empty: nothing. */
function missedText(missed: CacheMiss | undefined): string {
  return missed ? `, ${formatTokens(missed.tokens)} past the cache for ${formatUsd(missed.nanos)} more` : "";
}

/** Each line is marked, so that no part of an answer is taken for one. */
function unusedLines(text: string, limit: number): readonly string[] {
  const lines = shortened(text, limit);
  if (lines.length === 0) return [];
  return ["a part of an answer that did not arrive whole, and is not used:", ...lines.map((line) => `┆ ${line}`)];
}

const SAID: Readonly<Record<Extract<Utterance, { type: "said" }>["why"], string>> = {
  task: "task",
  nudge: "ccp: reminder to finish",
  truncated: "ccp: the answer was cut",
  empty: "ccp: the answer was empty",
  loop: "ccp: it goes in circles",
  "check-failed": "ccp: the check failed",
};

function utteranceBlock(utterance: Utterance, limit: number): Block {
  switch (utterance.type) {
    case "said":
      return { kind: "title", heading: SAID[utterance.why], body: shortened(utterance.text, limit) };
    case "answered":
      return { kind: "step", heading: `model${stopText(utterance.stop)}`, body: utterance.parts.flatMap(partLines) };
    case "tool": {
      const status = utterance.status === "ok" ? "" : ` (${utterance.status})`;
      const kind = utterance.status === "ok" ? "detail" : "warning";
      return { kind, heading: `result of ${quoted(utterance.name)}${status}`, body: shortened(utterance.text, limit) };
    }
    default:
      return contextBlock(utterance, limit);
  }
}

/** What the model is sent from here on, in the place of what is above. */
function contextBlock(utterance: ContextUtterance, limit: number): Block {
  switch (utterance.type) {
    case "pruned": {
      const body = utterance.masks.flatMap(({ text }) => manyLines(text));
      return { kind: "title", heading: "ccp: old results are left out from here on", body };
    }
    case "summarised": {
      const heading = "ccp: this stands for all above, but the task and the latest turns";
      return { kind: "title", heading, body: shortened(utterance.text, limit) };
    }
    case "draft":
      return { kind: "step", heading: "model, for a summary", body: utterance.parts.flatMap(partLines) };
    case "refused":
      return { kind: "warning", heading: "the conversation is too long for this model", body: [] };
  }
}

function stopText(stop: StopReason): string {
  if (stop === "length") return " (cut at its limit)";
  return stop === "refusal" ? " (refused)" : "";
}

function partLines(part: Part): readonly string[] {
  switch (part.kind) {
    case "text":
      return trimmed(manyLines(part.text));
    case "reasoning":
      return trimmed(manyLines(part.text)).map((line) => `| ${line}`);
    case "tool_call":
      return [`→ ${quoted(part.name)}`, ...argumentLines(part.rawArguments).map((line) => `    ${line}`)];
  }
}

/** `key: value`, long values as a block below their key. What is not a JSON object is shown as it came. */
function argumentLines(raw: string): readonly string[] {
  const values = parsed(raw);
  if (values === null) return manyLines(raw);
  return Object.entries(values).flatMap(([key, value]) => {
    const lines = manyLines(typeof value === "string" ? value : JSON.stringify(value));
    const name = oneLine(key);
    return lines.length === 1 ? [`${name}: ${lines[0]}`] : [`${name}:`, ...lines.map((line) => `  ${line}`)];
  });
}

function parsed(raw: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(raw);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null;
  }
}

function shortened(text: string, limit: number): readonly string[] {
  const lines = trimmed(manyLines(text));
  if (lines.length <= limit) return lines;
  return [...lines.slice(0, limit), `… ${lines.length - limit} lines more`];
}

function trimmed(lines: readonly string[]): readonly string[] {
  const first = lines.findIndex((line) => line.trim() !== "");
  const last = lines.findLastIndex((line) => line.trim() !== "");
  return first < 0 ? [] : lines.slice(first, last + 1);
}

/** UTC, so that the same transcript reads the same everywhere. */
function clock(at: number): string {
  return new Date(at).toISOString().slice(11, 19);
}
