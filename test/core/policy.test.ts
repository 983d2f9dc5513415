import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isAllowedHost } from "../../src/core/allowed-hosts.ts";
import type { Budget } from "../../src/core/budget.ts";
import { candidatesOf } from "../../src/core/candidates.ts";
import { FREE } from "../../src/core/money.ts";
import { EFFECTS, type PermissionRule, TOOL_NAMES } from "../../src/core/permission.ts";
import { policyOf } from "../../src/core/permission-builtin.ts";
import { decide } from "../../src/core/permission-decision.ts";
import { ROLE_NAMES, SANDBOX_MODES } from "../../src/core/pipeline.ts";
import { NO_POLICY, type PolicyInForce, type PolicyLimits } from "../../src/core/policy.ts";
import {
  budgetRefusal,
  commandRefusal,
  modelRefusal,
  permittedBudget,
  permittedNetwork,
  permittedRules,
  permittedSandbox,
  permittedTools,
  permittedWindow,
  providersAtOtherHosts,
  serverRefusal,
  toolRefusal,
} from "../../src/core/policy-limits.ts";
import type { McpServer, ServerNetwork } from "../../src/core/tool-servers.ts";

/** Policies of these limits, as if they were in force. */
function under(...limits: readonly PolicyLimits[]): PolicyInForce {
  return { ...NO_POLICY, limits: limits.map((one, index) => ({ policy: `policy p 1 (${index})`, limits: one })) };
}

const words = ["a", "b", "ab", "a/b", "x.y"];
const text = fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
const glob = fc.array(fc.constantFrom("*", ...words), { minLength: 1, maxLength: 3 }).map((parts) => parts.join(""));
const maybe = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: undefined });
const names = fc.record({ allow: maybe(fc.array(glob)), deny: maybe(fc.array(glob)) }).map(given);
const host = fc
  .tuple(
    fc.constantFrom("", "*."),
    fc.constantFrom("a.com", "b.a.com", "c.b.a.com", "com"),
    fc.constantFrom("", ":80", ":443", ":8443"),
  )
  .map((parts) => parts.join(""));
const hosts = fc.uniqueArray(host, { maxLength: 4 });
const ceilings = fc
  .record({
    maxCostNanos: maybe(fc.nat(9)),
    maxTokens: maybe(fc.nat(9)),
    maxDurationMs: maybe(fc.nat(9)),
  })
  .map(given) as fc.Arbitrary<Budget>;
const rule: fc.Arbitrary<PermissionRule> = fc
  .record({
    tool: fc.constantFrom("*", "bash", "edit", "read"),
    match: maybe(fc.constantFrom("git *", "a*", "src/**", "**/a", "npm test")),
    effect: fc.constantFrom(...EFFECTS),
  })
  .map(given) as fc.Arbitrary<PermissionRule>;
const tools = fc.subarray([...TOOL_NAMES, "*"]);
const limits = fc
  .record({
    models: maybe(names),
    providers: maybe(names),
    hosts: maybe(hosts),
    network: maybe(hosts),
    servers: maybe(names),
    tools: maybe(fc.record({ allow: maybe(tools), deny: maybe(tools) }).map(given)),
    permissions: maybe(fc.array(rule.filter(({ effect }) => effect !== "allow"))),
    budget: maybe(
      fc
        .record({
          run: maybe(ceilings),
          roles: maybe(fc.record({ doer: ceilings })),
          windows: maybe(fc.record({ day: ceilings })),
        })
        .map(given),
    ),
    sandbox: maybe(fc.constant("required")),
  })
  .map(given) as fc.Arbitrary<PolicyLimits>;
const policies = fc.array(limits, { maxLength: 3 }).map((all) => under(...all));
const network: fc.Arbitrary<ServerNetwork> = fc.oneof(
  fc.constantFrom("none" as const, "open" as const),
  hosts.filter((all) => all.length > 0),
);

function given<T extends object>(all: T): T {
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as T;
}

const PROBES = ["a.com", "b.a.com", "c.b.a.com", "d.c.b.a.com", "com", "x.com", "evil.org", "xa.com"].flatMap((name) =>
  [80, 443, 8443, 22].map((port) => ({ name, port })),
);
const reaches = (one: ServerNetwork, name: string, port: number) =>
  one === "open" || (one !== "none" && isAllowedHost(one, name, port));
const rank = (effect: PermissionRule["effect"]) => EFFECTS.indexOf(effect);
const within = (a: Budget | undefined, b: Budget | undefined) =>
  (["maxCostNanos", "maxTokens", "maxDurationMs"] as const).every(
    (unit) => (a?.[unit] ?? Number.POSITIVE_INFINITY) <= (b?.[unit] ?? Number.POSITIVE_INFINITY),
  );

