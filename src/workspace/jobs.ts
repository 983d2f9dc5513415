import type { CommandRequest, JobNews, StepJobs } from "../core/ports.ts";
import { openGuard } from "./orphan-guard.ts";
import { type Offsets, readNews } from "./output.ts";
import type { ProcessesSpec } from "./processes-spec.ts";
import { type Ending, type RunningCommand, requireHeard, requireHeld, startCommand } from "./running-command.ts";
import type { Family } from "./survivors.ts";

/** So many run at once; the next one is waited for. */
export const MOST_JOBS = 8;

interface Job {
  readonly command: RunningCommand;
  readTo: Offsets;
  /** Null: it runs. */
  ending: Ending | null;
}

/** Jobs of one conversation, which has begun so many before. `paused`: whose families are to stand still for a snapshot. */
export function openJobs(spec: ProcessesSpec, begun: number, paused: Set<Family>): StepJobs {
  const jobs = new Map<string, Job>();
  const guard = openGuard(spec);
  let count = begun;
  const running = () => [...jobs.values()].filter(({ ending }) => ending === null);
  const keep = (job: Job): string => {
    const id = `job-${++count}`;
    jobs.set(id, job);
    guard.watch();
    const { family, ended } = job.command;
    if (family === null) return id;
    paused.add(family);
    void ended.then(() => paused.delete(family));
    return id;
  };
  return {
    async run(request, patienceMs) {
      const { job, letGo } = await start(spec, request);
      await endOrTime(job, running().length < MOST_JOBS ? patienceMs : null);
      letGo();
      if (job.ending === null) return { id: keep(job), news: await newsOf(job) };
      try {
        await requireHeld(job.command.output, job.ending);
        requireHeard(spec, job.ending);
        return { id: null, news: await newsOf(job) };
      } finally {
        await job.command.output.close();
      }
    },
    async read(id, { waitMs, signal }) {
      const job = jobs.get(id);
      if (!job) return null;
      await endOrTime(job, waitMs, signal);
      return newsOf(job);
    },
    async kill(id) {
      const job = jobs.get(id);
      if (!job) return null;
      job.command.end();
      await job.command.ended;
      return newsOf(job);
    },
    list: () => [...jobs].map(([id, { ending }]) => ({ id, isRunning: ending === null })),
    isGone: (id) => !jobs.has(id) && Array.from({ length: count }, (_, index) => `job-${index + 1}`).includes(id),
    async end() {
      const all = [...jobs.values()];
      jobs.clear();
      for (const { command } of all) command.end();
      await Promise.all(all.map(({ command }) => command.ended));
      await Promise.all(all.map(({ command }) => command.output.close()));
      await guard.end();
    },
  };
}

/** `letGo`: from now on the signal of the request, which is that of the call, does not end it. */
async function start(spec: ProcessesSpec, request: CommandRequest) {
  const own = new AbortController();
  const abort = () => own.abort();
  if (request.signal.aborted) abort();
  request.signal.addEventListener("abort", abort, { once: true });
  const command = await startCommand(spec, { ...request, signal: own.signal });
  const job: Job = { command, readTo: { stdout: 0, stderr: 0 }, ending: null };
  void command.ended.then((ending) => {
    job.ending = ending;
  });
  return { job, letGo: () => request.signal.removeEventListener("abort", abort) };
}

/** Waits until a job has ended, so many milliseconds have passed (null: any number) or the signal aborts. */
async function endOrTime(job: Job, ms: number | null, signal?: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const go = () => resolve();
  const timer = ms === null ? undefined : setTimeout(go, ms);
  signal?.addEventListener("abort", go, { once: true });
  if (signal?.aborted) go();
  await Promise.race([job.command.ended, promise]);
  clearTimeout(timer);
  signal?.removeEventListener("abort", go);
}

async function newsOf(job: Job): Promise<JobNews> {
  const { ending } = job;
  if (ending !== null) await requireHeld(job.command.output, ending);
  const { to, ...wrote } = await readNews(job.command.output, job.readTo, ending !== null);
  job.readTo = to;
  if (ending === null) return { end: null, ...wrote };
  const { exitCode, endedBy, durationMs, complaint } = ending;
  const stderr = complaint === "" ? wrote.stderr : new TextEncoder().encode(complaint);
  return { end: { exitCode: endedBy === null ? exitCode : null, endedBy, durationMs }, stdout: wrote.stdout, stderr };
}
