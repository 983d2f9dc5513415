import type { Infer, JsonSchema } from "../core/json.ts";
import type { StepJobs, ToolResult } from "../core/ports.ts";
import { commandResult } from "./bash.ts";
import { outputOf } from "./command-text.ts";
import { done, failed, type Tool } from "./tool.ts";

const LONGEST_WAIT_MS = 300_000;

const PARAMETERS = {
  type: "object",
  additionalProperties: false,
  required: ["job"],
  properties: {
    job: { type: "string", minLength: 1, description: "As bash has named it: `job-1`." },
    wait_ms: {
      type: "integer",
      minimum: 0,
      maximum: LONGEST_WAIT_MS,
      description: "Wait so long for its end. Default: 0.",
    },
  },
} as const satisfies JsonSchema;

/** What a job has written since the last look, and whether it has ended. */
export const jobOutput: Tool<Infer<typeof PARAMETERS>> = {
  name: "job_output",
  description:
    "Shows what a job of bash has written since you last looked, and whether it has ended. Waits for its end when asked to; rather wait once than ask often.",
  parameters: PARAMETERS,
  subject: (args) => args.job,
  async run(args, { jobs, signal }) {
    const news = await jobs.read(args.job, { waitMs: args.wait_ms ?? 0, signal });
    if (news === null) return noJob(args.job, jobs);
    if (news.end !== null) return commandResult(news.end, news, null);
    return done(`still running\n${outputOf(news)}`, "still running");
  },
};

/** There is none, or none any more: what is safe to do then. */
export function noJob(id: string, jobs: StepJobs): ToolResult {
  if (jobs.isGone(id))
    return failed(
      `${id} is gone: it was ended because ccp was stopped or you had finished, and with it what it had not shown. The files are as they were when a tool last changed them. Start it again if you still need it.`,
      `${id} is gone`,
    );
  const ids = jobs.list().map((job) => job.id);
  const there = ids.length === 0 ? "No job was started" : `There are: ${ids.join(", ")}`;
  return failed(`There is no job ${JSON.stringify(id)}. ${there}.`, "no such job");
}
