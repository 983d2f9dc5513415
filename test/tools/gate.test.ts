import { describe, expect, test } from "vitest";
import type { PermissionRule } from "../../src/core/permission.ts";
import { shellParts } from "../../src/core/shell-parts.ts";
import { createTools } from "../../src/tools/tools.ts";
import { EVERYTHING } from "../support/tool-bench.ts";

const tools = createTools();
const check = (name: string, args: unknown, permissions: readonly PermissionRule[] = [], granted = EVERYTHING.tools) =>
  tools.check(
    { kind: "tool_call", id: "call-1", name, rawArguments: JSON.stringify(args) },
    { ...EVERYTHING, tools: granted, permissions },
  );
const bash = (command: string, permissions: readonly PermissionRule[] = []) => check("bash", { command }, permissions);

describe("git's history is not an agent's to change", () => {
  test.each([
    "git commit",
    "git commit -m 'x'",
    "git push origin main",
    "git checkout -- a.txt",
    "git reset --hard",
    "git stash",
    "git clean -fd",
    "git rebase main",
    "git merge main",
    "git switch main",
    "git worktree add ../x",
    "git branch -D main",
    "git tag v1",
    "git config user.name x",
    "npm test && git commit -am x",
    "npm test; git push",
    "npm test | git commit -F -",
    "npm test & git push",
    "npm test\ngit push",
    "echo $(git push)",
    'echo "the $(git push) of it"',
    "echo `git push`",
    'echo "`git push`"',
    "cat <(git stash list)",
    "(cd sub && git push)",
    "( git push )",
    "{ git push; }",
    "deploy() { git push; }; deploy",
    "if true; then git push; fi",
    "for x in 1; do git push; done",
    "! git push",
    "X=1 git push",
    "env X=1 git push",
    "env -i -u HOME git push",
    "sudo git push",
    "sudo -u bob git push",
    "nohup git push &",
    "timeout 5 git push",
    "xargs -I {} git push {}",
    "find . -name x -exec git reset {} +",
    "command git push",
    "exec git push",
    "/usr/bin/git push",
    "\\git push",
    "'git' \"push\"",
    "g''it pu''sh",
    "git -C sub push",
    "git -c user.name=x --no-pager commit -m x",
    "git --git-dir=.git push",
    "bash -c 'git push'",
    'sh -c "cd x; git push"',
    "bash -lc 'bash -c \"git push\"'",
    "eval git push",
    "eval 'git push'",
    "echo done # fine\ngit push",
    "cat > note <<EOF\ntext\nEOF\ngit push",
    "bash <<'EOF'\ngit push\nEOF",
    "cat <<EOF\n$(git push)\nEOF",
    "git push > /dev/null 2>&1",
    "2>/dev/null git push",
    "> log git push",
    "true &> log; git push",
    "echo 'unclosed\n; git push' && git push",
  ])("%j is denied", (command) => {
    const outcome = bash(command);
    expect(outcome).toMatchObject({ type: "denied", text: expect.stringContaining("the history belong to the run") });
  });

  test.each([
    "git status",
    "git diff HEAD",
    "git log --oneline -5",
    "git show HEAD:src/a.ts",
    "git branch",
    "git branch --list",
    "git commit-tree --help",
    "git add -N src/a.ts",
    "echo git commit",
    "grep -rn 'git push' .",
    "timeout 9 grep -rn 'git push' docs",
    'echo "; git push"',
    "echo 'a\ngit push\nb'",
    "npm run commit # git push",
    "cat > README.md <<'EOF'\ngit commit -m x\ngit push\nEOF",
    "cat > README.md <<-EOF\n\tgit push\n\tEOF\nnpm test",
    "python3 - <<EOF\nprint('git push')\nEOF",
    "npm test 2>&1 | tail -5",
    "echo $((1 + 2)) && ls",
    "cat <<< 'git push'",
  ])("%j is not", (command) => {
    expect(bash(command)).toMatchObject({ type: "ready" });
  });

  test("a long and broken script is read to its end without harm", () => {
    const broken = [
      "$(",
      "`",
      "${",
      "<(",
      "(",
      "[",
      "{",
      "{a,",
      '"$',
      "\\",
      "<<E\n",
      "'",
      '"',
      "))",
      "# ",
      "bash -c ",
      "xargs rm ",
    ];
    for (const piece of broken) expect(Array.isArray(shellParts(piece.repeat(20_000)))).toBe(true);
    expect(shellParts("a\n".repeat(50_000))).toHaveLength(1);
    expect(bash("echo a b; ".repeat(9_000))).toMatchObject({ type: "ready" });
  });
});

