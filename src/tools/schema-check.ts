import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import { canonicalJson, isJsonObject, type Json, type JsonSchema } from "../core/json.ts";
import { didYouMean } from "../core/suggest.ts";

/** A value's size in a message to the model. */
const LONGEST_VALUE = 120;
/** More of them do not help to mend the first ones. */
const MOST_COMPLAINTS = 10;

/** A schema checks a few dozen calls: compiling is what costs. Tests hold the schemas against their own schema. */
const QUICK = { validateSchema: false, code: { optimize: false } } as const;

/** Says what is wrong with a value, a line for each fault; empty when it is valid. */
export type SchemaCheck = (schema: JsonSchema, value: Json) => readonly string[];

/** Checks values against schemas. A schema is compiled once, whatever object it comes in. */
export function createSchemaCheck(): SchemaCheck {
  const ajv = new Ajv({ allErrors: true, strict: true, verbose: true, ...QUICK });
  const compiled = new Map<string, ValidateFunction>();
  return (schema, value) => {
    const key = canonicalJson(schema);
    const validate = compiled.get(key) ?? ajv.compile(schema);
    compiled.set(key, validate);
    return validate(value) ? [] : (validate.errors ?? []).slice(0, MOST_COMPLAINTS).map(complaintOf);
  };
}

/** Where, what was expected (with the place in the schema), what came. */
function complaintOf(error: ErrorObject): string {
  const place = error.instancePath === "" ? "the arguments" : error.instancePath;
  return `${place}: ${expectation(error)} (${error.schemaPath})`;
}

function expectation(error: ErrorObject): string {
  const came = `received ${brief(error.data)}`;
  switch (error.keyword) {
    case "required":
      return missing(error, String(error.params.missingProperty));
    case "additionalProperties":
      return unknown(error, String(error.params.additionalProperty));
    case "type":
      return `expected ${String(error.params.type)}, ${came}`;
    case "enum":
      return `expected one of ${brief(error.params.allowedValues)}, ${came}`;
    default:
      return `${error.message ?? "not as the schema says"}, ${came}`;
  }
}

function missing(error: ErrorObject, name: string): string {
  const description = propertiesOf(error)[name]?.description;
  const received = isJsonObject(error.data as Json) ? Object.keys(error.data as object) : [];
  return `"${name}" is missing${description === undefined ? "" : ` (${description})`}, received ${listed(received)}`;
}

function unknown(error: ErrorObject, name: string): string {
  const known = Object.keys(propertiesOf(error));
  const near = didYouMean(name, known);
  const hint = near === null ? `; known are ${known.join(", ")}` : `; did you mean "${near}"?`;
  return `unknown property ${brief(name)}${hint}`;
}

function propertiesOf(error: ErrorObject): Readonly<Record<string, JsonSchema>> {
  return (error.parentSchema as JsonSchema | undefined)?.properties ?? {};
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? "no properties" : `only ${names.slice(0, 12).map(brief).join(", ")}`;
}

function brief(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text;
}
