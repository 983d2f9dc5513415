import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { NANOS_PER_USD } from "../../src/core/money.ts";
import { BUILT_IN_LANES } from "../../src/providers/built-in-lanes.ts";
import { providersOrThrow } from "../../src/providers/lanes.ts";
import { factsOf } from "../../src/providers/model-facts.ts";
import { loadPriceBook } from "../../src/providers/prices.ts";
import { defaultRoutes } from "../../src/providers/routes.ts";
import { ROOT } from "../support/cli.ts";
import { codeIn, PAGES, page, rowsIn } from "./pages.ts";

describe("a page leads to what is there", () => {
  test.each(PAGES)("$path: its links", ({ path, text }) => {
    const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? "");
    const broken = targets.filter((target) => !/^https?:/.test(target) && !leadsSomewhere(path, target));
    expect(broken).toEqual([]);
  });

  test.each(PAGES)("$path: the files of ours that it names", ({ text }) => {
    const named = codeIn(text).filter((code) => /^[a-z][\w-]*(\/[\w.-]+)+\.(ts|yaml|md|json)$/.test(code));
    const ours = named.filter((path) => !path.startsWith("results/"));
    expect(ours.filter((path) => !existsSync(join(ROOT, path)) && !existsSync(join(ROOT, "src", path)))).toEqual([]);
  });
});

describe("README.md", () => {
  test("is one screen and has its two commands", () => {
    const lines = page("README.md").split("\n");
    expect(lines.length).toBeLessThanOrEqual(60);
    expect(lines).toContain("    npm ci && npm run demo");
    expect(lines).toContain("    npm ci && npm test");
  });
});

describe("docs/architecture.md", () => {
  test("is short, and names every event and no other", () => {
    const text = page("docs/architecture.md");
    const source = readFileSync(join(ROOT, "src/core/event.ts"), "utf8");
    const types = [...source.matchAll(/type: "([a-z]+\.[a-z]+)"/g)].map((match) => match[1] ?? "");
    const facts = types.filter((type) => !type.startsWith("delta."));
    const tree = /^```\n(run\.created[\s\S]*?)^```$/m.exec(text)?.[1] ?? "";
    expect([...new Set(tree.match(/\b[a-z]+\.[a-z]+\b/g))].filter((word) => word !== "diff.patch").sort()).toEqual(
      [...new Set(facts)].sort(),
    );
    expect(text.split("\n").length).toBeLessThanOrEqual(150);
  });

  test("names every room and every package that is at home in one", () => {
    const rooms = readdirSync(join(ROOT, "src"), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const rows = rowsIn(page("docs/architecture.md")).map(([first]) => first);
    expect(rooms.map(({ name }) => `\`${name}\``).filter((room) => !rows.includes(room))).toEqual([]);
  });
});

describe("docs/agent.md", () => {
  test("names every way to fail", () => {
    const source = readFileSync(join(ROOT, "src/core/failure.ts"), "utf8");
    const classes = [...source.matchAll(/^ {2}\| "([a-z-]+)"/gm)].map((match) => match[1] ?? "");
    const named = codeIn(page("docs/agent.md"));
    expect(classes.length).toBeGreaterThan(20);
    expect(classes.filter((failure) => !named.includes(failure))).toEqual([]);
  });
});

describe("docs/models-and-keys.md", () => {
  const text = page("docs/models-and-keys.md");

  test("names every variable that is read", () => {
    const cli = readdirSync(join(ROOT, "src/cli")).map((file) => readFileSync(join(ROOT, "src/cli", file), "utf8"));
    const read = cli.flatMap((source) =>
      [...source.matchAll(/\benvironment\.([A-Z_]+)/g)].map((match) => match[1] ?? ""),
    );
    const ofLanes = BUILT_IN_LANES.flatMap(({ baseUrlEnv, keys }) => [baseUrlEnv, ...keys.map(({ name }) => name)]);
    expect(read).toContain("CCP_STATE_DIR");
    expect([...new Set([...read, ...ofLanes])].filter((name) => !codeIn(text).includes(name))).toEqual([]);
  });

  test("has the default models in their order, at the prices of the list", async () => {
    const environment = Object.fromEntries(BUILT_IN_LANES.flatMap(({ keys }) => keys.map(({ name }) => [name, "key"])));
    const { lanes } = await providersOrThrow({ environment, user: null, project: null, trustedHosts: [] });
    const [routes, book] = [defaultRoutes(lanes), await loadPriceBook()];
    const place = (route: readonly string[], model: string) =>
      route.includes(model) ? `${route.indexOf(model) + 1}` : "";
    const expected = [...new Set([...routes.doer, ...routes.reviewer])].map((name) => {
      const lane = lanes.find(({ id }) => name.startsWith(`${id}/`));
      const price = lane && factsOf(lane, name.slice(lane.id.length + 1), book).price;
      const usd = [price?.input, price?.output].map((nanos) => ((nanos ?? 0) / NANOS_PER_USD).toFixed(2));
      return [`\`${name}\``, place(routes.doer, name), place(routes.reviewer, name), ...usd].join(" | ");
    });
    expect(routes.planner).toEqual(routes.doer);
    const rows = rowsIn(text).filter(([model = ""]) => /^`[a-z-]+\/.+`$/.test(model));
    expect(rows.map((row) => row.join(" | ")).sort()).toEqual(expected.sort());
  });
});

describe("docs/decisions", () => {
  const names = readdirSync(join(ROOT, "docs/decisions")).filter((name) => name !== "README.md");

  test("are numbered without a gap, listed, short, and say context, choice and price", () => {
    expect(names.map((name) => Number(name.slice(0, 4)))).toEqual(names.map((_, index) => index + 1));
    const list = page("docs/decisions/README.md");
    for (const name of names) {
      const text = page(`docs/decisions/${name}`);
      const [title = ""] = text.split("\n");
      expect(list).toContain(`- [${title.slice(2)}](${name})`);
      expect(text.split("\n").length, name).toBeLessThanOrEqual(41);
      if (name.startsWith("0001")) continue;
      expect(text.match(/^## .*$/gm), name).toEqual(["## Context", "## Choice", "## Price"]);
    }
  });
});

/** A file or folder beside the page, and a heading in it where the link has a `#`. */
function leadsSomewhere(from: string, target: string): boolean {
  const [path = "", anchor] = target.split("#");
  const file = path === "" ? from : join(dirname(from), path);
  if (!existsSync(join(ROOT, file))) return false;
  return anchor === undefined || headingsOf(readFileSync(join(ROOT, file), "utf8")).includes(anchor);
}

/** Headings as GitHub makes anchors of them. */
function headingsOf(text: string): readonly string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map((match) =>
    (match[1] ?? "")
      .toLowerCase()
      .replace(/[^\w\s-]/g, "")
      .trim()
      .replaceAll(" ", "-"),
  );
}
