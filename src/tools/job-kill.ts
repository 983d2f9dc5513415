import type { Infer, JsonSchema } from "../core/json.ts";
import { exitOf, outputOf } from "./command-text.ts";
import { noJob } from "./job-output.ts";
import { done, type Tool } from "./tool.ts";

const PARAMETERS = {
  type: "object",
  additionalProperties: false,
  required: ["job"],
  properties: { job: { type: "string", minLength: 1, description: "As bash has named it: `job-1`." } },
} as const satisfies JsonSchema;

/** Ends a job with all that it has started. */
export const jobKill: Tool<Infer<typeof PARAMETERS>> = {
  name: "job_kill",
  description: "Ends a job of bash with everything that it has started, and shows what it had still written.",
  parameters: PARAMETERS,
  subject: (args) => args.job,
  async run(args, { jobs }) {
    const news = await jobs.kill(args.job);
    if (news === null) return noJob(args.job, jobs);
    const wasOver = news.end !== null && news.end.endedBy !== "abort";
    const how = news.end !== null && wasOver ? `had ended by itself: ${exitOf(news.end)}` : "ended";
    return done(`${args.job} ${how}\n${outputOf(news)}`, how);
  },
};
