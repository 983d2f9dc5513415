import { describe, expect, test } from "vitest";
import { complaints } from "./context.ts";

describe("a file that is no YAML is refused in words of its own", () => {
  test.each<[string, string, readonly string[]]>([
    ["an empty file", "", ["p.yaml:1:1  the file is empty"]],
    ["a file of comments", "# later\n", ["p.yaml:1:1  the file is empty"]],
    ["a tab", "pipeline:\n\t- role: doer\n", ["p.yaml:2:1  a tab cannot indent YAML | use spaces"]],
    [
      "a colon in a command",
      "pipeline:\n  - run: echo a: b\n",
      [
        `p.yaml:2:10  ": " inside a value begins a new key | put the value in quotes, or on a line of its own after "|"`,
      ],
    ],
    [
      "wrong indentation of a list",
      "pipeline:\n  - role: doer\n - role: reviewer\n",
      ["p.yaml:3:1  this line is not indented like the lines it belongs to"],
    ],
    ["an open bracket", "pipeline: [\nname: x\n", ["p.yaml:2:1  this [ is not closed"]],
    ["an open brace", "budget: {usd: 1\npipeline: []\n", ["p.yaml:2:1  this { is not closed"]],
    ["an open quote", 'name: "x\n', ["p.yaml:2:1  a closing quote is missing"]],
    [
      "a key without a colon",
      "name\npipeline: []\n",
      ['p.yaml:1:1  there is no ":" on this line | a key is written "key: value", an item of a list "- value"'],
    ],
    ["a reserved character", "name: @x\n", ['p.yaml:1:7  a value cannot begin with "@" | put it in quotes']],
    [
      "an unknown escape",
      'name: "a\\q"\n',
      ["p.yaml:1:9  this escape means nothing between double quotes | use single quotes, or double the backslash"],
    ],
    [
      "two documents",
      "pipeline: []\n---\nname: x\n",
      ['p.yaml:2:1  a second document begins here | one file holds one; remove the "---"'],
    ],
    ["a key that is a list", "? [a]\n: 1\n", ["p.yaml:1:3  a key must be plain text"]],
    [
      "a tag",
      "name: !js x\n",
      ['p.yaml:1:7  the tag "!js" has no meaning here | remove it, or put the value in quotes'],
    ],
    ["another YAML", "%YAML 1.1\n---\nname: x\n", ['p.yaml:1:1  only YAML 1.2 is read | remove the "%YAML" line']],
    ["an unknown alias", "name: *x\n", ['p.yaml:1:7  "*x" stands for nothing: there is no "&x" before it']],
    ["an alias of itself", "name: &x [*x]\n", ['p.yaml:1:11  "*x" stands for something that contains it']],
    ["an alias bomb", bomb(), ['p.yaml:1:1  too much is repeated with "*"']],
    ["thousands of brackets", "[".repeat(20_000), ["p.yaml:1:1  the file is nested too deeply"]],
    ["a file of megabytes", `# ${"x".repeat(10_000_001)}`, ["p.yaml:1:1  the file is larger than 10000000 characters"]],
    [
      "several slips on several lines",
      "name: @x\ndescription: `y`\n",
      [
        'p.yaml:1:7  a value cannot begin with "@" | put it in quotes',
        'p.yaml:2:14  a value cannot begin with "`" | put it in quotes',
      ],
    ],
  ])("%s", (_, text, expected) => {
    const found = complaints(text);
    // Where the parser's stack ends depends on the machine.
    expect(text.startsWith("[[") ? found.map((line) => line.replace(/:1:\d+/, ":1:1")) : found).toEqual(expected);
  });

  test("a key that is given twice is told together with what else is wrong", () => {
    expect(complaints("name: a\nname: b\npipeline:\n  - rule: doer\n")).toEqual([
      'p.yaml:2:1  "name" is given twice | keep one of the two',
      'p.yaml:4:5  unknown key "rule" | did you mean "role"?',
    ]);
  });

  test("anchors and aliases in measure are read", () => {
    expect(complaints("pipeline:\n  - run: &c npm test\n  - run: *c\n")).toEqual([]);
  });

  test("what is wrong in a repeated part is told where it is written", () => {
    const text = "pipeline:\n  - &s { run: ls, timeout: soon }\n  - *s\n";
    expect(complaints(text)).toEqual([
      'p.yaml:2:28  "timeout" must be a time such as "90s", "10m" or "1h", found "soon"',
    ]);
  });
});

function bomb(): string {
  const lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"];
  for (const [name, inner] of ["ba", "cb", "dc"]) lines.push(`${name}: &${name} [${`*${inner}, `.repeat(12)}x]`);
  return lines.join("\n");
}
