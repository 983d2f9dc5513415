import { openRepository } from "../../src/workspace/repository.ts";

/** Flushes the worktree of a run, in a process of its own that another program can watch. */
const [cwd = "", stateHome = "", rid = "", path = ""] = process.argv.slice(2);
const repository = await openRepository({ cwd, environment: process.env, stateHome, resultsDir: "results" });
await repository.openWorkspace(rid, path).flush();
