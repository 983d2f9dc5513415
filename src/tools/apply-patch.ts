import type { Infer, JsonSchema } from "../core/json.ts";
import type { ToolPlace, ToolResult } from "../core/ports.ts";
import type { SeenFile } from "../core/seen.ts";
import { plural } from "../core/words.ts";
import { type PatchWork, planPatch } from "./patch-plan.ts";
import { pathsOf, readPatch } from "./patch-text.ts";
import { headAndTail } from "./text.ts";
import { done, failed, type Tool } from "./tool.ts";

const MOST_SHOWN_BYTES = 20 * 1024;

const PARAMETERS = {
  type: "object",
  additionalProperties: false,
  required: ["patch"],
  properties: { patch: { type: "string", minLength: 1, description: "From *** Begin Patch to *** End Patch." } },
} as const satisfies JsonSchema;

type Arguments = Infer<typeof PARAMETERS>;

/** Changes several files by one patch, in the form that GPT models are trained on. */
export const applyPatch: Tool<Arguments> = {
  name: "apply_patch",
  description: `Changes files by a patch:
*** Begin Patch
*** Update File: src/a.ts
@@ function total() {
 a line as it is
-a line that goes
+a line that comes
*** Add File: src/b.ts
+every line of it
*** Delete File: src/c.ts
*** End Patch
"*** Move to: PATH" right after "*** Update File" renames. Give three lines as they are around each change, exactly as in the file, and after @@ a line above them where they stand in several places. If one part cannot be applied, nothing is written.`,
  parameters: PARAMETERS,
  subject: ({ patch }) => subjectsOf(patch)[0] ?? "",
  subjects: ({ patch }) => subjectsOf(patch),
  label: ({ patch }) => subjectsOf(patch).join(", "),
  async run({ patch }, place) {
    const reading = readPatch(patch);
    if (!reading.ok) return failed(`The patch cannot be read: ${reading.reason}. Nothing was changed.`);
    const plan = await planPatch(reading.changes, place);
    if (!plan.ok) return failed(`${plan.reason}\nNothing was changed in any file.`, plan.summary);
    return carryOut(plan.works, place);
  },
};

function subjectsOf(patch: string): readonly string[] {
  const reading = readPatch(patch);
  return reading.ok ? pathsOf(reading.changes) : [];
}

/** Each file is written whole or not at all; where the disk refuses one, those before it stay and are named. */
async function carryOut(works: readonly PatchWork[], { workspace }: ToolPlace): Promise<ToolResult> {
  const seen: SeenFile[] = [];
  for (const [index, work] of works.entries()) {
    const written = await work.carryOut(workspace);
    if (!written.ok) {
      const before = works.slice(0, index).map(({ title }) => title);
      const said = before.length === 0 ? "Nothing was changed." : `Done before that: ${before.join(" ")}`;
      return { ...failed(`${written.reason}. The patch stopped there. ${said}`, written.reason), seen };
    }
    seen.push(...work.seen);
  }
  const [added, removed] = [sum(works.map((work) => work.added)), sum(works.map((work) => work.removed))];
  const text = works.map(({ title, details }) => [title, ...details].join("\n")).join("\n");
  const summary = `${plural(works.length, "file")}, +${added} -${removed}`;
  return { ...done(headAndTail(text, MOST_SHOWN_BYTES), summary), seen };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
