/** What the surroundings and the flags say, read once in `cli/config.ts`. */
export interface Config {
  /** Absolute. */
  readonly cwd: string;
  /** The user's environment; only named parts of it are ever handed on. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  /** `$XDG_STATE_HOME`: worktrees and the journal of pings go to `ccp/` in it. */
  readonly stateHome: string;
  /** `$XDG_CONFIG_HOME/ccp`: the user's own files. */
  readonly configHome: string;
  /** Where journals go instead of git's common directory; null: they do not. */
  readonly stateDir: string | null;
  /** Relative to the repository's root, or absolute. */
  readonly resultsDir: string;
  /** A folder like `/etc/ccp`, whose policy holds beside that one's and never in its place; null: there is none. */
  readonly policyDir: string | null;
  /** Which of a provider's keys are meant, where its file has some for profiles; null: none of those. */
  readonly profile: string | null;
  /** Hosts to which a project's file may point one of the user's keys. */
  readonly trustedHosts: readonly string[];
  /** Milliseconds after which a command of an agent's goes on as a job. */
  readonly backgroundAfterMs: number;
  /** The folder that holds `pipelines/` and `templates/`. */
  readonly packageRoot: string;
  readonly version: string;
}
