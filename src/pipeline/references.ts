import { didYouMean } from "../core/suggest.ts";
import { referencesOf } from "../core/template.ts";
import { inputVariable, outputVariable } from "../core/variables.ts";

/** Why a piece of a prompt or of a command cannot stand, and the piece. */
export interface BadReference {
  /** As it is written, `${…}` and all. */
  readonly text: string;
  readonly offset: number;
  readonly message: string;
  readonly hint: string | null;
  /** True when it would be in order if the name it uses were there. */
  readonly isAboutNames: boolean;
}

type Complaint = Omit<BadReference, "text" | "offset">;

/** What a text may refer to. */
export interface Names {
  readonly inputs: readonly string[];
  /** Ids of all steps. */
  readonly steps: readonly string[];
  /** Ids of the steps that are certainly done when the text is used. */
  readonly upstream: ReadonlySet<string>;
}

/** What is wrong with the `${…}` of a prompt. A value that is filled in is data and never looked at again. */
export function badPromptReferences(text: string, names: Names): readonly BadReference[] {
  const doubled = [...text.matchAll(/\$\{\{[^{}]*\}\}/g)].map((match) => ({
    text: match[0],
    offset: match.index,
    message: `"${match[0]}" is not filled in`,
    hint: `write it with one pair of braces: "${match[0].replace("${{", "${").replace("}}", "}").replaceAll(" ", "")}"`,
    isAboutNames: false,
  }));
  const single = referencesOf(text).flatMap(({ name, offset }) => {
    const wrong = wrongWith(name, names);
    return wrong ? [{ text: text.slice(offset, text.indexOf("}", offset) + 1), offset, ...wrong }] : [];
  });
  return firstOfEach([...doubled, ...single]);
}

/** What is wrong in a command: it gets values in variables, where no shell can take them for code. */
export function badCommandReferences(text: string, names: Names): readonly BadReference[] {
  const pasted = [...text.matchAll(/\$\{\{?\s*(inputs|steps)\.([^\s{}.]*)[^{}]*\}?\}/g)].map((match) => {
    const variable = match[1] === "inputs" ? inputVariable(match[2] ?? "") : outputVariable(match[2] ?? "");
    const hint = `use "$${variable}"${match[1] === "inputs" ? "" : ", a file that holds it"}`;
    const message = `"${match[0]}" cannot stand in a command`;
    return { text: match[0], offset: match.index, message, hint, isAboutNames: false };
  });
  const known = [...names.inputs.map(inputVariable), ...[...names.upstream].map(outputVariable)];
  const unknown = [...text.matchAll(/\$\{?(CCP_INPUT_\w+|CCP_STEP_\w+_OUTPUT_FILE)\b/g)].flatMap((match) => {
    const name = match[1] ?? "";
    if (known.includes(name)) return [];
    const message = `"$${name}" will be empty: ${whyUnset(name, names)}`;
    return [{ text: match[0], offset: match.index, message, hint: suggestion(name, known), isAboutNames: true }];
  });
  return firstOfEach([...pasted, ...unknown]);
}

function wrongWith(name: string, names: Names): Complaint | null {
  const [kind, subject, ...rest] = name.split(".");
  if (kind === "inputs" && subject !== undefined && rest.length === 0) return wrongInput(subject, names);
  if (kind === "steps" && subject !== undefined && rest.join() === "output") return wrongStep(subject, names);
  const hint =
    kind === "steps" && subject
      ? `did you mean "\${steps.${subject}.output}"?`
      : 'only "${inputs.NAME}" and "${steps.ID.output}" are filled in';
  return { message: `"\${${name}}" stands for nothing`, hint, isAboutNames: false };
}

function wrongInput(name: string, { inputs }: Names): Complaint | null {
  if (inputs.includes(name)) return null;
  return { message: `there is no input "${name}"`, hint: suggestion(name, inputs), isAboutNames: true };
}

function wrongStep(id: string, { steps, upstream }: Names): Complaint | null {
  if (upstream.has(id)) return null;
  if (!steps.includes(id)) {
    return { message: `there is no step "${id}"`, hint: suggestion(id, steps), isAboutNames: true };
  }
  const message = `step "${id}" has no output yet: it does not come before`;
  return { message, hint: `add it to "needs"`, isAboutNames: true };
}

function whyUnset(variable: string, names: Names): string {
  if (variable.startsWith("CCP_INPUT_")) return "there is no such input";
  return names.steps.some((id) => outputVariable(id) === variable)
    ? "that step does not come before"
    : "there is no such step";
}

function suggestion(name: string, known: readonly string[]): string | null {
  const near = didYouMean(name, known);
  return near ? `did you mean "${near}"?` : null;
}

/** The same slip in one text is told once. */
function firstOfEach(references: readonly BadReference[]): readonly BadReference[] {
  return references.filter((one, index) => references.findIndex((other) => other.text === one.text) === index);
}