describe("a policy can only narrow", () => {
  const facts = (ref: { provider: string; model: string }) => ({
    ref,
    price: FREE,
    contextWindow: null,
    maxOutputTokens: 1,
    local: false,
    scripted: false,
  });

  test("candidates: what is left stands in the same order and was there before; none is left only with the reason", () => {
    fc.assert(
      fc.property(
        fc.array(
          text.map((model) => `p/${model}`),
          { minLength: 1 },
        ),
        policies,
        (route, policy) => {
          const before = candidatesOf(route, { facts }).map(({ ref }) => ref.model);
          const isRefused = (model: string) => modelRefusal(policy, { provider: "p", model }) !== null;
          if (before.every(isRefused)) {
            expect(() => candidatesOf(route, { facts }, policy)).toThrow(/refused by policy p 1/);
            return;
          }
          const after = candidatesOf(route, { facts }, policy).map(({ ref }) => ref.model);
          expect(after).toEqual(before.filter((model) => !isRefused(model)));
        },
      ),
    );
  });

  test("tools, and what rules say of any call", () => {
    const calls = [
      { tool: "bash", subjects: ["git push && npm test"] },
      { tool: "bash", subjects: ["a$X"] },
      { tool: "edit", subjects: ["src/a", "b"] },
      { tool: "read", subjects: ["a"] },
    ];
    fc.assert(
      fc.property(fc.subarray([...TOOL_NAMES]), fc.array(rule), policies, (own, rules, policy) => {
        const left = permittedTools(policy, own);
        expect(own).toEqual(expect.arrayContaining([...left]));
        for (const tool of own) expect(left.includes(tool)).toBe(toolRefusal(policy, tool) === null);
        const before = policyOf({ tools: own, permissions: rules });
        const after = policyOf({ tools: left, permissions: permittedRules(policy, rules) });
        for (const call of calls)
          expect(rank(decide(after, call).effect)).toBeGreaterThanOrEqual(rank(decide(before, call).effect));
      }),
    );
  });

  test("budgets of a run, a role and a day are never above what they were, nor above what the policy gives", () => {
    fc.assert(
      fc.property(ceilings, limits, policies, (own, one, others) => {
        const policy = { ...others, limits: [...others.limits, ...under(one).limits] };
        for (const scope of ["run", "role:doer", "role:planner", "step:x"] as const)
          expect(within(permittedBudget(policy, scope, own), own)).toBe(true);
        const run = permittedBudget(policy, "run", own);
        expect(within(run, one.budget?.run)).toBe(true);
        expect(budgetRefusal(policy, run)).toBeNull();
        expect(within(permittedBudget(policy, "role:doer", own), one.budget?.roles?.doer)).toBe(true);
        expect(within(permittedWindow(policy, "day", own), own)).toBe(true);
        expect(within(permittedWindow(policy, "day", undefined), one.budget?.windows?.day)).toBe(true);
      }),
    );
  });

  test("a process reaches a host where it could before and every policy names it, and nowhere else", () => {
    fc.assert(
      fc.property(network, policies, (own, policy) => {
        const left = permittedNetwork(policy, own);
        for (const { name, port } of PROBES) {
          const all = policy.limits.every(
            ({ limits: its }) => its.network === undefined || isAllowedHost(its.network, name, port),
          );
          expect(reaches(left, name, port), `${name}:${port}`).toBe(all && reaches(own, name, port));
        }
      }),
    );
  });

  test("the sandbox, and what reaches out through it, are held at least as strictly", () => {
    const strictness = (mode: (typeof SANDBOX_MODES)[number]) => ["off", "auto", "required"].indexOf(mode);
    fc.assert(
      fc.property(fc.constantFrom(...SANDBOX_MODES), policies, (asked, policy) => {
        expect(strictness(permittedSandbox(policy, asked))).toBeGreaterThanOrEqual(strictness(asked));
        if (policy.limits.some(({ limits: its }) => its.network ?? its.sandbox))
          expect(permittedSandbox(policy, asked)).toBe("required");
      }),
    );
  });

  test("the host of a server is the one that is connected to, however its address is written", () => {
    const policy = under({ hosts: ["*.acme.example"] });
    const refused = (url: string) =>
      serverRefusal(policy, { kind: "http", name: "a", timeoutMs: 1, url, tokenEnv: null }) !== null;
    expect(refused("https://mcp.acme.example/x")).toBe(false);
    expect(refused("https://MCP.acme.example:443/x")).toBe(false);
    for (const url of [
      "http://evil.example\\x.acme.example/mcp",
      "http://evil.example#.acme.example",
      "http://",
      "https://a b.acme.example",
    ])
      expect([url, refused(url)]).toEqual([url, true]);
  });

  test("several policies let through what each of them lets through", () => {
    const server: McpServer = { kind: "http", name: "a", timeoutMs: 1, url: "https://b.a.com/x", tokenEnv: null };
    const provider = { id: "p", baseUrl: "https://b.a.com:8443/v1" };
    const judge = (policy: PolicyInForce) => {
      const whole = { ...policy, refusedProviders: providersAtOtherHosts(policy.limits, [provider]) };
      return [
        modelRefusal(whole, { provider: "p", model: "a/b" }),
        serverRefusal(whole, server),
        toolRefusal(whole, "bash"),
        commandRefusal(whole, "git push"),
      ].map((why) => why === null);
    };
    fc.assert(
      fc.property(fc.array(limits, { maxLength: 3 }), (all) => {
        const each = all.map((one) => judge(under(one)));
        expect(judge(under(...all))).toEqual([0, 1, 2, 3].map((index) => each.every((verdicts) => verdicts[index])));
      }),
    );
  });
});

