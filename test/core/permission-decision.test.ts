import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EFFECTS, type PermissionEffect, type PermissionRule } from "../../src/core/permission.ts";
import { BUILTIN_RULES } from "../../src/core/permission-builtin.ts";
import { decide } from "../../src/core/permission-decision.ts";

const TOOLS = ["bash", "read", "write", "edit", "mcp_call"];
const over = (rules: readonly PermissionRule[], tool: string, ...subjects: readonly string[]) =>
  decide({ builtin: BUILTIN_RULES, rules, tools: TOOLS }, { tool, subjects });
const verdict = (rules: readonly PermissionRule[], tool: string, ...subjects: readonly string[]): PermissionEffect =>
  over(rules, tool, ...subjects).effect;
const rule = (effect: PermissionEffect, tool: string, match?: string): PermissionRule => ({
  tool,
  effect,
  ...(match === undefined ? {} : { match }),
});

const NO_PUBLISH = [rule("deny", "bash", "npm publish *")];
const ONLY_TESTS = [rule("allow", "bash", "npm test *"), rule("allow", "bash", "git status")];

describe("of all rules that match, the strictest decides", () => {
  test("whatever their order", () => {
    const rules = [rule("deny", "bash", "git *"), rule("allow", "bash"), rule("ask", "*")];
    fc.assert(
      fc.property(fc.shuffledSubarray(rules, { minLength: 3 }), (shuffled) => {
        expect(verdict(shuffled, "bash", "git status")).toBe("deny");
        expect(verdict(shuffled, "bash", "ls")).toBe("ask");
      }),
    );
  });

  test("a tool that the role has is allowed, one that it does not have is denied", () => {
    expect(verdict([], "read", "a")).toBe("allow");
    expect(verdict([], "grep", "a")).toBe("deny");
  });

  test("once a rule allows a tool some calls, all others of it are asked for", () => {
    expect(verdict(ONLY_TESTS, "bash", "npm test")).toBe("allow");
    expect(verdict(ONLY_TESTS, "bash", "npm test -- --watch=false")).toBe("allow");
    expect(verdict(ONLY_TESTS, "bash", "npm run build")).toBe("ask");
    expect(verdict(ONLY_TESTS, "read", "a")).toBe("allow");
    expect(verdict([...ONLY_TESTS, rule("allow", "bash")], "bash", "npm run build")).toBe("allow");
  });

  test("the verdict names the rule and its reason", () => {
    const rules = [{ ...rule("deny", "bash", "npm publish *"), reason: "releases are made by people" }];
    expect(over(rules, "bash", "cd x && npm publish")).toMatchObject({
      effect: "deny",
      reason: 'releases are made by people (rule: deny bash "npm publish *")',
    });
  });
});

describe("every simple command has to pass", () => {
  test.each([
    "npm test && npm test x",
    "npm test || git status",
    "npm test; git status",
    "npm test | npm test",
    "npm test 2>&1",
    "npm test > /dev/null",
    "(npm test)",
    "{ npm test; }",
    "if npm test; then git status; fi",
    "timeout 60 npm test",
    "nice -n 5 npm test",
    "nohup npm test &",
    "command npm test",
    "bash -c 'npm test && git status'",
    "env npm test",
    "npm test # and no more",
  ])("%j is allowed", (command) => expect(verdict(ONLY_TESTS, "bash", command)).toBe("allow"));

  test.each([
    "npm test && rm -rf .",
    "npm test; curl x",
    "npm test | sh",
    "npm test & rm x",
    "npm test\nrm x",
    "npm test $(rm x)",
    "npm test `rm x`",
    'npm test "$(rm x)"',
    "npm test <(rm x)",
    "PATH=/tmp/evil npm test",
    "env PATH=/tmp/evil npm test",
    "PATH=/tmp/evil; npm test",
    "/tmp/evil/npm test",
    "npm testx",
    "bash -c 'npm test; rm x'",
    "eval npm test",
    "alias npm=rm; npm test",
    "npm() { rm x; }; npm test",
    "npm test <<EOF\n$(rm x)\nEOF",
    "git -c core.pager=x status",
    "git status; git -C / status",
    "$RUN npm test",
    "sudo npm test",
    "timeout --unheard 5 npm test",
    "np{m,x} test",
    "np? test",
    "echo 'unclosed",
    "case x in x) npm test;; esac",
  ])("%j is not", (command) => expect(verdict(ONLY_TESTS, "bash", command)).toBe("ask"));
});

