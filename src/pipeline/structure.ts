import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import type { Diagnostic } from "../core/diagnostic.ts";
import type { JsonSchema } from "../core/json.ts";
import { didYouMean } from "../core/suggest.ts";
import { explain } from "./explain.ts";
import { fits } from "./fits.ts";
import type { Path, Source } from "./source.ts";

/** A fault that a schema found: the path of the value it is about, and what to say of it. */
export interface Fault {
  readonly path: Path;
  readonly diagnostic: Diagnostic;
}

/** What a schema has to say of a file. */
export interface Structure {
  readonly faults: readonly Fault[];
  /** The data without what has the wrong type or an unknown name: what is left can be looked at further. */
  readonly rest: unknown;
}

/** A file or two are checked in a process: compiling is what costs. Tests hold the schemas against their own schema. */
const QUICK = { validateSchema: false, code: { optimize: false } } as const;

/** Finds everything that is wrong with a file's structure. The schema is compiled once, where something is wrong at all. */
export function structureChecker(schema: JsonSchema): (json: unknown, source: Source) => Structure {
  let validate: ValidateFunction | null = null;
  return (json, source) => {
    if (fits(schema, json)) return { faults: [], rest: json };
    validate ??= new Ajv({ allErrors: true, verbose: true, strict: true, ...QUICK }).compile(schema);
    if (validate(json)) return { faults: [], rest: json };
    const errors = relevant(validate.errors ?? []);
    return {
      faults: errors.map((error) => ({ path: faultPath(error), diagnostic: explain(error, faultPath(error), source) })),
      rest: (validate.errors ?? []).reduce<unknown>(withoutFault, json) ?? {},
    };
  };
}

/** `inpt` for `input` is one slip, not a missing key and an unknown one. */
function isMisspelt(missing: ErrorObject, errors: readonly ErrorObject[]): boolean {
  const name = String(missing.params.missingProperty);
  return errors.some(
    (error) =>
      error.keyword === "additionalProperties" &&
      error.instancePath === missing.instancePath &&
      didYouMean(String(error.params.additionalProperty), [name]) !== null,
  );
}

/**
 * Of a choice that failed, every branch reports its own errors. Where the value has the shape of one branch, only
 * that branch's errors help; where it has none, only the choice itself is worth a word.
 */
function relevant(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  const choices = errors.filter((error) => error.keyword === "anyOf");
  return errors.filter((error) => {
    if (error.propertyName !== undefined) return false;
    if (error.keyword === "required" && isMisspelt(error, errors)) return false;
    if (error.keyword === "anyOf") return branchFor(error) === null;
    return choices.every((choice) => {
      const prefix = `${choice.schemaPath}/`;
      if (!error.schemaPath.startsWith(prefix) || !error.instancePath.startsWith(choice.instancePath)) return true;
      return branchFor(choice) === Number(error.schemaPath.slice(prefix.length).split("/")[0]);
    });
  });
}

/** The branch that a map or a list was meant for; null where the choice as a whole says more. */
function branchFor(choice: ErrorObject): number | null {
  const type = Array.isArray(choice.data) ? "array" : typeof choice.data;
  if (type !== "array" && (type !== "object" || choice.data === null)) return null;
  const index = (choice.schema as readonly JsonSchema[]).findIndex((branch) => branch.type === type);
  return index < 0 ? null : index;
}

/** The path of what is wrong: an unknown or ill-named key itself, not the map around it. */
function faultPath(error: ErrorObject): Path {
  const path = segments(error);
  if (error.keyword === "additionalProperties") return [...path, String(error.params.additionalProperty)];
  if (error.keyword === "propertyNames") return [...path, String(error.params.propertyName)];
  if (error.keyword === "uniqueItems") return [...path, Math.max(Number(error.params.i), Number(error.params.j))];
  return path;
}

function segments(error: ErrorObject): Path {
  return error.instancePath
    .split("/")
    .slice(1)
    .map((segment) => segment.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** Takes out what would trip up everyone who looks further; a value that is only out of range may stay. */
function withoutFault(json: unknown, error: ErrorObject): unknown {
  switch (error.keyword) {
    case "additionalProperties":
    case "propertyNames":
      return without(json, faultPath(error), false);
    case "anyOf":
    case "required":
      return without(json, segments(error), false);
    case "type":
      return without(json, segments(error), error.schema === "object" && error.parentSchema?.required === undefined);
    default:
      return json;
  }
}

/** An item is taken out with its whole list, or an empty map is left in its place, so that no other changes its index. */
function without(value: unknown, path: Path, leavesMap: boolean): unknown {
  const [head, ...tail] = path;
  if (head === undefined) return leavesMap ? {} : undefined;
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) {
    const items = value.map((item, index) => (index === Number(head) ? without(item, tail, leavesMap) : item));
    return items[Number(head)] === undefined ? undefined : items;
  }
  const entries = Object.entries(value).map(([key, item]) => [
    key,
    key === head ? without(item, tail, tail.length > 0 && leavesMap) : item,
  ]);
  return Object.fromEntries(entries.filter(([, item]) => item !== undefined));
}
