import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CcpError, type ExitCode } from "../../src/core/errors.ts";
import type { Store } from "../../src/core/store.ts";

/** A process that works on stores for us. */
export interface StoreProcess {
  readonly child: ChildProcess;
  /** The store of a directory, as the process has it open: each call waits for its end there, as a store's own would. */
  open(directory: string): Store;
  end(): void;
}

interface Answer {
  readonly result?: unknown;
  readonly thrown?: {
    readonly message: string;
    readonly stack: string;
    readonly known: { readonly code: string; readonly exitCode: ExitCode; readonly hint: string | null } | null;
  };
}

/** Starts it. The caller ends it. */
export function startStoreProcess(): StoreProcess {
  const folder = mkdtempSync(join(tmpdir(), "ccp-fifo-"));
  const [requests, answers] = [join(folder, "requests"), join(folder, "answers")];
  execFileSync("mkfifo", [requests, answers]);
  const script = fileURLToPath(new URL("store-child.ts", import.meta.url));
  const child = spawn(process.execPath, ["--no-warnings", script, requests, answers], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  // Each waits for the other end: in the order in which the child opens them.
  const output = openSync(requests, "w");
  const input = openSync(answers, "r");
  const ask = (directory: string, method: string, args: readonly unknown[]): unknown => {
    const line = Buffer.from(JSON.stringify({ directory, method, args: args.map(sent) })).toString("base64");
    writeSync(output, `${line}\n`);
    return outcome(JSON.parse(Buffer.from(readLine(input), "base64").toString()));
  };
  return {
    child,
    open: (directory) => remoteStore((method, args) => ask(directory, method, args)),
    end() {
      closeSync(output);
      closeSync(input);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What is written goes to one store, what is asked to another: they are one journal, seen by two processes. */
export function splitStore(writes: Store, reads: Store): Store {
  const store = new Map<string | symbol, Store>(WRITES.map((method) => [method, writes]));
  return new Proxy(reads, {
    get(_, method) {
      if (method === "close") return () => [writes, reads].forEach((one) => void one.close());
      const target = store.get(method) ?? reads;
      return Reflect.get(target, method).bind(target);
    },
  });
}

const WRITES = [
  "create",
  "adopt",
  "claim",
  "release",
  "append",
  "keepFolded",
  "putBlob",
  "remove",
  "sweep",
] as const satisfies readonly (keyof Store)[];

function remoteStore(ask: (method: string, args: readonly unknown[]) => unknown): Store {
  return new Proxy({} as Store, {
    get:
      (_, method) =>
      (...args: readonly unknown[]) =>
        ask(String(method), args),
  });
}

function outcome({ result, thrown }: Answer): unknown {
  if (thrown === undefined) return isBytes(result) ? Buffer.from(result.bytes, "base64") : result;
  const { message, known } = thrown;
  if (known === null) throw new Error(message);
  throw new CcpError(known.code, known.exitCode, message, known.hint === null ? {} : { hint: known.hint });
}

/** Throws when the process is gone. */
function readLine(file: number): string {
  const chunk = Buffer.alloc(65_536);
  let text = "";
  while (!text.endsWith("\n")) {
    const read = readSync(file, chunk);
    if (read === 0) throw new Error("the process with the store has ended");
    text += chunk.toString("latin1", 0, read);
  }
  return text;
}

function sent(value: unknown): unknown {
  return value instanceof Uint8Array ? { bytes: Buffer.from(value).toString("base64") } : value;
}

function isBytes(value: unknown): value is { readonly bytes: string } {
  return typeof value === "object" && value !== null && Object.keys(value).join() === "bytes";
}
