import { ReadBuffer, serializeMessage, type Transport } from "@modelcontextprotocol/client";
import type { PipedProgram } from "../core/ports.ts";

/** One message of a server may be this long; a server that sends more is ended. */
const LONGEST_MESSAGE_BYTES = 10 * 1024 * 1024;

/** Messages of the protocol, a line each, over a program's standard streams. */
export function programTransport(program: PipedProgram): Transport {
  const buffer = new ReadBuffer({ maxBufferSize: LONGEST_MESSAGE_BYTES });
  const transport: Transport = {
    start: async () => {
      void listen(program, (bytes) => readAll(buffer, bytes, transport)).catch(async (error: unknown) => {
        transport.onerror?.(error instanceof Error ? error : new Error(String(error)));
        await program.end();
      });
      void program.ended.then(() => transport.onclose?.());
    },
    send: async (message) => program.write(serializeMessage(message)),
    close: () => program.end(),
  };
  return transport;
}

async function listen(program: PipedProgram, take: (bytes: Uint8Array) => void): Promise<void> {
  for await (const bytes of program.output) take(bytes);
}

/** A line that is no message is a server's debug output, as many write it; it is passed over. */
function readAll(buffer: ReadBuffer, bytes: Uint8Array, transport: Transport): void {
  buffer.append(Buffer.from(bytes));
  for (;;) {
    try {
      const message = buffer.readMessage();
      if (message === null) return;
      transport.onmessage?.(message);
    } catch (error) {
      transport.onerror?.(error instanceof Error ? error : new Error(String(error)));
    }
  }
}
