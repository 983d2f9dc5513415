import { referencesOf } from "../core/template.ts";

/** The sentences that ccp itself says to a model, and what is filled into each. Values arrive quoted as data. */
export const TEMPLATE_PLACEHOLDERS = {
  "roles/planner": [],
  "roles/doer": [],
  "roles/reviewer": [],
  /** What the user asked for. */
  "messages/task": ["task"],
  /** What the step's `prompt` adds. */
  "messages/instructions": ["instructions"],
  /** What files of the repository say to those who work in it. */
  "messages/advice": ["advice"],
  /** What servers of tools offer. */
  "messages/servers": ["servers"],
  "messages/plan": ["plan"],
  /** What the checks say of the base, before anything was changed. */
  "messages/baseline": ["checks"],
  "messages/changes": ["tree", "stat", "diff"],
  /** What the checks say of the tree as it is. */
  "messages/checks": ["checks"],
  /** Why the work comes back. */
  "messages/feedback": ["failure"],
  /** The last try had finished with little confidence. */
  "messages/doubted": ["figure", "said"],
  /** To a reviewer's model, in the place of its role: why does this step fail? */
  "messages/diagnose": [],
  /** What it answered, for the next try. */
  "messages/diagnosis": ["advice"],
  /** Other ways to go at it, for the next try. */
  "messages/tactic-narrower": [],
  "messages/tactic-tests-first": [],
  "messages/tactic-another-tool": [],
  "messages/tactic-read-docs": [],
  /** To a model that stopped without finishing. */
  "messages/nudge": [],
  /** Added to it where the model's own list of work has something left. */
  "messages/open-todos": ["todos"],
  /** To a model that goes in circles. */
  "messages/loop": [],
  /** To a model whose answer was cut. */
  "messages/truncated": ["maxTokens"],
  "messages/empty": [],
  /** To a model that is to sum up a conversation that became too long. */
  "messages/compact": [],
  /** While `until` is red. */
  "messages/check-failed": ["command", "exitCode", "output", "attempt", "attempts"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** A file of `templates/`, without its `.md`. */
export type TemplateName = keyof typeof TEMPLATE_PLACEHOLDERS;
/** Every template that there has to be. */
export const TEMPLATE_NAMES = Object.keys(TEMPLATE_PLACEHOLDERS) as readonly TemplateName[];

/** The text of every template. */
export type Templates = Readonly<Record<TemplateName, string>>;

/** What `checkTemplates` finds. */
export type TemplateCheck =
  | { readonly ok: true; readonly templates: Templates }
  /** One sentence for each fault. They are ours, so it means that the installation is damaged. */
  | { readonly ok: false; readonly faults: readonly string[] };

/** Looks at the templates that were found, by name: all there, none empty, every placeholder one that is filled. */
export function checkTemplates(found: Readonly<Record<string, string>>): TemplateCheck {
  const faults = TEMPLATE_NAMES.flatMap((name) => {
    const text = found[name];
    if (text === undefined || text.trim() === "") return [`template ${name}.md is missing or empty`];
    const allowed: readonly string[] = TEMPLATE_PLACEHOLDERS[name];
    const unknown = referencesOf(text).filter((reference) => !allowed.includes(reference.name));
    return unknown.map((reference) => `template ${name}.md refers to "${reference.name}", which is never filled in`);
  });
  return faults.length === 0 ? { ok: true, templates: found as Templates } : { ok: false, faults };
}

/** The messages by their own names (`nudge`), as a pipeline carries them. */
export function templateMessages(templates: Templates): Readonly<Record<string, string>> {
  const names = TEMPLATE_NAMES.filter((name) => name.startsWith("messages/"));
  return Object.fromEntries(names.map((name) => [name.slice("messages/".length), templates[name]]));
}
