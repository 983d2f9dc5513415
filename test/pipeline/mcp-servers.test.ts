import { describe, expect, test } from "vitest";
import { complaints, load } from "./context.ts";

const withServers = (servers: string, role = "doer: {mcp: [docs]}") =>
  `mcp:\n ${servers}\nroles:\n ${role}\npipeline:\n - role: doer\n`;

describe("servers of a file", () => {
  test("come to the roles that name them, with what they were given and the defaults", () => {
    const text = withServers("docs: {command: [npx, docs], env: [TOKEN]}\n far: {url: https://x.test/mcp}");
    const loaded = load(text);
    expect(loaded.ok && loaded.pipeline.roles.doer?.servers).toEqual([
      { kind: "stdio", name: "docs", timeoutMs: 60_000, command: ["npx", "docs"], env: ["TOKEN"], network: "none" },
    ]);
    expect(loaded.ok && loaded.pipeline.roles.doer?.tools).toEqual(expect.arrayContaining(["mcp_schema", "mcp_call"]));
  });

  test("are not there for a role that names none", () => {
    const loaded = load(withServers("docs: {command: [npx, docs]}", "doer: {max_turns: 9}"));
    expect(loaded.ok && loaded.pipeline.roles.doer?.servers).toBeUndefined();
    expect(loaded.ok && loaded.pipeline.roles.doer?.tools).not.toContain("mcp_call");
  });

  test.each<[string, string, string]>([
    [
      "neither started nor there",
      "docs: {timeout: 3s}",
      'p.yaml:2:2  the server "docs" has neither "command" nor "url"',
    ],
    [
      "with both a command and an address",
      "docs: {command: [x], url: https://x.test/mcp}",
      'p.yaml:2:23  "url" does not go with "command"',
    ],
    [
      "with a network that is not ours to close",
      "docs: {url: https://x.test/mcp, network: open}",
      'p.yaml:2:34  "network" does not go with "url"',
    ],
  ])("%s are refused", (_, servers, expected) => {
    expect(complaints(withServers(servers))).toEqual([expected]);
  });

  test("reach hosts that are written as hosts", () => {
    const complaint = (host: string) => complaints(withServers(`docs: {command: [x], network: ["${host}"]}`));
    for (const host of ["x.test", "*.x.test", "x.test:8443"]) expect(complaint(host)).toEqual([]);
    for (const host of ["https://x.test", "x.test/docs", "*", "*.*.test", "10.0.0.1/8", ""])
      expect(complaint(host), host).toHaveLength(1);
    expect(complaint("https://x.test")[0]).toContain("without a scheme or path");
  });

  test("are told apart by name: a role that names a strange one is told which it may mean", () => {
    const text = withServers("docs: {command: [x]}", "doer: {mcp: [doks]}");
    expect(complaints(text)).toEqual(['p.yaml:4:15  there is no server "doks" | did you mean "docs"?']);
  });
});
