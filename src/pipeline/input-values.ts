import type { Diagnostic } from "../core/diagnostic.ts";
import type { InputSpec, InputValue } from "../core/pipeline.ts";
import { didYouMean } from "../core/suggest.ts";
import type { LoadContext } from "./context.ts";
import { type Draft, isFaulty } from "./draft.ts";
import { describe } from "./explain.ts";
import type { RawInput } from "./schema.ts";
import { type Place, problem } from "./source.ts";

/** Where a test command is looked for, in the words of a message. */
const LOOKED_AT = "package.json, pyproject.toml, Makefile, Cargo.toml and go.mod";

/** The inputs that have a value, and what is wrong with the others. */
export interface InputValues {
  readonly values: Readonly<Record<string, InputValue>>;
  readonly diagnostics: readonly Diagnostic[];
}

/** An input as the plan keeps it. */
export function inputSpec(raw: RawInput): InputSpec {
  return {
    type: raw.type ?? "string",
    required: raw.required ?? (raw.default === undefined && raw.detect === undefined),
    default: raw.default ?? null,
    description: raw.description ?? null,
    detect: raw.detect ?? null,
  };
}

/** The value of every input: given, else detected, else its default. */
export function inputValues(draft: Draft, context: LoadContext): InputValues {
  const given = context.inputs;
  if (given === null) return { values: {}, diagnostics: [] };
  const inputs = draft.raw.inputs ?? {};
  const unknown = isFaulty(draft, ["inputs"]) ? [] : unknownNames(Object.keys(given), Object.keys(inputs));
  const found = Object.entries(inputs).map(([name, raw]) => [name, settle(name, raw, draft, context)] as const);
  return {
    values: Object.fromEntries(found.flatMap(([name, { value }]) => (value === null ? [] : [[name, value]]))),
    diagnostics: [...unknown, ...found.flatMap(([, { wrong }]) => (wrong ? [wrong] : []))],
  };
}

interface Value {
  readonly value: InputValue | null;
  readonly wrong: Diagnostic | null;
}

function settle(name: string, raw: RawInput, draft: Draft, context: LoadContext): Value {
  const given = ownValue(context.inputs ?? {}, name);
  if (given !== null) return convert(name, raw.type ?? "string", given);
  const detected = raw.detect === "test" ? context.project.testCommand : null;
  const value = detected ?? raw.default ?? null;
  // That an input may be missing and has no default is a fault of the file, told by its own rule.
  const isToldAlready = raw.required === false && raw.detect === undefined;
  if (value !== null || isToldAlready || isFaulty(draft, ["inputs", name])) return { value, wrong: null };
  return { value: null, wrong: missing(name, raw, draft) };
}

/** A name may be that of something every object has, such as "constructor". */
function ownValue(values: Readonly<Record<string, string>>, name: string): string | null {
  return Object.hasOwn(values, name) ? (values[name] ?? null) : null;
}

function missing(name: string, raw: RawInput, draft: Draft): Diagnostic {
  if (raw.detect === "test") {
    const place = draft.source.at(["inputs", name, "detect"], "key");
    return problem(place, `no test command was found in ${LOOKED_AT}`, `give one: --input ${name}="npm test"`);
  }
  const purpose = raw.description === undefined ? "" : ` (${raw.description})`;
  const place = draft.source.at(["inputs", name], "key");
  return problem(place, `input "${name}"${purpose} is missing`, `give it: --input ${name}=VALUE`);
}

function convert(name: string, type: InputSpec["type"], text: string): Value {
  if (type === "number") {
    const number = text.trim() === "" ? Number.NaN : Number(text);
    return Number.isFinite(number) ? { value: number, wrong: null } : unfit(name, "a number", text);
  }
  if (type === "boolean") {
    return text === "true" || text === "false"
      ? { value: text === "true", wrong: null }
      : unfit(name, "true or false", text);
  }
  return type === "command" && text.trim() === "" ? unfit(name, "a command", text) : { value: text, wrong: null };
}

function unfit(name: string, wanted: string, text: string): Value {
  return { value: null, wrong: problem(flag(name), `input "${name}" must be ${wanted}, found ${describe(text)}`) };
}

function unknownNames(given: readonly string[], known: readonly string[]): readonly Diagnostic[] {
  return given
    .filter((name) => !known.includes(name))
    .map((name) => {
      const near = didYouMean(name, known);
      const list = known.length > 0 ? `inputs of this pipeline: ${known.join(", ")}` : "this pipeline has no inputs";
      return problem(flag(name), `unknown input "${name}"`, near ? `did you mean "${near}"?` : list);
    });
}

function flag(name: string): Place {
  return { file: `--input ${name}`, line: null, column: null };
}
