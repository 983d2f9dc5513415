import { spawnSync } from "node:child_process";
import type { Task } from "./task.ts";

const SUM: Task = {
  name: "javascript: one line",
  words: "sum must add.",
  before: {
    "sum.mjs": "/** Adds. */\nexport function sum(a, b) {\n  return a - b;\n}\n",
    "check.mjs": 'import assert from "node:assert";\nimport { sum } from "./sum.mjs";\nassert.equal(sum(2, 3), 5);\n',
  },
  solution: { "sum.mjs": "/** Adds. */\nexport function sum(a, b) {\n  return a + b;\n}\n" },
  check: "node check.mjs",
};

const CART: Task = {
  name: "javascript: three files, one of them new",
  words: "Totals must count quantities and be shown in euros by a function of its own, in src/format.mjs.",
  before: {
    "src/cart.mjs":
      'import { price } from "./price.mjs";\n\nexport function total(items) {\n  return items.reduce((sum, item) => sum + price(item), 0);\n}\n',
    "src/price.mjs":
      "const PRICES = { tea: 350, cake: 425 };\n\nexport function price(item) {\n  return PRICES[item.name];\n}\n",
    "check.mjs": [
      'import assert from "node:assert";',
      'import { total } from "./src/cart.mjs";',
      'import { euros } from "./src/format.mjs";',
      'const items = [{ name: "tea", quantity: 2 }, { name: "cake", quantity: 1 }];',
      "assert.equal(total(items), 1125);",
      'assert.equal(euros(total(items)), "€11.25");',
      'assert.throws(() => total([{ name: "gold", quantity: 1 }]), /gold/);',
      "",
    ].join("\n"),
  },
  solution: {
    "src/cart.mjs":
      'import { price } from "./price.mjs";\n\nexport function total(items) {\n  return items.reduce((sum, item) => sum + price(item) * item.quantity, 0);\n}\n',
    "src/price.mjs":
      "const PRICES = { tea: 350, cake: 425 };\n\nexport function price(item) {\n  const cents = PRICES[item.name];\n  if (cents === undefined) throw new Error(`no price for ${item.name}`);\n  return cents;\n}\n",
    "src/format.mjs": "export function euros(cents) {\n  return `€${(cents / 100).toFixed(2)}`;\n}\n",
  },
  check: "node check.mjs",
};

const MONOREPO: Task = {
  name: "javascript: a monorepo",
  words: "The date that the app greets with is a day late. The fault is in the dates package; the app's test shows it.",
  before: {
    "package.json": '{ "name": "root", "private": true, "workspaces": ["packages/*"] }\n',
    "packages/dates/package.json": '{ "name": "dates", "type": "module", "exports": "./index.js" }\n',
    "packages/dates/index.js":
      "const DAY = 86_400_000;\n\nexport function daysAfter(date, days) {\n  return new Date(date.getTime() + (days + 1) * DAY);\n}\n",
    "packages/app/package.json": '{ "name": "app", "type": "module" }\n',
    "packages/app/greet.js":
      'import { daysAfter } from "../dates/index.js";\n\nexport function greet(today) {\n  return `See you on ${daysAfter(today, 1).toISOString().slice(0, 10)}`;\n}\n',
    "packages/app/greet.test.js": [
      'import assert from "node:assert";',
      'import { test } from "node:test";',
      'import { greet } from "./greet.js";',
      'test("greets", () => assert.equal(greet(new Date("2026-02-28T12:00:00Z")), "See you on 2026-03-01!"));',
      "",
    ].join("\n"),
  },
  solution: {
    "packages/dates/index.js":
      "const DAY = 86_400_000;\n\nexport function daysAfter(date, days) {\n  return new Date(date.getTime() + days * DAY);\n}\n",
    "packages/app/greet.js":
      'import { daysAfter } from "../dates/index.js";\n\nexport function greet(today) {\n  return `See you on ${daysAfter(today, 1).toISOString().slice(0, 10)}!`;\n}\n',
  },
  check: "node --test packages/app/greet.test.js",
};

/** Line ends, a mark at the beginning, letters of several bytes, text that looks like a pattern, no final line end. */
const AWKWARD: Task = {
  name: "javascript: an awkward file",
  words: "The label must be in upper case, and the price stays as it is.",
  before: {
    "label.mjs":
      "\uFEFFexport const price = '$&10 $1';\r\nexport const label = (word) => `→ ${word}`;\r\n// Grüße, 日本 🎉",
    "check.mjs": [
      'import assert from "node:assert";',
      'import { readFileSync } from "node:fs";',
      'import { label, price } from "./label.mjs";',
      'assert.equal(label("ab"), "→ AB");',
      'assert.equal(price, "$&10 $1");',
      'const text = readFileSync("label.mjs", "utf8");',
      'assert.ok(text.startsWith("\\uFEFF") && text.split("\\r\\n").length === 3 && text.endsWith("🎉"));',
      "",
    ].join("\n"),
  },
  solution: {
    "label.mjs":
      "\uFEFFexport const price = '$&10 $1';\r\nexport const label = (word) => `→ ${word.toUpperCase()}`;\r\n// Grüße, 日本 🎉",
  },
  check: "node check.mjs",
};

const SLUG: Task = {
  name: "python: two files",
  words: "Slugs must have no double hyphens, and titles must be cut at a word.",
  before: {
    "slug.py": "import re\n\n\ndef slug(title):\n    return re.sub(r'[^a-z0-9]', '-', title.lower())\n",
    "cut.py": "def cut(title, longest):\n    return title[:longest]\n",
    "test_titles.py": [
      "import unittest",
      "",
      "from cut import cut",
      "from slug import slug",
      "",
      "",
      "class Titles(unittest.TestCase):",
      "    def test_slug(self):",
      "        self.assertEqual(slug('Hello,  World!'), 'hello-world')",
      "",
      "    def test_cut(self):",
      "        self.assertEqual(cut('one two three', 9), 'one two')",
      "        self.assertEqual(cut('one', 9), 'one')",
      "",
    ].join("\n"),
  },
  solution: {
    "slug.py": "import re\n\n\ndef slug(title):\n    return re.sub(r'[^a-z0-9]+', '-', title.lower()).strip('-')\n",
    "cut.py":
      "def cut(title, longest):\n    if len(title) <= longest:\n        return title\n    return title[: longest + 1].rpartition(' ')[0] or title[:longest]\n",
  },
  check: "python3 -m unittest -q test_titles",
};

/** The project's own tasks: those in Python only where there is one. */
export const OWN_TASKS: readonly Task[] = [
  SUM,
  CART,
  MONOREPO,
  AWKWARD,
  ...(spawnSync("python3", ["--version"]).status === 0 ? [SLUG] : []),
];
