import { ADVICE_FILES, adviceText, appendedAdvice, foldersInHand } from "../core/advice.ts";
import type { EventOf } from "../core/event.ts";
import { policyOf } from "../core/permission-builtin.ts";
import { decide } from "../core/permission-decision.ts";
import type { AgentStep } from "../core/pipeline.ts";
import { redact } from "../core/redact.ts";
import { type Context, workspaceOf } from "./context.ts";

/** What the repository's root says to those who work in it, in all; empty: nothing. */
export async function rootAdvice(context: Context, step: AgentStep): Promise<string> {
  const found = await adviceIn(context, step, adviceNames(context));
  const texts = found.map(({ text }) => text);
  return texts.join("\n\n");
}

/** The result of a call, and what the folders say that it is the first in its conversation to touch. */
export async function withAdvice(
  context: Context,
  step: AgentStep,
  finished: EventOf<"tool.finished">,
  { subject, advised }: { readonly subject: string; readonly advised: ReadonlySet<string> },
): Promise<EventOf<"tool.finished">> {
  if (finished.status !== "ok") return finished;
  const { tool, seen } = finished;
  const folders = foldersInHand({ tool, subject, ...(seen ? { seen } : {}) });
  const paths = folders.flatMap((folder) => adviceNames(context).map((name) => `${folder}/${name}`));
  const found = await adviceIn(
    context,
    step,
    // Whoever reads the file itself has it before him.
    paths.filter((path) => !advised.has(path) && path !== subject),
  );
  if (found.length === 0) return finished;
  const { log } = context;
  const texts = found.map(({ text }) => text);
  const result = log.text(appendedAdvice(log.readText(finished.result), texts));
  return { ...finished, result, advice: found.map(({ path }) => path) };
}

/** Those that are there and that the role may read. One that says what another said already (a symlink, say) is left out. */
async function adviceIn(
  context: Context,
  step: AgentStep,
  paths: readonly string[],
): Promise<readonly { readonly path: string; readonly text: string }[]> {
  const role = context.pipeline.roles[step.role];
  const policy = policyOf({ tools: role?.tools ?? [], permissions: role?.permissions ?? [] });
  const bodies = new Set<string>();
  const found: { readonly path: string; readonly text: string }[] = [];
  for (const path of paths) {
    const { effect } = decide(policy, { tool: "read", subjects: [path] });
    const file = effect === "allow" ? await workspaceOf(context).readFile(path) : null;
    const body = file?.ok ? redact(new TextDecoder().decode(file.value), context.deps.secrets) : "";
    const text = adviceText(path, new TextEncoder().encode(body));
    if (text === null || bodies.has(body)) continue;
    bodies.add(body);
    found.push({ path, text });
  }
  return found;
}

function adviceNames({ pipeline }: Context): readonly string[] {
  // A run that was begun before there was advice has no words to give it with.
  if (pipeline.messages.advice === undefined) return [];
  return [...new Set([...ADVICE_FILES, ...(pipeline.instructions ?? [])])];
}
