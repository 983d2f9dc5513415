import fc from "fast-check";
import { expect, test } from "vitest";
import { childEnvironment } from "../../src/workspace/environment.ts";

const places = { userRoot: "/home/ann/shop", worktree: "/state/worktrees/r-abc123" };
const childOf = (source: Record<string, string | undefined>) => childEnvironment(source, places);

test("what a build needs of the user's environment is passed on", () => {
  const source = {
    HOME: "/home/ann",
    LANG: "de_DE.UTF-8",
    LC_ALL: "C",
    TZ: "UTC",
    GOPATH: "/home/ann/go",
    NVM_DIR: "/n",
  };
  expect(childOf(source)).toMatchObject(source);
});

test("what is on no list does not reach a child", () => {
  const child = childOf({
    GIT_DIR: "/elsewhere/.git",
    INIT_CWD: "/home/ann/shop",
    NODE_OPTIONS: "--inspect",
    NODE_V8_COVERAGE: "/tmp/coverage",
    VITEST_WORKER_ID: "1",
    XDG_RUNTIME_DIR: "/run/user/1000",
    npm_config_registry: "https://registry.example",
    SOMETHING: "else",
    UNSET: undefined,
  });
  expect(Object.keys(child).filter((name) => /GIT_DIR|INIT|NODE|VITEST|RUNTIME|npm|SOME|UNSET/.test(name))).toEqual([]);
});

test("a name that speaks of a secret is left out, whatever its value", () => {
  const words = fc.constantFrom("TOKEN", "SECRET", "PASSWORD", "KEY", "AUTH", "CRED", "PRIVATE", "token", "api_key");
  const names = fc.tuple(fc.constantFrom("LC_", "XDG_", "", "GITHUB_"), words, fc.constantFrom("", "_HOME", "S"));
  fc.assert(
    fc.property(names, fc.string(), (parts, value) => {
      expect(childOf({ [parts.join("")]: value })).not.toHaveProperty(parts.join(""));
    }),
  );
});

test("a proxy is passed on without a password only", () => {
  const child = childOf({ HTTP_PROXY: "http://proxy:3128", HTTPS_PROXY: "http://ann:secret@proxy:3128" });
  expect(child.HTTP_PROXY).toBe("http://proxy:3128");
  expect(child).not.toHaveProperty("HTTPS_PROXY");
});

test("nothing asks, pages or paints", () => {
  const child = childOf({ TERM: "xterm-256color", CI: "false", PAGER: "less" });
  expect(child).toMatchObject({ TERM: "dumb", CI: "1", PAGER: "cat", GIT_PAGER: "cat", GIT_TERMINAL_PROMPT: "0" });
  expect(child).toMatchObject({ GIT_EDITOR: "true", NO_COLOR: "1", PIP_PROGRESS_BAR: "off" });
});

test("programs of the user's tree are taken from the worktree, whose own come first", () => {
  const path = "/home/ann/shop/env/bin:/home/ann/shop/node_modules/.bin:/home/ann/shopping/bin::/usr/bin:/usr/bin";
  expect(childOf({ PATH: path }).PATH?.split(":")).toEqual([
    "/state/worktrees/r-abc123/.venv/bin",
    "/state/worktrees/r-abc123/venv/bin",
    "/state/worktrees/r-abc123/node_modules/.bin",
    "/state/worktrees/r-abc123/env/bin",
    "/home/ann/shopping/bin",
    "/usr/bin",
  ]);
});

test("an activated virtual environment of the user's tree is that of the worktree", () => {
  expect(childOf({ VIRTUAL_ENV: "/home/ann/shop/env" }).VIRTUAL_ENV).toBe("/state/worktrees/r-abc123/env");
  expect(childOf({ VIRTUAL_ENV: "/home/ann/.envs/shop" }).VIRTUAL_ENV).toBe("/home/ann/.envs/shop");
});

test("without a PATH there is still one", () => {
  expect(childOf({}).PATH).toMatch(/:\/usr\/bin:\/bin$/);
});
