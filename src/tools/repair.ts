import { isJsonObject, type Json, type JsonSchema } from "../core/json.ts";

/** Property names that models have learnt elsewhere, without case and separators, and what they mean here. */
const SYNONYMS: Readonly<Record<string, string>> = {
  filepath: "path",
  filename: "path",
  file: "path",
  directory: "path",
  dir: "path",
  cmd: "command",
  contents: "content",
  filetext: "content",
  regex: "pattern",
  include: "glob",
  caseinsensitive: "ignore_case",
  oldstring: "old",
  oldstr: "old",
  oldtext: "old",
  newstring: "new",
  newstr: "new",
  newtext: "new",
  replaceall: "all",
  todos: "items",
  input: "patch",
  diff: "patch",
};

/**
 * Arguments with those faults mended that have one possible meaning: a known other name of a property, JSON or a number
 * inside a string where the schema wants no string, null for what may be left out, a single value without its list.
 * Everything else is left for the schema to refuse. Gives a new value; the old one stays as it is.
 */
export function repairArguments(schema: JsonSchema, value: Json): Json {
  return repaired(schema, isJsonObject(value) ? asList(schema, value) : value);
}

function repaired(schema: JsonSchema, value: Json): Json {
  const read = typeof value === "string" ? fromString(schema, value) : value;
  const plain = isSingle(schema, read) ? [read] : read;
  if (schema.items !== undefined && Array.isArray(plain)) {
    const { items } = schema;
    return plain.map((item) => repaired(items, item));
  }
  return schema.properties !== undefined && isJsonObject(plain) ? repairedObject(schema, plain) : plain;
}

/** True for one item where a list is wanted. A string that looks like a broken list is left for the schema to refuse. */
function isSingle({ type, items }: JsonSchema, value: Json): boolean {
  if (type !== "array" || items === undefined || value === null || Array.isArray(value)) return false;
  if (typeof value === "string") return items.type === "string" && !/^\s*[[{]/.test(value);
  return typeof value === "object" && items.type === "object";
}

function fromString(schema: JsonSchema, text: string): Json {
  if ((schema.type === "integer" || schema.type === "number") && /^-?\d+(\.\d+)?$/.test(text.trim()))
    return Number(text);
  if (schema.type === "boolean" && /^(true|false)$/i.test(text.trim())) return text.trim().toLowerCase() === "true";
  if (schema.type !== "array" && schema.type !== "object") return text;
  try {
    const inner: Json = JSON.parse(text);
    return (schema.type === "array" ? Array.isArray(inner) : isJsonObject(inner)) ? inner : text;
  } catch {
    return text;
  }
}

function repairedObject(schema: JsonSchema, value: { readonly [key: string]: Json }): Json {
  const properties = schema.properties ?? {};
  const renamed = Object.entries(value).map(([key, item]) => [knownName(key, value, properties), item] as const);
  const entries = renamed.filter(([key, item]) => !isLeftOut(schema, key, item));
  return Object.fromEntries(
    entries.map(([key, item]) => {
      const property = Object.hasOwn(properties, key) ? properties[key] : undefined;
      return [key, property === undefined ? item : repaired(property, item)];
    }),
  );
}

/** The property that is meant, unless that one is there as well. */
function knownName(key: string, value: object, properties: Readonly<Record<string, JsonSchema>>): string {
  if (Object.hasOwn(properties, key)) return key;
  const plain = withoutSeparators(key);
  const meant =
    Object.keys(properties).find((name) => withoutSeparators(name) === plain) ??
    (Object.hasOwn(SYNONYMS, plain) ? SYNONYMS[plain] : undefined);
  return meant !== undefined && Object.hasOwn(properties, meant) && !Object.hasOwn(value, meant) ? meant : key;
}

function withoutSeparators(name: string): string {
  return name.toLowerCase().replace(/[_-]/g, "");
}

function isLeftOut(schema: JsonSchema, key: string, item: Json): boolean {
  const isOptional = Object.hasOwn(schema.properties ?? {}, key) && !(schema.required ?? []).includes(key);
  return isOptional && item === null;
}

/** `{path, old, new}` where `{path, edits: [{old, new}]}` is wanted: what is not of the outer object is of the one item. */
function asList(schema: JsonSchema, value: { readonly [key: string]: Json }): Json {
  const item = schema.properties?.edits?.items;
  if (item?.properties === undefined || Object.hasOwn(value, "edits")) return value;
  const inner = item.properties;
  const isInner = (key: string) => Object.hasOwn(inner, knownName(key, {}, inner));
  const entries = Object.entries(value);
  const one = Object.fromEntries(entries.filter(([key]) => isInner(key)));
  if (Object.keys(one).length < 2) return value;
  return { ...Object.fromEntries(entries.filter(([key]) => !isInner(key))), edits: [one] };
}
