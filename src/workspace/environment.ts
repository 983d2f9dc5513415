/** Where a path of the user's environment must lead for a command of a run. */
export interface EnvironmentPlaces {
  /** The user's working tree. */
  readonly userRoot: string;
  readonly worktree: string;
}

/**
 * The environment of every command of a run: what a build needs of the user's, by name, and answers to every question
 * that a program could ask a person. What a name says may be secret is left out whatever list it is on; `npm_*`,
 * `GIT_*`, `NODE_OPTIONS` and the like, which would speak of ccp's own process, are on none.
 */
export function childEnvironment(
  source: Readonly<Record<string, string | undefined>>,
  places: EnvironmentPlaces,
): Record<string, string> {
  const allowed = Object.entries(source).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && isAllowed(entry[0], entry[1]),
  );
  const mapped = allowed.map(([name, value]) => [name, PATHS.has(name) ? intoWorktree(value, places) : value] as const);
  return {
    ...Object.fromEntries(mapped),
    ...UNATTENDED,
    PATH: searchPath(source.PATH ?? DEFAULT_PATH, places),
  };
}

const DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin";

/**
 * Nobody is there to answer, to page or to see colours. The optional lock would make `git status` race with snapshots.
 * Python takes compiled code for current when its source has the same size and the same second: without any, a check
 * that follows an edit at once judges the edit.
 */
const UNATTENDED: Readonly<Record<string, string>> = {
  CI: "1",
  TERM: "dumb",
  NO_COLOR: "1",
  PAGER: "cat",
  GIT_PAGER: "cat",
  EDITOR: "true",
  GIT_EDITOR: "true",
  GIT_TERMINAL_PROMPT: "0",
  GIT_OPTIONAL_LOCKS: "0",
  DEBIAN_FRONTEND: "noninteractive",
  PYTHONDONTWRITEBYTECODE: "1",
  PIP_NO_INPUT: "1",
  PIP_PROGRESS_BAR: "off",
  PIP_DISABLE_PIP_VERSION_CHECK: "1",
};

const SECRET_NAME = /TOKEN|SECRET|PASSW|KEY|AUTH|CRED|PRIVATE/i;
/** `http://user:password@proxy`. */
const URL_WITH_CREDENTIALS = /:\/\/[^/\s]*@/;

/** `XDG_RUNTIME_DIR` is not among them: it leads to the sockets of key rings and desktops. */
const ALLOWED = new Set(
  [
    "HOME USER LOGNAME SHELL LANG LANGUAGE TZ TMPDIR TEMP TMP",
    "XDG_CACHE_HOME XDG_CONFIG_HOME XDG_DATA_HOME XDG_STATE_HOME XDG_BIN_HOME XDG_DATA_DIRS XDG_CONFIG_DIRS",
    "VIRTUAL_ENV PYENV_ROOT PYENV_VERSION CONDA_PREFIX CONDA_DEFAULT_ENV PIP_CACHE_DIR UV_CACHE_DIR UV_PYTHON_INSTALL_DIR",
    "NVM_DIR NVM_BIN FNM_DIR VOLTA_HOME PNPM_HOME COREPACK_HOME YARN_CACHE_FOLDER BUN_INSTALL DENO_DIR",
    "JAVA_HOME MAVEN_HOME M2_HOME GRADLE_HOME GRADLE_USER_HOME SDKMAN_DIR ANDROID_HOME ANDROID_SDK_ROOT KOTLIN_HOME",
    "GOPATH GOROOT GOBIN GOCACHE GOMODCACHE GOPROXY GOFLAGS GOTOOLCHAIN CARGO_HOME RUSTUP_HOME RUSTUP_TOOLCHAIN",
    "GEM_HOME GEM_PATH RBENV_ROOT DOTNET_ROOT ASDF_DIR ASDF_DATA_DIR MISE_DATA_DIR HOMEBREW_PREFIX NIX_PATH",
    "CC CXX LD_LIBRARY_PATH DYLD_LIBRARY_PATH PKG_CONFIG_PATH SSL_CERT_FILE SSL_CERT_DIR NIX_SSL_CERT_FILE",
    "NODE_EXTRA_CA_CERTS REQUESTS_CA_BUNDLE HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy",
  ].flatMap((line) => line.split(" ")),
);

/** Variables that name a place which may lie in the user's tree. */
const PATHS = new Set(["VIRTUAL_ENV", "GOPATH", "GOBIN", "CARGO_HOME", "GEM_HOME"]);

function isAllowed(name: string, value: string): boolean {
  if (SECRET_NAME.test(name) || URL_WITH_CREDENTIALS.test(value)) return false;
  return ALLOWED.has(name) || /^LC_[A-Z]+$/.test(name);
}

/** Where the worktree's own programs are: before all others, whether they are there yet or a set-up will bring them. */
const OWN_PROGRAMS = [".venv/bin", "venv/bin", "node_modules/.bin"];

/** An entry inside the user's tree (an activated virtual environment, say) becomes the same place in the worktree. */
function searchPath(path: string, places: EnvironmentPlaces): string {
  const own = OWN_PROGRAMS.map((directory) => `${places.worktree}/${directory}`);
  const entries = [...own, ...path.split(":").map((entry) => intoWorktree(entry, places))];
  return [...new Set(entries.filter((entry) => entry !== ""))].join(":");
}

function intoWorktree(path: string, places: EnvironmentPlaces): string {
  const isInside = path === places.userRoot || path.startsWith(`${places.userRoot}/`);
  return isInside ? places.worktree + path.slice(places.userRoot.length) : path;
}