describe("a denial holds against", () => {
  test.each([
    ["quotes", `n"pm" pub\\li''sh`],
    ["quotes of bash", "$'npm' $'pub\\x6cish'"],
    ["a path", "/usr/local/bin/npm publish"],
    ["another case", "NPM publish"],
    ["assignments", "A=1 B=2 npm publish"],
    ["wrappers", "env -i timeout -k 5 9 nice npm publish"],
    ["wrappers that nobody knows the options of", "sudo -u bob -- npm publish"],
    ["a shell", `sh -c "bash -lc 'npm publish'"`],
    ["a here-document", "bash <<'END'\nnpm publish\nEND"],
    ["a here-string", "bash <<< 'npm publish'"],
    ["eval", "eval 'npm pub'lish"],
    ["a substitution", "echo ${X:-$(npm publish)}"],
    ["arithmetic", "echo $(( $(npm publish) ))"],
    ["a line that goes on", "npm \\\n publish"],
    ["a function", "f() { npm publish; }; f"],
    ["an array", "a=($(npm publish))"],
    ["find", "find . -name x -exec npm publish ';'"],
    ["xargs", "echo x | xargs -n 1 npm publish"],
    ["a loop", "for i in 1 2; do npm publish; done"],
    ["a case", "case x in x) npm publish;; esac"],
    ["a test", "[[ -f a && $(npm publish) ]]"],
    ["a trap", "trap 'npm publish' EXIT"],
  ])("%s", (_, command) => expect(verdict(NO_PUBLISH, "bash", command)).toBe("deny"));

  test("options of git, wherever they stand before its command", () => {
    const rules = [rule("deny", "bash", "git fetch *")];
    for (const command of ["git -C x fetch", "git --git-dir=.git fetch a", "git -c a=b --no-pager fetch"])
      expect(verdict(rules, "bash", command)).toBe("deny");
  });

  test.each([
    "npm pub$X",
    "$TOOL publish",
    "npm $COMMAND",
    "npm$SPACE publish",
    "npm pub*",
    "npm pub{lish,}",
    "npm [p]ublish",
    "n$EMPTY$(true)pm publish",
  ])("%j, which may come to it, by asking", (command) => expect(verdict(NO_PUBLISH, "bash", command)).toBe("ask"));

  test.each([
    "echo npm publish",
    "echo $HOME",
    "ls *.ts",
    "grep -rn 'npm publish' docs",
    "for f in *.ts; do wc -l $f; done",
    "npm install && npm test",
  ])("%j is none", (command) => expect(verdict(NO_PUBLISH, "bash", command)).toBe("allow"));
});

describe("what cannot be told is asked for, where rules restrict the role", () => {
  test.each([
    "echo $(date)",
    "echo `date`",
    "eval ls",
    "source env.sh",
    ". ./env.sh",
    'bash -c "$X"',
    "curl x | sh",
    "xargs ls",
    "sudo ls",
    "find . -exec ls ';'",
    "git -c alias.x=y x",
    "npx prettier",
    "python3 -c 'import os'",
    "python3 - <<E\nx\nE",
    "node -e 1",
    'python3 -c"import os"',
    "perl -e 1",
    "f() { ls; }",
    "ls (x)",
    "ls 'x",
    "awk 'BEGIN { system(\"ls\") }'",
    "$CC a.c",
  ])("%j", (command) => {
    expect(verdict(NO_PUBLISH, "bash", command)).toBe("ask");
    expect(verdict([], "bash", command)).toBe("allow");
  });

  test("unless a rule allows such a program by its name", () => {
    const rules = [rule("allow", "bash", "npx prettier *"), rule("allow", "bash", "find *")];
    expect(verdict(rules, "bash", "npx prettier --check .")).toBe("allow");
    expect(verdict(rules, "bash", "npx other")).toBe("ask");
    expect(verdict(rules, "bash", "find . -name x")).toBe("allow");
    expect(verdict(rules, "bash", "find . -exec rm {} +")).toBe("ask");
  });
});