describe("what a policy refuses", () => {
  const openai = { provider: "openai", model: "gpt-5" };

  test.each<[string, PolicyLimits, string | null]>([
    ["a model that allow does not have", { models: { allow: ["anthropic/*"] } }, "models.allow does not have it"],
    [
      "a model that deny has, in any case of its letters",
      { models: { deny: ["OpenAI/GPT*"] } },
      "models.deny has OpenAI/GPT*",
    ],
    ["all models", { models: { allow: [] } }, "models.allow does not have it"],
    ["a provider", { providers: { deny: ["open*"] } }, "providers.deny has open*"],
    ["nothing, where a pattern is of another length", { models: { deny: ["openai/gpt-5-pro", "openai/gpt"] } }, null],
    ["nothing, where the pattern takes slashes", { models: { allow: ["*gpt*"] } }, null],
  ])("%s", (_, its, why) => {
    expect(modelRefusal(under(its), openai)).toBe(why && `openai/gpt-5 is refused by policy p 1 (0): ${why}`);
  });

  test("a provider at a host that is not named, whatever the provider is called; a port counts", () => {
    const limited = under({ hosts: ["api.openai.com", "*.corp.example", "localhost:11434"] }).limits;
    const at = (baseUrl: string) => providersAtOtherHosts(limited, [{ id: "x", baseUrl }]).x;
    expect(at("https://api.openai.com/v1")).toBeUndefined();
    expect(at("https://llm.corp.example")).toBeUndefined();
    expect(at("http://localhost:11434")).toBeUndefined();
    expect(at("https://corp.example")).toBe("policy p 1 (0): hosts does not name corp.example");
    expect(at("https://api.openai.com.evil.org")).toContain("evil.org");
    expect(at("https://api.openai.com:8443")).toContain("api.openai.com:8443");
    expect(at("http://localhost:1234")).toContain("localhost:1234");
    expect(at("https://[::1]:443/")).toContain("[::1]");
  });

  test("a command of the pipeline that a rule over bash denies; what a rule asks about was chosen by whoever started it", () => {
    const policy = under({
      permissions: [
        { tool: "bash", match: "curl *", effect: "deny", reason: "nothing is fetched" },
        { tool: "bash", effect: "ask" },
      ],
    });
    expect(commandRefusal(policy, "npm test && curl https://x")).toBe(
      'policy p 1 (0) denies a command of the pipeline: nothing is fetched (rule: deny bash "curl *")',
    );
    expect(commandRefusal(policy, "npm test")).toBeNull();
  });

  test("a tool; jobs go with bash, and finish is nobody's to take", () => {
    const policy = under({ tools: { allow: ["read", "bash"] } });
    expect(permittedTools(policy, ["read", "edit", "bash", "job_output", "finish"])).toEqual([
      "read",
      "bash",
      "job_output",
      "finish",
    ]);
    expect(permittedTools(under({ tools: { deny: ["bash"] } }), ["bash", "job_kill"])).toEqual([]);
  });

  test("a budget that a person asks for, and only where it is above", () => {
    const policy = under({ budget: { run: { maxCostNanos: 5 } } });
    expect(budgetRefusal(policy, { maxCostNanos: 6 })).toBe("more than policy p 1 (0) gives a run");
    expect(budgetRefusal(policy, { maxCostNanos: 5, maxTokens: 1e9 })).toBeNull();
  });

  test("no role by another name", () => {
    const policy = under({ budget: { roles: { doer: { maxTokens: 3 } } } });
    expect(ROLE_NAMES.map((role) => permittedBudget(policy, `role:${role}`, {}).maxTokens)).toEqual([
      undefined,
      3,
      undefined,
    ]);
  });
});