describe("rules of the role", () => {
  const deny = (tool: string, match?: string, reason?: string): PermissionRule => ({
    tool,
    effect: "deny",
    ...(match === undefined ? {} : { match }),
    ...(reason === undefined ? {} : { reason }),
  });

  test("are matched against the whole command and against each one in it", () => {
    expect(bash("cd x && rm -rf y", [deny("bash", "rm *", "nothing is removed here")])).toEqual({
      type: "denied",
      subject: "cd x && rm -rf y",
      text: expect.stringContaining('nothing is removed here (rule: deny bash "rm *")'),
    });
    expect(bash("curl x | sh", [deny("bash", "*| sh*")])).toMatchObject({ type: "denied" });
    expect(bash("ls", [deny("bash", "rm *")])).toMatchObject({ type: "ready" });
  });

  test.each(["secrets/a", "./secrets/a", "secrets//a", "secrets/./b/c", "/state/r-1/secrets/a"])(
    "a denied path is denied as %j",
    (path) => {
      const rules = [deny("write", "secrets/**")];
      expect(check("write", { path, content: "" }, rules)).toMatchObject({ type: "denied" });
      expect(check("read", { path }, rules)).toMatchObject({ type: "ready" });
    },
  );

  test("that ask are denials where nobody is there to be asked", () => {
    const outcome = bash("npm publish", [{ tool: "bash", match: "npm publish*", effect: "ask" }]);
    expect(outcome).toMatchObject({
      type: "denied",
      text: expect.stringContaining(
        'the rule ask bash "npm publish*". A person would have to agree, and nobody is here',
      ),
    });
  });

  test("cannot allow what every role is denied", () => {
    expect(bash("git push", [{ tool: "bash", match: "git push", effect: "allow" }])).toMatchObject({ type: "denied" });
  });

  test("that deny a tool outright hide it", () => {
    const names = (permissions: readonly PermissionRule[]) =>
      tools.specs({ ...EVERYTHING, permissions }).map(({ name }) => name);
    expect(names([deny("bash")])).not.toContain("bash");
    expect(names([deny("bash", "rm *")])).toContain("bash");
    expect(names([deny("*")])).toEqual(["finish"]);
  });
});

test.each([".git/config", "./.git/hooks/pre-commit", ".git", "sub/.git/config", "/state/r-1/.git/config"])(
  "%s is not written or edited",
  (path) => {
    const edits = [{ old: "a", new: "b" }];
    for (const outcome of [check("write", { path, content: "" }), check("edit", { path, edits })])
      expect(outcome).toMatchObject({ type: "denied", text: expect.stringContaining(".git is not part of the work") });
  },
);

test("a tool of a server is known to rules as server/tool, its schema too", () => {
  const rules: readonly PermissionRule[] = [
    { tool: "mcp_call", match: "docs/delete*", effect: "deny" },
    { tool: "mcp_schema", match: "secret/*", effect: "deny" },
  ];
  const call = (tool: string) => check("mcp_call", { tool, arguments: {} }, rules);
  expect(call("docs/search")).toMatchObject({ type: "ready" });
  expect(call("docs/delete_page")).toMatchObject({ type: "denied" });
  expect(check("mcp_schema", { tools: ["docs/search"] }, rules)).toMatchObject({ type: "ready" });
  expect(check("mcp_schema", { tools: ["docs/search", "secret/a"] }, rules)).toMatchObject({ type: "denied" });
});

test("what only a person could allow says what would be done then", () => {
  const rules: readonly PermissionRule[] = [{ tool: "bash", match: "rm *", effect: "ask" }];
  const outcome = bash("rm x", rules);
  expect(outcome).toMatchObject({
    type: "denied",
    asks: {
      ready: { type: "ready", tool: "bash", arguments: { command: "rm x" } },
      reason: 'the rule ask bash "rm *"',
    },
  });
  expect(bash("rm x", [{ tool: "bash", match: "rm *", effect: "deny" }])).not.toHaveProperty("asks");
});

test("a tool that the role does not have is denied, whatever its arguments", () => {
  expect(check("bash", { wrong: 1 }, [], ["read", "finish"])).toEqual({
    type: "denied",
    subject: "",
    text: expect.stringContaining('Denied: bash was not run: this role has no tool "bash".'),
  });
});

test("finish is open to every role: without it no step could end", () => {
  const done = { status: "done", summary: "s", evidence: [], confidence: 1 };
  expect(check("finish", done, [{ tool: "*", effect: "deny" }], ["read"])).toMatchObject({ type: "ready" });
  expect(tools.specs({ ...EVERYTHING, tools: ["read"] }).map(({ name }) => name)).toEqual(["read", "finish"]);
});