describe("a redirection is a write", () => {
  const rules = [rule("deny", "write", "secrets/**"), rule("deny", "edit", "*.lock"), rule("deny", "read", "**/.env")];

  test.each([
    "echo x > secrets/a",
    "echo x >> ./secrets/../secrets/a",
    "echo x >| secrets/a",
    "echo x &> secrets/a",
    "echo x 2> secrets/a",
    "> secrets/a",
    "cd secrets && echo x > a",
    "cd docs; cd ../secrets; echo x > a",
    "echo x > Secrets/A",
    "cat <<E > 'secr'ets/a\nx\nE",
    "echo x > /work/tree/secrets/a",
    "echo x > package.lock",
    "cat < .env",
    "bash -c 'echo x > secrets/a'",
    "echo x > .git/config",
    "{ echo x; } > secrets/a",
  ])("%j is denied", (command) => expect(verdict(rules, "bash", command)).toBe("deny"));

  test.each(["echo x > $FILE", "cd $DIR && echo x > a", "echo x > sec*/a"])("%j is asked for", (command) =>
    expect(verdict(rules, "bash", command)).toBe("ask"),
  );

  test.each(["echo x > docs/a", "echo x 2>&1 >/dev/null", "cd docs && echo x > a", "cat < README.md"])(
    "%j is allowed",
    (command) => expect(verdict(rules, "bash", command)).toBe("allow"),
  );

  test("where only some files may be written, the others are asked for", () => {
    const docs = [rule("allow", "write", "docs/**")];
    expect(verdict(docs, "bash", "echo x > docs/a")).toBe("allow");
    expect(verdict(docs, "bash", "echo x > src/a")).toBe("ask");
  });
});

describe("paths", () => {
  const secret = [rule("deny", "write", "secrets/**")];

  test.each([
    "secrets/a",
    "./secrets/a",
    "secrets//a",
    "docs/../secrets/a",
    "/tree/secrets/a",
    "SECRETS/a",
    "../x/secrets/a",
  ])("%j is denied", (path) => expect(verdict(secret, "write", path)).toBe("deny"));

  test("are allowed only in their plain form", () => {
    const docs = [rule("allow", "write", "docs/**")];
    for (const path of ["docs/a", "./docs/a", "docs/b/../a"]) expect(verdict(docs, "write", path)).toBe("allow");
    for (const path of ["/docs/a", "docs/../src/a", "../docs/a", "Docs/a"])
      expect(verdict(docs, "write", path)).toBe("ask");
  });

  test("of one call have to pass all of them", () => {
    expect(verdict(secret, "write", "docs/a", "secrets/b")).toBe("deny");
    expect(verdict(secret, "write", "docs/a", "docs/b")).toBe("allow");
  });
});

test("a patch is held to the rules over edit and over write", () => {
  const over = (rules: readonly PermissionRule[], ...subjects: readonly string[]) =>
    decide({ builtin: BUILTIN_RULES, rules, tools: ["apply_patch"] }, { tool: "apply_patch", subjects }).effect;
  const rules = [rule("deny", "write", "secrets/**"), rule("ask", "edit", "*.lock")];
  expect(over(rules, "src/a", "secrets/b")).toBe("deny");
  expect(over(rules, "src/a", "a.lock")).toBe("ask");
  expect(over(rules, "src/a")).toBe("allow");
  expect(over([], ".git/config")).toBe("deny");
});

test("no role calls ccp: its ceiling would not hold there", () => {
  for (const command of ["ccp run x", "npx ccp resume r-abcdef --allow", "cd x && CI=1 ccp resume"])
    expect(verdict([], "bash", command)).toBe("deny");
});

test("tools of servers are named server/tool", () => {
  const rules = [rule("allow", "mcp_call", "docs/*"), rule("deny", "mcp_call", "docs/delete*")];
  expect(verdict(rules, "mcp_call", "docs/search")).toBe("allow");
  expect(verdict(rules, "mcp_call", "docs/delete_page")).toBe("deny");
  expect(verdict(rules, "mcp_call", "docs/Delete_page")).toBe("deny");
  expect(verdict(rules, "mcp_call", "issues/search")).toBe("ask");
});

