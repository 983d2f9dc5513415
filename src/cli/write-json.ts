/** One JSON object on standard output: what `--json` promises on everything that reads. */
export function writeJson(stream: { write(text: string): unknown }, value: unknown): void {
  stream.write(`${JSON.stringify(value, null, 2)}\n`);
}
