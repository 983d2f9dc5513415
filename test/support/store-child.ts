/** The other end of `store-process.ts`: performs on stores of its own what it is told, one line at a time. */
import { openSync, readSync, writeSync } from "node:fs";
import { CcpError } from "../../src/core/errors.ts";
import type { Store } from "../../src/core/store.ts";
import { SqliteStore } from "../../src/store/sqlite-store.ts";

const [requests = "", answers = ""] = process.argv.slice(2);
const input = openSync(requests, "r");
const output = openSync(answers, "w");
const stores = new Map<string, Store>();
const chunk = Buffer.alloc(65_536);
let text = "";
for (let read = readSync(input, chunk); read > 0; read = readSync(input, chunk)) {
  text += chunk.toString("latin1", 0, read);
  const lines = text.split("\n");
  text = lines.pop() ?? "";
  for (const line of lines) writeSync(output, `${perform(line)}\n`);
}

function perform(line: string): string {
  const { directory, method, args } = JSON.parse(Buffer.from(line, "base64").toString());
  try {
    const store = stores.get(directory) ?? new SqliteStore(directory);
    stores.set(directory, store);
    const result = Reflect.apply(Reflect.get(store, method), store, args.map(received));
    return told({ result: sent(result) });
  } catch (thrown) {
    const { message, stack } = thrown as Error;
    const known =
      thrown instanceof CcpError ? { code: thrown.code, exitCode: thrown.exitCode, hint: thrown.hint } : null;
    return told({ thrown: { message, stack, known } });
  }
}

function told(answer: object): string {
  return Buffer.from(JSON.stringify(answer)).toString("base64");
}

function received(value: unknown): unknown {
  return isBytes(value) ? Buffer.from(value.bytes, "base64") : value;
}

function isBytes(value: unknown): value is { readonly bytes: string } {
  return typeof value === "object" && value !== null && Object.keys(value).join() === "bytes";
}

function sent(value: unknown): unknown {
  return value instanceof Uint8Array ? { bytes: Buffer.from(value).toString("base64") } : value;
}
