#!/usr/bin/env node
/** Oldest Node that ccp runs on: better-sqlite3 crashes on 20. Checked before anything is loaded. */
const OLDEST_NODE = [22, 13] as const;

/** What could not be written to a file is lost: `ccp diff > file` on a full disk has not succeeded. */
const EXIT_DISK = 9;

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
  process.stderr.write(
    `ccp: Node ${OLDEST_NODE.join(".")} or newer is needed, this is ${process.versions.node}\n  Nothing was started. Install a newer Node, or run ccp through npm: its scripts bring Node 24 along.\n`,
  );
  process.exit(2);
}
// Not a static import: a Node that is too old does not know the name, and would say so in place of us.
const { enableCompileCache } = await import("node:module");
enableCompileCache();
const { processSurroundings, runCli } = await import("./cli/run-cli.ts");
let unwritten = 0;
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    // A reader that has gone away (`ccp diff | head`) is no fault: a run goes on, and is on record.
    if (error.code !== "EPIPE") unwritten = EXIT_DISK;
  });
}
const exitCode = await runCli(processSurroundings());
// `process.exit` drops what a pipe has not taken yet: a long patch would be cut off.
await Promise.all([process.stdout, process.stderr].map((stream) => new Promise((sent) => stream.write("", sent))));
process.exit(exitCode || unwritten);
