/** Plain JSON data: what may cross a port or enter the journal. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** The part of JSON Schema (draft-07) that ccp writes: enough for tool arguments, finish values and our files. */
export interface JsonSchema {
  readonly type?: "object" | "array" | "string" | "number" | "integer" | "boolean" | "null";
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly propertyNames?: JsonSchema;
  readonly items?: JsonSchema;
  readonly enum?: readonly (string | number | boolean)[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minProperties?: number;
  readonly pattern?: string;
  readonly default?: Json;
  readonly oneOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly uniqueItems?: boolean;
}

/** The TypeScript type of the values a schema literal (`as const satisfies JsonSchema`) accepts. */
export type Infer<S> = S extends { readonly enum: readonly (infer E)[] }
  ? E
  : S extends { readonly type: "object"; readonly properties: infer P }
    ? InferObject<P, S extends { readonly required: readonly (infer R)[] } ? R : never>
    : S extends { readonly type: "object"; readonly additionalProperties: infer V extends JsonSchema }
      ? { readonly [key: string]: Infer<V> }
      : S extends { readonly type: "array"; readonly items: infer I }
        ? readonly Infer<I>[]
        : S extends { readonly type: "string" }
          ? string
          : S extends { readonly type: "number" | "integer" }
            ? number
            : S extends { readonly type: "boolean" }
              ? boolean
              : S extends { readonly anyOf: readonly (infer O)[] }
                ? Infer<O>
                : unknown;

type InferObject<P, R> = { readonly [K in keyof P as K extends R ? K : never]: Infer<P[K]> } & {
  readonly [K in keyof P as K extends R ? never : K]?: Infer<P[K]>;
};

/** True for a JSON object: neither null nor a list. */
export function isJsonObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** JSON text with sorted keys and no spaces: equal values give equal bytes, so digests can be compared. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(",")}]`;
  if (value !== null && typeof value === "object") {
    const entries = Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`);
    return `{${entries.join(",")}}`;
  }
  return JSON.stringify(value) ?? "null";
}
