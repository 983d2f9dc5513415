import type { ErrorObject } from "ajv";
import type { Diagnostic } from "../core/diagnostic.ts";
import type { JsonSchema } from "../core/json.ts";
import { didYouMean } from "../core/suggest.ts";
import { either } from "../core/words.ts";
import { PATTERN_WORDS } from "./patterns.ts";
import { type Path, problem, type Source } from "./source.ts";

/** Names that have a word of their own: "unknown role", not "unknown value of role". */
const NOUNS: ReadonlyMap<string, string> = new Map([
  ["role", "role"],
  ["roles", "role"],
  ["tool", "tool"],
  ["tools", "tool"],
]);
/** Keys under which someone would write a credential: such a key is refused in words of its own. */
const CREDENTIAL_KEYS = ["api_key", "apikey", "key", "token", "secret", "password", "credential", "auth_token"];
/** Keys whose values may be a credential by mistake. */
const UNSPOKEN = ["key_env", "base_url", "auth"];

/** One error of the schema, in the words of the file: what was expected, what was found, and what was perhaps meant. */
export function explain(error: ErrorObject, path: Path, source: Source): Diagnostic {
  const value = source.at(path);
  const key = source.at(path, "key");
  const schema = error.parentSchema as JsonSchema;
  switch (error.keyword) {
    case "additionalProperties":
      return unknownKey(error, path, source);
    case "required":
      return problem(key, `"${error.params.missingProperty}" is missing${inside(path)}`);
    case "propertyNames":
      return problem(key, `"${path.at(-1)}" must be written with ${patternWords(namesPattern(schema))}`);
    case "enum":
      return notOneOf(error, path, source);
    case "minItems":
      return problem(value, `${label(path)} is empty: it needs at least one item`);
    case "minLength":
      return problem(value, `${label(path)} is empty`);
    case "uniqueItems":
      return problem(value, `${isUnspoken(path) ? label(path) : describe(itemAt(error))} is in the list twice`);
    default:
      return problem(
        value,
        `${label(path)} must be ${wanted(schema)}, found ${found(error, path)}`,
        hintFor(path, error.data),
      );
  }
}

function unknownKey(error: ErrorObject, path: Path, source: Source): Diagnostic {
  const name = String(path.at(-1));
  const known = Object.keys((error.parentSchema as JsonSchema).properties ?? {});
  const place = source.at(path, "key");
  if (CREDENTIAL_KEYS.includes(name.toLowerCase()) && known.includes("key_env")) {
    const hint = 'put it in an environment variable and name that one: "key_env: MY_PROVIDER_KEY"';
    return problem(place, `"${name}": a credential does not belong in a file`, hint);
  }
  if (name === "<<") return problem(place, '"<<" is not supported', "repeat the keys that are meant");
  const meant = didYouMean(name, known);
  const noun = NOUNS.get(String(path.at(-2))) ?? "key";
  return problem(
    place,
    `unknown ${noun} "${name}"`,
    meant ? `did you mean "${meant}"?` : `known here: ${known.join(", ")}`,
  );
}

function notOneOf(error: ErrorObject, path: Path, source: Source): Diagnostic {
  const allowed = (error.schema as readonly unknown[]).map(String);
  const name = Number.isInteger(Number(path.at(-1))) ? path.at(-2) : path.at(-1);
  const noun = NOUNS.get(String(name));
  const meant =
    typeof error.data === "string"
      ? didYouMean(
          error.data,
          allowed.filter((word) => word.length > 1),
        )
      : null;
  const message = noun
    ? `unknown ${noun} ${describe(error.data)}`
    : `${label(path)} must be ${either(allowed.map(quoted))}, found ${found(error, path)}`;
  return problem(
    source.at(path),
    message,
    meant ? `did you mean "${meant}"?` : noun ? `known: ${allowed.join(", ")}` : null,
  );
}

/** What a schema asks for. */
function wanted(schema: JsonSchema): string {
  if (schema.anyOf) return either(schema.anyOf.map(wanted));
  if (schema.enum) return either(schema.enum.map((value) => quoted(String(value))));
  if (schema.pattern) return patternWords(schema.pattern);
  switch (schema.type) {
    case "object":
      return schema.required?.length === 1 ? `a map with "${schema.required[0]}"` : "a map";
    case "array":
      return "a list";
    case "string":
      return "text";
    case "boolean":
      return "true or false";
    case "integer":
    case "number":
      return `a ${schema.type === "integer" ? "whole " : ""}number${bounds(schema)}`;
    default:
      return "something else";
  }
}

function bounds(schema: JsonSchema): string {
  if (schema.exclusiveMinimum !== undefined) return ` above ${schema.exclusiveMinimum}`;
  if (schema.minimum !== undefined && schema.maximum !== undefined)
    return ` from ${schema.minimum} to ${schema.maximum}`;
  return schema.minimum === undefined ? "" : ` of at least ${schema.minimum}`;
}

function found(error: ErrorObject, path: Path): string {
  return isUnspoken(path) && typeof error.data === "string" ? "something else" : describe(error.data);
}

/** Of a key, or of what is in it. */
function isUnspoken(path: Path): boolean {
  return path.some((segment) => UNSPOKEN.includes(String(segment)));
}

/** A value as a reader of YAML would name it. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a map";
  if (typeof value !== "string") return String(value);
  return quoted(value.length > 40 ? `${value.slice(0, 40)}…` : value);
}

function hintFor(path: Path, value: unknown): string | null {
  const isStep = path.length === 2 && path[0] === "pipeline";
  if (isStep) return 'begin a step with "- role: doer" or "- run: npm test"';
  return value === null && path.length > 0 ? "give the key a value, or take it out" : null;
}

function label(path: Path): string {
  const last = path.at(-1);
  if (last === undefined) return "the file";
  if (!Number.isInteger(Number(last))) return `"${last}"`;
  return path.length === 2 && path[0] === "pipeline" ? "a step" : `an item of "${path.at(-2)}"`;
}

function inside(path: Path): string {
  return path.length === 0 ? "" : ` in ${label(path)}`;
}

function patternWords(pattern: string): string {
  return PATTERN_WORDS[pattern] ?? `text like ${pattern}`;
}

function namesPattern(schema: JsonSchema): string {
  return schema.propertyNames?.pattern ?? "";
}

function itemAt(error: ErrorObject): unknown {
  return (error.data as readonly unknown[])[Number(error.params.i)];
}

function quoted(text: string): string {
  return `"${text}"`;
}
