import type { Facts, Top } from "./project-top.ts";

interface PackageJson {
  readonly scripts?: Readonly<Record<string, unknown>>;
  readonly packageManager?: unknown;
  readonly dependencies?: object;
  readonly devDependencies?: object;
}

interface PackageTool {
  readonly name: string;
  readonly lockFiles: readonly string[];
  readonly test: string;
  readonly install: string;
  /** With a lock file: exactly what it says. */
  readonly installLocked: string;
}

const TOOLS: readonly PackageTool[] = [
  tool("pnpm", ["pnpm-lock.yaml"], "pnpm test", "pnpm install", "pnpm install --frozen-lockfile"),
  tool("yarn", ["yarn.lock"], "yarn test", "yarn install", "yarn install --immutable"),
  tool("bun", ["bun.lock", "bun.lockb"], "bun run test", "bun install", "bun install --frozen-lockfile"),
  tool("npm", ["package-lock.json", "npm-shrinkwrap.json"], "npm test", "npm install", "npm ci"),
];

/** Dependencies, those of workspaces too, and what Yarn has in their place. */
const COPY = ["**/node_modules", ".pnp.cjs", ".pnp.loader.mjs", ".yarn/cache", ".yarn/unplugged"];

/** A project with a package.json: its own test script, run by the tool whose lock file is there. */
export async function nodeFacts(top: Top): Promise<Facts> {
  if (!top.names.has("package.json")) return null;
  const manifest = parse(await top.read("package.json"));
  const tool = packageTool(top, manifest);
  const script = manifest.scripts?.test;
  const isTested = typeof script === "string" && script.trim() !== "" && !isPlaceholder(script);
  return {
    testCommand: isTested ? tool.test : null,
    testCommandSource: isTested ? "package.json" : null,
    copy: COPY,
    setup: isInstalled(top, manifest) ? null : installCommand(top, tool),
  };
}

/** `npm init` writes: echo "Error: no test specified" && exit 1 */
function isPlaceholder(script: string): boolean {
  return script.includes("no test specified");
}

function packageTool(top: Top, manifest: PackageJson): PackageTool {
  const named = typeof manifest.packageManager === "string" ? manifest.packageManager.split("@")[0] : undefined;
  return (
    TOOLS.find(({ lockFiles }) => lockFiles.some((file) => top.names.has(file))) ??
    TOOLS.find(({ name }) => name === named) ??
    (TOOLS.at(-1) as PackageTool)
  );
}

function isInstalled(top: Top, manifest: PackageJson): boolean {
  const needed = { ...manifest.dependencies, ...manifest.devDependencies };
  return Object.keys(needed).length === 0 || top.has("node_modules") || top.has(".pnp.cjs");
}

function installCommand(top: Top, { name, lockFiles, install, installLocked }: PackageTool): string {
  if (!lockFiles.some((file) => top.names.has(file))) return install;
  // Yarn 1 has no such file and another flag.
  return name === "yarn" && !top.names.has(".yarnrc.yml") ? "yarn install --frozen-lockfile" : installLocked;
}

function parse(text: string): PackageJson {
  try {
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ""));
    return value !== null && typeof value === "object" ? value : {};
  } catch {
    return {};
  }
}

function tool(
  name: string,
  lockFiles: readonly string[],
  test: string,
  install: string,
  installLocked: string,
): PackageTool {
  return { name, lockFiles, test, install, installLocked };
}
