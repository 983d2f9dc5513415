import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { Task } from "./task.ts";

const FILE = join(import.meta.dirname, "..", "..", "..", "..", "shared", "tasks", "humaneval.jsonl.gz");

interface Problem {
  readonly task_id: string;
  readonly prompt: string;
  readonly entry_point: string;
  readonly canonical_solution: string;
  readonly test: string;
}

/** The problems of HumanEval, each a repository with one file and its test; none where the folder is not there. */
export function sharedTasks(path = process.env.CCP_TASKS ?? FILE): readonly Task[] {
  if (!existsSync(path)) return [];
  const lines = gunzipSync(readFileSync(path)).toString().trim().split("\n");
  return lines.map((line) => taskOf(JSON.parse(line) as Problem));
}

function taskOf({ task_id: id, prompt, entry_point: name, canonical_solution: solution, test }: Problem): Task {
  return {
    name: id,
    words: `Write the body of ${name} in solution.py, as its docstring says.`,
    before: {
      "solution.py": `${prompt}    raise NotImplementedError\n`,
      "test.py": `from solution import *\nfrom solution import ${name}\n\n${test}\n\ncheck(${name})\n`,
    },
    solution: { "solution.py": `${prompt}${solution}` },
    check: "python3 test.py",
  };
}
