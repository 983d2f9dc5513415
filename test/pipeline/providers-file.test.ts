import { describe, expect, test } from "vitest";
import { formatDiagnostic } from "../../src/core/diagnostic.ts";
import { checkProvidersFile } from "../../src/pipeline/providers-file.ts";

function checked(text: string) {
  const check = checkProvidersFile(text, "providers.yaml");
  if (!check.ok) throw new Error(check.diagnostics.map(formatDiagnostic).join("\n"));
  return check.file;
}

function complaints(text: string): readonly string[] {
  const check = checkProvidersFile(text, "providers.yaml");
  return check.ok
    ? []
    : check.diagnostics.map((diagnostic) => formatDiagnostic(diagnostic).replace("\n  hint: ", " | "));
}

describe("a providers file", () => {
  test("says where a provider is, how it is spoken to, and what its models cost", () => {
    const text = [
      "providers:",
      "  acme:",
      "    wire: openai-chat",
      "    base_url: https://api.acme.example/v1/",
      "    key_env: [ACME_KEY, ACME_KEY_2]",
      "    auth: bearer",
      "    models:",
      "      acme-1:",
      "        price: { input: 3, output: 15, cache_read: 0.3, cache_write: 3.75 }",
      "        context_window: 200000",
      "        max_output_tokens: 8192",
      "        edits: write",
      "        text_calls: true",
      "  box:",
      "    wire: ollama-chat",
      "    base_url: http://localhost:11434",
      "    auth: none",
      "    free: true",
      "    context_tokens: 32768",
      "    first_event_timeout: 30m",
      "    silence_timeout: 90s",
      "    limits: { concurrency: 1, requests_per_minute: 20, tokens_per_minute: 30000 }",
      "    models: [qwen3-coder, glm-5]",
      "trusted_hosts: [api.acme.example, 'localhost:8080']",
    ].join("\n");
    const { providers, ...file } = checked(text);
    const said = Object.entries(providers).map(([id, { sources: _, ...entry }]) => [id, entry]);
    expect({ ...file, providers: Object.fromEntries(said) }).toEqual({
      path: "providers.yaml",
      providers: {
        acme: {
          wire: "openai-chat",
          baseUrl: "https://api.acme.example/v1",
          keyEnv: ["ACME_KEY", "ACME_KEY_2"],
          auth: "bearer",
          models: {
            "acme-1": {
              price: { input: 3e9, output: 15e9, cacheRead: 0.3e9, cacheWrite: 3.75e9, tiers: [] },
              contextWindow: 200_000,
              maxOutputTokens: 8192,
              edits: "write",
              textCalls: true,
            },
          },
        },
        box: {
          wire: "ollama-chat",
          baseUrl: "http://localhost:11434",
          auth: "none",
          waits: { firstEventMs: 1_800_000, silenceMs: 90_000 },
          free: true,
          contextTokens: 32_768,
          limits: { concurrency: 1, requestsPerMinute: 20, tokensPerMinute: 30_000 },
          models: { "qwen3-coder": {}, "glm-5": {} },
        },
      },
      trustedHosts: ["api.acme.example", "localhost:8080"],
    });
  });

  test("remembers the line of each value, also in a list and where an anchor is repeated", () => {
    const text = [
      "providers:",
      "  acme:",
      "    wire: openai-chat",
      "    base_url: https://api.acme.example/v1",
      "    models:",
      "      a.b: &same",
      "        price:",
      "          input: 3",
      "          output: 15",
      "      constructor: *same",
      "  box:",
      "    auth: none",
      "    models:",
      "      - qwen3-coder",
      "      - __proto__",
    ].join("\n");
    const lines = Object.entries(checked(text).providers).map(([id, { sources = {} }]) => {
      const places = Object.entries(sources)
        .filter(([key]) => key !== "")
        .map(([key, source]) => [key, source.kind === "file" ? source.line : 0]);
      return [id, places];
    });
    expect(lines).toEqual([
      [
        "acme",
        [
          ["wire", 3],
          ["base_url", 4],
          ["models.a.b", 6],
          ["models.a.b.price", 7],
          ["models.a.b.price.input", 8],
          ["models.a.b.price.output", 9],
          ["models.constructor", 10],
          ["models.constructor.price", 7],
          ["models.constructor.price.input", 8],
          ["models.constructor.price.output", 9],
        ],
      ],
      [
        "box",
        [
          ["auth", 12],
          ["models.qwen3-coder", 14],
          ["models.__proto__", 15],
        ],
      ],
    ]);
  });

  test.each<[string, string, number]>([
    ["costs as input", "wire: openai-chat, ", 4e9],
    ["costs a quarter more on Anthropic's wire", "wire: anthropic-messages, ", 5e9],
  ])("a cache write that has no price %s", (_, wire, cacheWrite) => {
    const { providers } = checked(`providers: {x: {${wire}models: {m: {price: {input: 4, output: 8}}}}}`);
    expect(providers.x?.models?.m?.price).toMatchObject({ cacheRead: 4e9, cacheWrite });
  });

  test("may have nothing in it but comments", () => {
    expect(checked("# providers:\n\n#   x: {}\n")).toEqual({ path: "providers.yaml", providers: {}, trustedHosts: [] });
  });

  test.each<[string, string, readonly string[]]>([
    [
      "a credential",
      "providers:\n  acme:\n    api_key: sk-live-abcdefghijkl\n",
      [
        'providers.yaml:3:5  "api_key": a credential does not belong in a file | put it in an environment variable and name that one: "key_env: MY_PROVIDER_KEY"',
      ],
    ],
    [
      "a credential under a shorter name",
      "providers: {acme: {token: abc}}",
      [
        'providers.yaml:1:20  "token": a credential does not belong in a file | put it in an environment variable and name that one: "key_env: MY_PROVIDER_KEY"',
      ],
    ],
    [
      "a credential in the place of its name",
      "providers: {acme: {key_env: sk-live-abcdefghijkl}}",
      ['providers.yaml:1:29  "key_env" must be the name of an environment variable or a list, found something else'],
    ],
    [
      "a credential in the place of its kind",
      "providers: {acme: {auth: sk-live-abcdefghijkl}}",
      ['providers.yaml:1:26  "auth" must be "x-api-key", "bearer" or "none" or a map, found something else'],
    ],
    [
      "a password in a URL",
      "providers: {acme: {base_url: 'https://me:hunter2222@acme.example'}}",
      [
        'providers.yaml:1:30  "base_url" must be a URL such as "https://example.com/v1", without a user name or password in it',
      ],
    ],
    [
      "an unknown wire",
      "providers: {acme: {wire: openai-chta}}",
      [
        'providers.yaml:1:26  "wire" must be "anthropic-messages", "openai-responses", "openai-chat" or "ollama-chat", found "openai-chta" | did you mean "openai-chat"?',
      ],
    ],
    [
      "an unknown key",
      "providers: {acme: {headers: x}}",
      [
        'providers.yaml:1:20  unknown key "headers" | known here: via, wire, base_url, key_env, auth, free, context_tokens, first_event_timeout, quota, silence_timeout, limits, model_map, models',
      ],
    ],
    [
      "a key that is named in two ways",
      "providers: {acme: {key_env: A, auth: {env: B}}}",
      ['providers.yaml:1:39  the key is named twice, here and in "key_env"'],
    ],
    [
      "a credential for a profile",
      "providers: {acme: {auth: {scoped_env: {ci: sk-live-4hq7Zr2mX9pL}}}}",
      ['providers.yaml:1:44  "ci" must be the name of an environment variable or a list, found something else'],
    ],
    [
      "a credential in a list of names",
      "providers: {acme: {key_env: [GOOD, sk-live-4hq7Zr2mX9pL]}}",
      ['providers.yaml:1:36  an item of "key_env" must be the name of an environment variable, found something else'],
    ],
    [
      "no name at all",
      "providers: {acme: {key_env: []}}",
      ['providers.yaml:1:29  "key_env" is empty: it needs at least one item'],
    ],
    [
      "a name twice",
      "providers: {acme: {key_env: [sk_live_4, sk_live_4]}}",
      ['providers.yaml:1:41  an item of "key_env" is in the list twice'],
    ],
    [
      "a limit of nothing",
      "providers: {acme: {limits: {concurrency: 0}}}",
      ['providers.yaml:1:42  "concurrency" must be a whole number of at least 1, found 0'],
    ],
    [
      "an id with a slash",
      "providers: {a/b: {}}",
      ['providers.yaml:1:13  "a/b" must be written with small letters, digits and hyphens, a letter first'],
    ],
    [
      "half a price",
      "providers: {a: {models: {m: {price: {input: 1}}}}}",
      ['providers.yaml:1:30  "output" is missing in "price"'],
    ],
    [
      "a negative price",
      "providers: {a: {models: {m: {price: {input: -1, output: 1}}}}}",
      ['providers.yaml:1:45  "input" must be a number from 0 to 100000, found -1'],
    ],
    [
      "a model without anything",
      "providers:\n  a:\n    models:\n      m:\n",
      ['providers.yaml:4:7  "m" must be a map, found nothing | give the key a value, or take it out'],
    ],
    [
      "a host with a path",
      "trusted_hosts: [a.example/v1]",
      [
        `providers.yaml:1:17  an item of "trusted_hosts" must be a host such as "example.com" or "localhost:8080", found "a.example/v1"`,
      ],
    ],
    ["broken YAML", "providers: [", ["providers.yaml:1:13  this [ is not closed"]],
  ])("with %s is refused, and nothing secret is repeated", (_, text, expected) => {
    expect(complaints(text)).toEqual(expected);
    expect(complaints(text).join()).not.toMatch(/sk[-_]live|hunter2222/);
  });
});
