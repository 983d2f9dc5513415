import { CcpError, EXIT } from "./errors.ts";
import { parseModelRef } from "./model.ts";
import { ROLE_NAMES, type RoleName } from "./pipeline.ts";
import { didYouMean } from "./suggest.ts";

/** Other models for a role, as a person names them. */
export interface ModelChoice {
  /** Null: none was named. */
  readonly role: RoleName | null;
  /** As they were written: `provider/model`, or a part of it. */
  readonly names: readonly string[];
}

/** Reads `doer=openai/gpt-6,zai/glm-5.3` or `gpt-6`. Throws `CcpError("usage")` for what names no role or no model. */
export function readModelChoice(text: string): ModelChoice {
  const at = text.indexOf("=");
  const named = at === -1 ? null : text.slice(0, at).trim();
  const role = ROLE_NAMES.find((one) => one === named) ?? null;
  if (named !== null && role === null) {
    const near = didYouMean(named, ROLE_NAMES);
    throw usage(`there is no role "${named}"`, near ? `did you mean "${near}"?` : `roles: ${ROLE_NAMES.join(", ")}`);
  }
  const names = text
    .slice(at + 1)
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  if (names.length === 0) throw usage("no model is named", "write role=provider/model");
  return { role, names };
}

/**
 * The model that a name means: one with its provider as it is, else the one known here whose name it is without its
 * provider. Throws `CcpError("unknown_model" | "ambiguous_model")`.
 */
export function resolveModelName(name: string, providers: readonly string[], known: readonly string[]): string {
  const ref = parseModelRef(name);
  if (ref !== null && providers.includes(ref.provider)) return name;
  const meant = known.filter(
    (one) => one === name || one.slice(one.indexOf("/") + 1) === name || one.endsWith(`/${name}`),
  );
  if (meant.length === 1 && meant[0] !== undefined) return meant[0];
  if (meant.length > 1) {
    throw new CcpError("ambiguous_model", EXIT.usage, `"${name}" may be ${meant.join(" or ")}`, {
      hint: "nothing was changed; name its provider, too",
    });
  }
  const near = didYouMean(name, [...known, ...known.map((one) => one.slice(one.indexOf("/") + 1))]);
  throw new CcpError("unknown_model", EXIT.usage, `no model "${name}" is known here`, {
    hint: `nothing was changed; ${near ? `did you mean "${near}"?` : "write provider/model; those that can be asked: ccp models"}`,
  });
}

function usage(message: string, hint: string): CcpError {
  return new CcpError("usage", EXIT.usage, message, { hint: `nothing was changed; ${hint}` });
}
