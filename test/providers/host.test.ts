import { describe, expect, it } from "vitest";
import { isLoopback, isSameOrigin, isTrusted, parseBaseUrl, parseOllamaHost } from "../../src/providers/host.ts";

describe("a base URL", () => {
  it.each([
    ["https://api.example.com/v1/", "https://api.example.com/v1"],
    [" http://localhost:8080 ", "http://localhost:8080"],
    ["HTTPS://API.Example.com:443/v1", "https://api.example.com/v1"],
    ["https://api.example.com///", "https://api.example.com"],
    ["ftp://example.com", null],
    ["example.com/v1", null],
    ["", null],
    ["https://user:secret@example.com", null],
    ["https://example.com/v1?key=1", null],
    ["https://example.com/v1#top", null],
  ])("%j is kept as %j", (text, expected) => {
    expect(parseBaseUrl(text)).toBe(expected);
  });
});

describe("OLLAMA_HOST", () => {
  it.each([
    ["127.0.0.1", "http://127.0.0.1:11434"],
    ["gpu-box", "http://gpu-box:11434"],
    ["gpu-box:4000", "http://gpu-box:4000"],
    [":4000", "http://127.0.0.1:4000"],
    ["4000", "http://127.0.0.1:4000"],
    ["0.0.0.0", "http://127.0.0.1:11434"],
    ["0.0.0.0:4000", "http://127.0.0.1:4000"],
    ["[::]:4000", "http://127.0.0.1:4000"],
    ["::1", "http://[::1]:11434"],
    ["[::1]", "http://[::1]:11434"],
    ["[::1]:4000", "http://[::1]:4000"],
    ["http://gpu-box", "http://gpu-box"],
    ["http://gpu-box:11434/", "http://gpu-box:11434"],
    ["http://0.0.0.0:11434", "http://127.0.0.1:11434"],
    ["https://gpu.example.com/ollama", "https://gpu.example.com/ollama"],
    ["gpu-box/ollama", "http://gpu-box:11434/ollama"],
    ["10.0.0.0", "http://10.0.0.0:11434"],
    ["gpu box", null],
    ["unix:///run/ollama.sock", null],
    ["host:99999", null],
  ])("%j means %j", (text, expected) => {
    expect(parseOllamaHost(text)).toBe(expected);
  });
});

describe("a loopback address", () => {
  it.each([
    "http://127.0.0.1:11434",
    "http://127.1.2.3",
    "http://127.1/v1",
    "http://2130706433",
    "http://localhost:8080/v1",
    "http://LOCALHOST",
    "https://api.localhost",
    "http://[::1]:4000",
  ])("%s never leaves this machine", (url) => {
    expect(isLoopback(url)).toBe(true);
  });

  it.each([
    "https://127.0.0.1.example.com",
    "https://localhost.example.com",
    "https://notlocalhost",
    "http://128.0.0.1",
    "http://0.0.0.0",
    "http://192.168.0.1",
    "nonsense",
  ])("%s may", (url) => {
    expect(isLoopback(url)).toBe(false);
  });
});

describe("the same origin", () => {
  it.each([
    ["https://api.z.ai/api/paas/v4", "https://api.z.ai:443/api/anthropic", true],
    ["https://api.z.ai", "http://api.z.ai", false],
    ["https://api.z.ai", "https://api.z.ai:8443", false],
    ["https://api.z.ai", "https://api.z.ai.example.com", false],
    ["nonsense", "nonsense", false],
  ])("of %s and %s is %s", (a, b, expected) => {
    expect(isSameOrigin(a, b)).toBe(expected);
  });
});

describe("a consent", () => {
  it.each([
    ["llm.corp", "https://llm.corp/v1", true],
    ["LLM.corp", "https://llm.corp/v1", true],
    ["llm.corp:443", "https://llm.corp/v1", true],
    ["llm.corp:4000", "http://llm.corp:4000", true],
    ["127.0.0.1:4000", "http://127.0.0.1:4000", true],
    ["llm.corp", "http://llm.corp/v1", false],
    ["llm.corp", "https://llm.corp:4000", false],
    ["llm.corp:4000", "https://llm.corp", false],
    ["corp", "https://llm.corp", false],
    ["llm.corp", "https://llm.corp.example.com", false],
    ["", "https://llm.corp", false],
    ["not a host", "https://llm.corp", false],
  ])("to %j covers %s: %s", (consent, url, expected) => {
    expect(isTrusted(url, [consent])).toBe(expected);
  });
});
