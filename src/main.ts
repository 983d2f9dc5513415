#!/usr/bin/env node
import { enableCompileCache } from "node:module";

/** Oldest Node that ccp runs on: better-sqlite3 crashes on 20. Checked before anything is loaded. */
const OLDEST_NODE = [22, 13] as const;

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
  process.stderr.write(
    `ccp: Node ${OLDEST_NODE.join(".")} or newer is needed, this is ${process.versions.node}\n  Nothing was started. Install a newer Node, or run ccp through npm: its scripts bring Node 24 along.\n`,
  );
  process.exit(2);
}
enableCompileCache?.();
const { processSurroundings, runCli } = await import("./cli/run-cli.ts");
process.exit(await runCli(processSurroundings()));
