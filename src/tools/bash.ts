import type { CommandEnd } from "../core/event.ts";
import type { Infer, JsonSchema } from "../core/json.ts";
import type { JobNews, StepJobs, ToolResult } from "../core/ports.ts";
import { exitOf, MOST_OUTPUT_BYTES, outputOf } from "./command-text.ts";
import { done, failed, type Tool } from "./tool.ts";
import { wholeOutput } from "./whole-output.ts";

/** How a shell waits for its commands. */
export interface BashSettings {
  /** Milliseconds after which a command that has not ended goes on as a job. */
  readonly backgroundAfterMs: number;
}

/** Of a command that was not sent to the background; also the most that it can be given. */
const LONGEST_TIMEOUT_MS = 600_000;
/** A command that is sent to the background and fails at once has failed in the foreground. */
const START_MS = 300;

const PARAMETERS = {
  type: "object",
  additionalProperties: false,
  required: ["command"],
  properties: {
    command: { type: "string", minLength: 1, description: "For bash -c, in the repository's root." },
    timeout_ms: {
      type: "integer",
      minimum: 1,
      maximum: LONGEST_TIMEOUT_MS,
      description: `It is ended after so long. Default: ${LONGEST_TIMEOUT_MS}; none with background.`,
    },
    background: {
      type: "boolean",
      description: "Do not wait: it goes on as a job, for a server, say. Read it with job_output.",
    },
  },
} as const satisfies JsonSchema;

/** Runs a command. One that fails has still run: its exit code is the result. One that takes long goes on as a job. */
export function createBash(settings: BashSettings): Tool<Infer<typeof PARAMETERS>> {
  const { backgroundAfterMs } = settings;
  return {
    name: "bash",
    description: `Runs a command with bash and waits for it. Each call starts afresh in the repository's root; nothing can be typed in, and what it leaves running is ended with it. When it takes long, or at once with background, it goes on as a job, which job_output reads and job_kill ends; finish ends all jobs. Of more than ${MOST_OUTPUT_BYTES / 1024} KB of output you see the beginning and the end. Git history is not yours to change: no commit, checkout, reset and the like.`,
    parameters: PARAMETERS,
    subject: (args) => args.command,
    async run(args, { jobs, signal }) {
      const isBackground = args.background ?? false;
      const timeoutMs = args.timeout_ms ?? (isBackground ? null : LONGEST_TIMEOUT_MS);
      const patienceMs = isBackground ? START_MS : backgroundAfterMs;
      const { id, news } = await jobs.run({ command: args.command, env: {}, timeoutMs, signal }, patienceMs);
      if (news.end !== null) return commandResult(news.end, news, timeoutMs);
      return id === null ? failed("It was stopped before it ended.", "stopped") : begun(id, news, jobs, isBackground);
    },
  };
}

function begun(id: string, news: JobNews, jobs: StepJobs, isBackground: boolean): ToolResult {
  const others = jobs.list().filter((job) => job.isRunning && job.id !== id);
  const beside = others.length === 0 ? "" : ` Beside it run: ${others.map((job) => job.id).join(", ")}.`;
  const why = isBackground ? "It runs" : "It has not ended yet and goes on";
  const text = `${why} as ${id}. job_output {"job": "${id}", "wait_ms": 30000} waits for more; job_kill ends it.${beside} What it wrote until now:\n${outputOf(news)}`;
  return { ...done(text, `goes on as ${id}`), job: id };
}

/** How a command ended, in words for the model. `timeoutMs`: what it was given; null: any time. */
export function commandResult(
  end: Pick<CommandEnd, "exitCode" | "endedBy">,
  wrote: Pick<JobNews, "stdout" | "stderr">,
  timeoutMs: number | null,
): ToolResult {
  const shown = shownResult(end, wrote, timeoutMs);
  const full = wholeOutput(wrote);
  return full.length > shown.text.length ? { ...shown, full } : shown;
}

function shownResult(
  end: Pick<CommandEnd, "exitCode" | "endedBy">,
  wrote: Pick<JobNews, "stdout" | "stderr">,
  timeoutMs: number | null,
): ToolResult {
  const output = outputOf(wrote);
  switch (end.endedBy) {
    case "timeout":
      return failed(
        `Not finished ${timeoutMs === null ? "in its time" : `after ${timeoutMs} ms`}, so it was ended with everything it had started. Run less at once, or give a longer timeout_ms (at most ${LONGEST_TIMEOUT_MS}). What it wrote until then:\n${output}`,
        timeoutMs === null ? "timed out" : `timed out after ${timeoutMs / 1000} s`,
      );
    case "output-limit":
      return failed(
        `It wrote too much and was ended. Filter what it prints, or send it to a file and read that.\n${output}`,
        "wrote too much",
      );
    case "process-limit":
      return failed(
        `It had more processes than a command may have, so it was ended with all of them. Run fewer at once.\n${output}`,
        "too many processes",
      );
    case "disk-limit": {
      const text = `It took more of the disk than a command may, so it was ended, and the files that git sees are as they were before it. What it wrote elsewhere, or where git ignores it, is still there: remove that, and write less.\n${output}`;
      return { ...failed(text, "took too much of the disk"), undone: true };
    }
    case "abort":
      return failed(`It was stopped before it ended.\n${output}`, "stopped");
    case null:
      return done(`${exitOf(end)}\n${output}`, exitOf(end));
  }
}
