import type { Facts, Top } from "./project-top.ts";

const MANIFESTS = ["pyproject.toml", "setup.cfg", "setup.py", "tox.ini", "pytest.ini", "requirements.txt", "Pipfile"];
/** Files that speak of pytest where it is used, in the order in which they are named as the source. */
const SPEAKERS = [
  "pytest.ini",
  "pyproject.toml",
  "setup.cfg",
  "tox.ini",
  "setup.py",
  "Pipfile",
  "requirements-dev.txt",
  "dev-requirements.txt",
  "requirements_dev.txt",
  "requirements.txt",
];
const TEST_FOLDERS = ["tests", "test"];

/** A Python project: pytest where the project speaks of it, else the standard library's own runner where there are tests. */
export async function pythonFacts(top: Top): Promise<Facts> {
  const tests = await findTests(top);
  if (!MANIFESTS.some((name) => top.names.has(name)) && tests === null) return null;
  const environment = [".venv", "venv"].find((name) => top.has(`${name}/pyvenv.cfg`)) ?? null;
  const python = environment === null ? "python3" : `${environment}/bin/python`;
  const pytest = await speakerOfPytest(top, tests);
  const command = pytest !== null ? "pytest" : (tests?.unittest ?? null);
  return {
    testCommand: command === null ? null : `${python} -m ${command}`,
    testCommandSource: pytest ?? tests?.source ?? null,
    copy: [".venv", "venv"],
    setup: environment === null ? setupCommand(top) : null,
  };
}

interface Tests {
  /** What is put after `python -m`. */
  readonly unittest: string;
  /** The folder, or the file at the top, that they were found in. */
  readonly source: string;
  readonly folder: string | null;
}

async function findTests(top: Top): Promise<Tests | null> {
  for (const folder of TEST_FOLDERS) {
    const names = await top.list(folder);
    if (!names.some(isTestFile)) continue;
    // A folder that is a package imports itself by its name, so the project's top must be the top of the search too.
    const from = names.includes("__init__.py") ? `-s ${folder} -t .` : `-s ${folder}`;
    return { unittest: `unittest discover ${from}`, source: `${folder}/`, folder };
  }
  const atTop = [...top.names].sort().find(isTestFile);
  return atTop === undefined ? null : { unittest: "unittest discover", source: atTop, folder: null };
}

function isTestFile(name: string): boolean {
  return /^test.*\.py$/.test(name);
}

/** The file by which the project says that it uses pytest. */
async function speakerOfPytest(top: Top, tests: Tests | null): Promise<string | null> {
  for (const name of SPEAKERS.filter((file) => top.names.has(file))) {
    if (name === "pytest.ini" || /\bpytest\b/.test(await top.read(name))) return name;
  }
  const conftests = ["conftest.py", ...(tests?.folder ? [`${tests.folder}/conftest.py`] : [])];
  return conftests.find((path) => top.has(path)) ?? null;
}

function setupCommand(top: Top): string | null {
  if (top.names.has("uv.lock")) return "uv sync";
  if (top.names.has("poetry.lock")) return "poetry install";
  const requirements = ["requirements-dev.txt", "dev-requirements.txt", "requirements_dev.txt", "requirements.txt"];
  const file = requirements.find((name) => top.names.has(name));
  const installable = ["pyproject.toml", "setup.py"].some((name) => top.names.has(name));
  if (file === undefined && !installable) return null;
  return `python3 -m venv .venv && .venv/bin/pip install ${file === undefined ? "-e ." : `-r ${file}`}`;
}
