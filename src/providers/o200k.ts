import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { CountTokens } from "./tokens.ts";

type Instantiate = Parameters<typeof import("tiktoken/lite/init")["init"]>[0];

/** The types of Node name the namespace, but not the object. */
const { WebAssembly: webAssembly } = globalThis as unknown as {
  readonly WebAssembly: {
    instantiate(wasm: Uint8Array, imports: object): ReturnType<Instantiate>;
  };
};

/**
 * OpenAI's tokenizer of the GPT-4o, 5 and 6 families: 0.2 s and some 130 MB of memory, so only where it is asked for.
 * Its wasm and its table are read from node_modules as files, which survives bundling (a bundler misses the wasm).
 */
export async function loadO200k(): Promise<CountTokens> {
  const require = createRequire(import.meta.url);
  const { init, Tiktoken } = await import("tiktoken/lite/init");
  const wasm = await readFile(require.resolve("tiktoken/lite/tiktoken_bg.wasm"));
  await init((imports) => webAssembly.instantiate(wasm, imports));
  const table = JSON.parse(await readFile(require.resolve("tiktoken/encoders/o200k_base.json"), "utf8"));
  const encoder = new Tiktoken(table.bpe_ranks, table.special_tokens, table.pat_str);
  return (text) => encoder.encode_ordinary(text).length;
}
