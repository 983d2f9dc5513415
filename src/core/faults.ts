/** What is wrong with a call: it cannot be read, or its role may not make it. */
export type Fault = "malformed" | "denied";

/** Calls that came to nothing, counted in answers: within one of them a model has not yet seen what was wrong. */
export interface Faults {
  /** Answers in a row with a malformed call, and without one that went well. */
  readonly malformed: number;
  /** Answers in a row with a denied call, and without one that was carried out. */
  readonly denied: number;
  /** What of it the last answer has counted for already. */
  readonly counted: readonly Fault[];
}

/** None so far. */
export const NO_FAULTS: Faults = { malformed: 0, denied: 0, counted: [] };

/** How the text of a result begins when the call itself was wrong: an unknown tool or arguments off its schema. */
export const MALFORMED_MARK = "Malformed call: ";

/** The faults before the calls of another answer. */
export function atNextAnswer(faults: Faults): Faults {
  return { ...faults, counted: [] };
}

/** The faults after a result. An ordinary error was carried out, so it ends a row of denials; it is no well-formed success. */
export function withResult(
  faults: Faults,
  { status, text }: { readonly status: "ok" | "error" | "denied"; readonly text: string },
): Faults {
  if (status === "ok") return { ...faults, malformed: 0, denied: 0 };
  if (status === "denied") return withFault(faults, "denied");
  return text.startsWith(MALFORMED_MARK) ? withFault(faults, "malformed") : { ...faults, denied: 0 };
}

function withFault(faults: Faults, fault: Fault): Faults {
  if (faults.counted.includes(fault)) return faults;
  return { ...faults, [fault]: faults[fault] + 1, counted: [...faults.counted, fault] };
}
