import { plainText } from "./text.ts";

/** All that a command has written, as a model may read it: standard output, then what went to standard error. */
export function wholeOutput(wrote: { readonly stdout: Uint8Array; readonly stderr: Uint8Array }): string {
  const [stdout, stderr] = [wrote.stdout, wrote.stderr].map((bytes) =>
    plainText(new TextDecoder().decode(bytes)).trimEnd(),
  );
  return [stdout, stderr && `stderr:\n${stderr}`].filter((part) => part).join("\n");
}
