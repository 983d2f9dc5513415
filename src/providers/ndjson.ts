import { type LineWatch, LONGEST_LINE } from "./sse-lines.ts";

/**
 * A response with the lines of JSON that are in it, up to an error line, whose error goes to `onError`. The SDK writes a
 * line that it cannot parse to the console, and makes a mere text of an error. A line that is no JSON ends the response
 * too, and goes to `onHole`: without it the answer would have a hole.
 */
export function wholeLines(response: Response, watch: Omit<LineWatch, "onDone">): Response {
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  let rest = "";

  /** False: the response ends here. */
  function pass(line: string, controller: TransformStreamDefaultController<Uint8Array>): boolean {
    if (line.trim() === "") return true;
    try {
      const { error } = parse(line);
      if (error === undefined) controller.enqueue(encoder.encode(`${line}\n`));
      else watch.onError(error);
      return error === undefined;
    } catch (hole) {
      watch.onHole(hole);
      return false;
    }
  }

  const lines = new TransformStream<Uint8Array, Uint8Array>({
    transform(bytes, controller) {
      const parts = (rest + decoder.decode(bytes, { stream: true })).split("\n");
      rest = parts.pop() ?? "";
      const isTooLong = rest.length > LONGEST_LINE;
      if (isTooLong) watch.onHole(new SyntaxError("a line without an end"));
      if (isTooLong || !parts.every((line) => pass(line, controller))) controller.terminate();
    },
    flush(controller) {
      pass(rest + decoder.decode(), controller);
    },
  });
  return new Response(response.body?.pipeThrough(lines) ?? null, response);
}

function parse(line: string): { readonly error?: unknown } {
  const value: unknown = JSON.parse(line);
  if (value === null || typeof value !== "object") throw new SyntaxError("a line that is no object");
  return value;
}
