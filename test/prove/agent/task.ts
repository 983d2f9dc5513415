/** A repository that is red, what makes it green, and how anyone can tell. */
export interface Task {
  readonly name: string;
  /** What the user asks for. */
  readonly words: string;
  readonly before: Readonly<Record<string, string>>;
  /** The files that the solution changes or adds, whole. */
  readonly solution: Readonly<Record<string, string>>;
  /** A shell command: exit 0 where the task is done. */
  readonly check: string;
}
