import { canonicalJson, type JsonSchema } from "../core/json.ts";

/**
 * True when a value is as its schema wants it, read off the schema as it stands. For files in which nothing is wrong: ajv
 * says what is, and needs ten times as long to compile a schema as this takes. Held against ajv by a law.
 */
export function fits(schema: JsonSchema, value: unknown): boolean {
  return (
    isOfType(schema.type, value) &&
    (schema.enum === undefined || schema.enum.some((one) => one === value)) &&
    (schema.anyOf === undefined || schema.anyOf.some((branch) => fits(branch, value))) &&
    (schema.oneOf === undefined || schema.oneOf.filter((branch) => fits(branch, value)).length === 1) &&
    fitsInside(schema, value)
  );
}

function fitsInside(schema: JsonSchema, value: unknown): boolean {
  if (typeof value === "string") return textFits(schema, value);
  if (typeof value === "number") return numberFits(schema, value);
  if (Array.isArray(value)) return listFits(schema, value);
  return typeof value === "object" && value !== null ? mapFits(schema, value) : true;
}

function isOfType(type: JsonSchema["type"], value: unknown): boolean {
  switch (type) {
    case undefined:
      return true;
    case "null":
      return value === null;
    case "array":
      return Array.isArray(value);
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    case "number":
      return Number.isFinite(value);
    case "integer":
      return Number.isInteger(value);
    case "string":
      return typeof value === "string";
    case "boolean":
      return typeof value === "boolean";
  }
}

function textFits({ minLength = 0, maxLength = Number.POSITIVE_INFINITY, pattern }: JsonSchema, text: string): boolean {
  // Letters, as ajv counts them, not halves of them.
  const length = [...text].length;
  return length >= minLength && length <= maxLength && (pattern === undefined || matcher(pattern).test(text));
}

const matchers = new Map<string, RegExp>();

function matcher(pattern: string): RegExp {
  const known = matchers.get(pattern) ?? new RegExp(pattern, "u");
  matchers.set(pattern, known);
  return known;
}

function numberFits({ minimum, maximum, exclusiveMinimum }: JsonSchema, value: number): boolean {
  return (
    (minimum === undefined || value >= minimum) &&
    (maximum === undefined || value <= maximum) &&
    (exclusiveMinimum === undefined || value > exclusiveMinimum)
  );
}

function listFits({ items, minItems = 0, maxItems, uniqueItems }: JsonSchema, list: readonly unknown[]): boolean {
  return (
    list.length >= minItems &&
    list.length <= (maxItems ?? list.length) &&
    (!uniqueItems || new Set(list.map(canonicalJson)).size === list.length) &&
    (items === undefined || list.every((item) => fits(items, item)))
  );
}

function mapFits(schema: JsonSchema, map: object): boolean {
  const { properties = {}, required = [], additionalProperties = true, propertyNames, minProperties = 0 } = schema;
  const entries = Object.entries(map);
  return (
    entries.length >= minProperties &&
    required.every((key) => Object.hasOwn(map, key)) &&
    entries.every(([key, value]) => {
      if (propertyNames !== undefined && !fits(propertyNames, key)) return false;
      const own = Object.hasOwn(properties, key) ? properties[key] : undefined;
      if (own !== undefined) return fits(own, value);
      return typeof additionalProperties === "boolean" ? additionalProperties : fits(additionalProperties, value);
    })
  );
}
