import type { CcpError } from "../core/errors.ts";
import type { Json } from "../core/json.ts";

/** What a person sees of an error: what happened, then what to do. */
export function formatError(error: CcpError): string {
  const hint = error.hint === null ? "" : `  ${error.hint}\n`;
  return `ccp: ${error.message}\n${hint}`;
}

/** The same for machines. */
export function jsonError(error: CcpError): Json {
  return {
    v: 1,
    type: "error",
    error: { code: error.code, exit: error.exitCode, message: error.message, hint: error.hint },
  };
}

/** One JSON object on standard output: what `--json` promises on everything that reads. */
export function writeJson(stream: { write(text: string): unknown }, value: unknown): void {
  stream.write(`${JSON.stringify(value, null, 2)}\n`);
}