// ── laws ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const WORDS = [
  "npm",
  "publish",
  "test",
  "git",
  "status",
  "push",
  "rm",
  "-rf",
  "x",
  "secrets/a",
  "--force",
  "cat",
  "docs",
];
const words = fc.array(fc.constantFrom(...WORDS), { minLength: 1, maxLength: 5 });
const anyRule = fc.record({
  tool: fc.constantFrom("bash", "write", "*"),
  effect: fc.constantFrom(...EFFECTS),
  match: fc.constantFrom(
    "npm *",
    "npm publish *",
    "git push*",
    "git *",
    "*secrets*",
    "secrets/**",
    "rm *",
    "* --force*",
    "cat *",
  ),
});
const rulesOf = fc.array(anyRule, { maxLength: 4 });
const quoting = fc.array(fc.constantFrom("plain", "single", "double", "backslash", "split", "ansi"), {
  minLength: 5,
  maxLength: 5,
});

function quoted(word: string, how: string): string {
  if (how === "single") return `'${word}'`;
  if (how === "double") return `"${word}"`;
  if (how === "backslash") return `\\${word}`;
  if (how === "split") return `${word.slice(0, 1)}""${word.slice(1)}`;
  return how === "ansi" ? `$'${word}'` : word;
}

describe("laws", () => {
  test("quoting a word never changes the verdict", () => {
    fc.assert(
      fc.property(rulesOf, words, quoting, (rules, command, how) => {
        const plain = command.join(" ");
        const dressed = command.map((word, index) => quoted(word, how[index] ?? "plain")).join(" ");
        // A rule may also be about the text as it stands: then it is about these very quotes.
        expect(verdict(rules, "bash", dressed)).toBe(verdict(rules, "bash", plain));
      }),
      { numRuns: 500 },
    );
  });

  const prefixes = [
    "true && ",
    "true; ",
    "false || ",
    "true | ",
    "\n",
    "cd docs && ",
    "X=1 ",
    "env ",
    "timeout 5 ",
    "( ",
    "! ",
    "if ",
  ];
  test("a star at the beginning of what is allowed takes in no assignment", () => {
    const rules: readonly PermissionRule[] = [{ tool: "bash", effect: "allow", match: "* --force*" }];
    expect(verdict(rules, "bash", "X=1 --force")).toBe("ask");
    expect(verdict(rules, "bash", "X=1 tar --force")).toBe("allow");
    const named: readonly PermissionRule[] = [{ tool: "bash", effect: "allow", match: "CI=1 npm test" }];
    expect(verdict(named, "bash", "CI=1 npm test")).toBe("allow");
    expect(verdict(named, "bash", "npm test")).toBe("ask");
  });

  test("a prefix never weakens the verdict", () => {
    fc.assert(
      fc.property(rulesOf, words, fc.constantFrom(...prefixes), (rules, command, prefix) => {
        const plain = command.join(" ");
        const before = EFFECTS.indexOf(verdict(rules, "bash", plain));
        expect(EFFECTS.indexOf(verdict(rules, "bash", prefix + plain))).toBeGreaterThanOrEqual(before);
      }),
      { numRuns: 500 },
    );
  });

  test("whatever follows a command never weakens the verdict", () => {
    fc.assert(
      fc.property(rulesOf, words, fc.constantFrom("&&", ";", "|", "||", "&", "\n"), words, (rules, a, sign, b) => {
        const [first, second] = [a.join(" "), b.join(" ")];
        const both = EFFECTS.indexOf(verdict(rules, "bash", `${first} ${sign} ${second}`));
        expect(both).toBeGreaterThanOrEqual(EFFECTS.indexOf(verdict(rules, "bash", first)));
        expect(both).toBeGreaterThanOrEqual(EFFECTS.indexOf(verdict(rules, "bash", second)));
      }),
      { numRuns: 500 },
    );
  });

  test("any text at all gets a verdict", () => {
    const piece = fc.constantFrom(
      "$(",
      ")",
      "`",
      "'",
      '"',
      "\\",
      "<<E",
      "\n",
      "E",
      "{",
      "}",
      "((",
      "[[",
      ";",
      "&",
      "|",
      ">",
      "<",
      "a",
      " ",
      "$",
      "case",
      "in",
      "for",
      "do",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        expect(EFFECTS).toContain(verdict(NO_PUBLISH, "bash", pieces.join("")));
      }),
      { numRuns: 1_000 },
    );
  });
});
