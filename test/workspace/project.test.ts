import { expect, it } from "vitest";
import type { ProjectFacts } from "../../src/core/ports.ts";
import { projectFacts } from "../../src/workspace/project.ts";
import { writeFiles } from "../support/git.ts";
import { tempDir } from "../support/temp.ts";

type Case = [name: string, files: Record<string, string>, expected: Partial<ProjectFacts>];

const TESTED = '{"scripts":{"test":"vitest run"}}';
const PLACEHOLDER = '{"scripts":{"test":"echo \\"Error: no test specified\\" && exit 1"}}';
const NEEDY = '{"scripts":{"test":"jest"},"devDependencies":{"jest":"1"}}';

const CASES: readonly Case[] = [
  ["an empty directory", {}, { testCommand: null, testCommandSource: null, copy: [], setup: null }],
  ["npm", { "package.json": TESTED }, { testCommand: "npm test", testCommandSource: "package.json", setup: null }],
  ["pnpm", { "package.json": TESTED, "pnpm-lock.yaml": "" }, { testCommand: "pnpm test" }],
  ["yarn", { "package.json": TESTED, "yarn.lock": "" }, { testCommand: "yarn test" }],
  ["bun", { "package.json": TESTED, "bun.lock": "" }, { testCommand: "bun run test" }],
  [
    "packageManager",
    { "package.json": '{"packageManager":"pnpm@9.0.0","scripts":{"test":"x"}}' },
    { testCommand: "pnpm test" },
  ],
  ["npm's placeholder", { "package.json": PLACEHOLDER }, { testCommand: null, testCommandSource: null }],
  ["no scripts", { "package.json": "{}" }, { testCommand: null, copy: expect.arrayContaining(["**/node_modules"]) }],
  ["a script that is no text", { "package.json": '{"scripts":{"test":1}}' }, { testCommand: null }],
  ["a broken package.json", { "package.json": "{", Makefile: "test:\n\ttrue\n" }, { testCommand: "make test" }],
  ["a byte order mark", { "package.json": `\uFEFF${TESTED}` }, { testCommand: "npm test" }],
  ["npm, not installed, locked", { "package.json": NEEDY, "package-lock.json": "{}" }, { setup: "npm ci" }],
  ["npm, not installed, not locked", { "package.json": NEEDY }, { setup: "npm install" }],
  ["npm, installed", { "package.json": NEEDY, "node_modules/jest/x": "" }, { setup: null }],
  ["pnpm, not installed", { "package.json": NEEDY, "pnpm-lock.yaml": "" }, { setup: "pnpm install --frozen-lockfile" }],
  ["yarn 1, not installed", { "package.json": NEEDY, "yarn.lock": "" }, { setup: "yarn install --frozen-lockfile" }],
  [
    "yarn 4, not installed",
    { "package.json": NEEDY, "yarn.lock": "", ".yarnrc.yml": "" },
    { setup: "yarn install --immutable" },
  ],
  [
    "pytest in pyproject",
    { "pyproject.toml": "[tool.pytest.ini_options]\n" },
    { testCommand: "python3 -m pytest", testCommandSource: "pyproject.toml" },
  ],
  [
    "pytest as a requirement",
    { "requirements-dev.txt": "pytest==8\n", "setup.py": "" },
    { testCommand: "python3 -m pytest", testCommandSource: "requirements-dev.txt" },
  ],
  ["pytest.ini", { "pytest.ini": "" }, { testCommand: "python3 -m pytest", testCommandSource: "pytest.ini" }],
  [
    "setup.cfg",
    { "setup.cfg": "[tool:pytest]\n" },
    { testCommand: "python3 -m pytest", testCommandSource: "setup.cfg" },
  ],
  [
    "tox",
    { "tox.ini": "commands = pytest {posargs}\n" },
    { testCommand: "python3 -m pytest", testCommandSource: "tox.ini" },
  ],
  [
    "conftest",
    { "tests/conftest.py": "", "tests/test_a.py": "" },
    { testCommand: "python3 -m pytest", testCommandSource: "tests/conftest.py" },
  ],
  [
    "pytest in a virtual environment",
    { "pytest.ini": "", ".venv/pyvenv.cfg": "" },
    { testCommand: ".venv/bin/python -m pytest", setup: null },
  ],
  [
    "venv",
    { "pytest.ini": "", "venv/pyvenv.cfg": "" },
    { testCommand: "venv/bin/python -m pytest", copy: [".venv", "venv"] },
  ],
  [
    "unittest in a folder",
    { "tests/test_a.py": "" },
    { testCommand: "python3 -m unittest discover -s tests", testCommandSource: "tests/" },
  ],
  [
    "unittest in a package",
    { "tests/__init__.py": "", "tests/test_a.py": "" },
    { testCommand: "python3 -m unittest discover -s tests -t ." },
  ],
  [
    "unittest at the top",
    { "test_a.py": "", "setup.py": "" },
    { testCommand: "python3 -m unittest discover", testCommandSource: "test_a.py" },
  ],
  ["Python without tests", { "pyproject.toml": "[project]\n" }, { testCommand: null, testCommandSource: null }],
  [
    "requirements, not installed",
    { "requirements.txt": "x\n", "tests/test_a.py": "" },
    { setup: "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt" },
  ],
  ["uv, not installed", { "pyproject.toml": "", "uv.lock": "" }, { setup: "uv sync" }],
  [
    "make",
    { Makefile: ".PHONY: test\ntest: build\n\t./run\n" },
    { testCommand: "make test", testCommandSource: "Makefile" },
  ],
  ["a variable called test", { Makefile: "test := 1\ntests:\n\ttrue\n" }, { testCommand: null }],
  ["make with another target", { Makefile: "test-all:\n\ttrue\n" }, { testCommand: null }],
  ["cargo", { "Cargo.toml": "" }, { testCommand: "cargo test", testCommandSource: "Cargo.toml" }],
  ["go", { "go.mod": "" }, { testCommand: "go test ./...", testCommandSource: "go.mod" }],
  ["bundler", { Gemfile: "" }, { testCommand: null, copy: ["vendor/bundle", ".bundle"] }],
  ["composer", { "composer.json": "{}" }, { copy: ["vendor"] }],
  [
    "several: the first with tests names the command, all say what they need",
    { "package.json": PLACEHOLDER, "pytest.ini": "", "go.mod": "" },
    { testCommand: "python3 -m pytest", copy: expect.arrayContaining(["**/node_modules", ".venv"]) },
  ],
];

it.each(CASES)("%s", async (_name, files, expected) => {
  const root = tempDir();
  writeFiles(root, files);
  expect(await projectFacts(root)).toMatchObject(expected);
});
