import { examinePipelineFile } from "./checked-file.ts";
import type { LoadContext } from "./context.ts";
import { sorted } from "./draft.ts";
import { type Expanded, expandPipeline, gather } from "./expand.ts";

/** The text of a pipeline file, and all that it is to be held against. */
export interface LoadRequest extends LoadContext {
  /** As the user named it: it stands in front of every complaint. */
  readonly path: string;
  readonly text: string;
}

/**
 * Text in, pipeline out: checked, expanded, immutable; or everything that is wrong with it, all at once. Touches
 * nothing but the prompts that the file names, through `readPrompt`.
 */
export function loadPipeline(request: LoadRequest): Expanded {
  const examined = examinePipelineFile(request.text, request.path);
  if (examined.ok) return expandPipeline(examined.file, request);
  const { draft, diagnostics } = examined;
  const more = draft === null ? [] : gather(draft, request).diagnostics;
  return { ok: false, diagnostics: sorted(request.path, [...diagnostics, ...more]) };
}
