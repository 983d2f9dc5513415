/**
 * A response with only the whole lines of JSON that are in it, up to an error line, whose error goes to `onError`. The
 * SDK writes a line that it cannot parse (an empty one, one that broke off) to the console, and makes a mere text of an error.
 */
export function wholeLines(response: Response, onError: (error: unknown) => void): Response {
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  let rest = "";

  function pass(line: string, controller: TransformStreamDefaultController<Uint8Array>): void {
    const value = parse(line);
    if (value === null) return;
    if (value.error === undefined) {
      controller.enqueue(encoder.encode(`${line}\n`));
    } else {
      onError(value.error);
      controller.terminate();
    }
  }

  const lines = new TransformStream<Uint8Array, Uint8Array>({
    transform(bytes, controller) {
      const parts = (rest + decoder.decode(bytes, { stream: true })).split("\n");
      rest = parts.pop() ?? "";
      for (const line of parts) pass(line, controller);
    },
    flush(controller) {
      pass(rest + decoder.decode(), controller);
    },
  });
  return new Response(response.body?.pipeThrough(lines) ?? null, response);
}

function parse(line: string): { readonly error?: unknown } | null {
  try {
    const value: unknown = JSON.parse(line);
    return value !== null && typeof value === "object" ? value : null;
  } catch {
    return null;
  }
}
