import type { Budget } from "../core/budget.ts";
import type { RoleName } from "../core/pipeline.ts";
import type { ProjectFacts } from "../core/ports.ts";
import type { Templates } from "./templates.ts";

/** What a pipeline needs from outside of its file. */
export interface LoadContext {
  readonly templates: Templates;
  /** Reads a role's prompt, named from the pipeline file's folder; null: there is none, or it lies outside of the repository. */
  readonly readPrompt: (path: string) => string | null;
  /** Ids of the lanes that are known. */
  readonly providers: readonly string[];
  /** Routes for roles whose file names no model, from the keys that are there. */
  readonly defaultModels: Readonly<Partial<Record<RoleName, readonly string[]>>>;
  /** Of a model (`provider/model`) the stronger one that its vendor has and that can be asked here; missing: none is known. */
  readonly strongerModels?: Readonly<Record<string, string>>;
  readonly project: ProjectFacts;
  /** What `--input` gave, as text; null: values are not asked for (`ccp validate`). */
  readonly inputs: Readonly<Record<string, string>> | null;
  /** What `--model ROLE=MODEL` gave; wins over the file. A role that no step has is passed over. */
  readonly models?: Readonly<Record<string, readonly string[]>>;
  /** What `--budget` and the like gave; each ceiling wins over the file's. */
  readonly budget?: Budget;
}
