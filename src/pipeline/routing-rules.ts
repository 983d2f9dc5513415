import type { Diagnostic } from "../core/diagnostic.ts";
import type { WrittenRule } from "../core/lane.ts";
import { parseModelRef } from "../core/model.ts";
import { usdToNanos } from "../core/money.ts";
import type { RouteConditions, Shares } from "../core/route-rules.ts";
import type { ValueSource } from "../core/value-source.ts";
import type { RawRule } from "./routing-schema.ts";
import { type Path, problem, type Source } from "./source.ts";

/** The rules of a file, in their order. */
export function rulesOf(raw: readonly RawRule[], source: Source): readonly WrittenRule[] {
  const sourceAt = (path: Path): ValueSource => {
    const { file, line, column } = source.at(["routing", ...path]);
    return { kind: "file", path: file, line: line ?? 1, column: column ?? 1 };
  };
  return raw.map(({ name, when = {}, use }, index) => ({
    name: name ?? null,
    source: sourceAt([index]),
    when: conditionsOf(when),
    use,
    useSources: use.map((_, at) => sourceAt([index, "use", at])),
  }));
}

/** What a schema cannot say of rules. Whether there is such a provider is not known here. */
export function wrongRules(raw: readonly RawRule[], source: Source): readonly Diagnostic[] {
  return raw.flatMap(({ when = {}, use }, index) => [
    ...use.flatMap((model, at) => {
      const place = source.at(["routing", index, "use", at]);
      return parseModelRef(model) === null ? [problem(place, `"${model}" is no model: write "provider/model"`)] : [];
    }),
    ...(when.context_at_least !== undefined && when.context_at_least > (when.context_at_most ?? Number.MAX_VALUE)
      ? [
          problem(
            source.at(["routing", index, "when", "context_at_least"]),
            "no request is as long as this and as short as context_at_most",
          ),
        ]
      : []),
  ]);
}

function conditionsOf(raw: NonNullable<RawRule["when"]>): RouteConditions {
  const { task, role, model, hours, days, needs } = raw;
  return {
    ...(task === undefined ? {} : { tasks: listOf(task) }),
    ...(role === undefined ? {} : { roles: listOf(role) }),
    ...(model === undefined ? {} : { models: listOf(model) }),
    ...(raw.context_at_least === undefined ? {} : { minContextTokens: raw.context_at_least }),
    ...(raw.context_at_most === undefined ? {} : { maxContextTokens: raw.context_at_most }),
    ...(raw.left_at_least === undefined ? {} : { leftAtLeast: sharesOf(raw.left_at_least) }),
    ...(raw.left_at_most === undefined ? {} : { leftAtMost: sharesOf(raw.left_at_most) }),
    ...(hours === undefined ? {} : { hours: hoursOf(hours) }),
    ...(days === undefined ? {} : { days }),
    ...(raw.cost_at_most === undefined ? {} : { maxCostNanos: usdToNanos(raw.cost_at_most) }),
    ...(needs === undefined ? {} : { needs }),
  };
}

function listOf<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? value : [value as T];
}

/** `20%` → 0.2. */
function sharesOf(raw: NonNullable<NonNullable<RawRule["when"]>["left_at_least"]>): Shares {
  return Object.fromEntries(Object.entries(raw).map(([quota, text]) => [quota, Number.parseInt(text, 10) / 100]));
}

/** `22:00-06:00`, of the form that the schema asks for. */
function hoursOf(text: string): NonNullable<RouteConditions["hours"]> {
  const [from = 0, to = 0] = text.split("-").map((clock) => {
    const [hours = 0, minutes = 0] = clock.split(":").map(Number);
    return hours * 60 + minutes;
  });
  return { from, to };
}
