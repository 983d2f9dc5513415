import { execFile, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer, get } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { promisify } from "node:util";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { isAllowedHost } from "../../src/core/allowed-hosts.ts";
import { type FilteringProxy, openProxy, type ProxySpec } from "../../src/workspace/proxy.ts";
import { relayed } from "../../src/workspace/proxy-relay.ts";
import { isPublicAddress } from "../../src/workspace/public-address.ts";

const run = promisify(execFile);

/** A server that says what it was asked, under any name that leads to this machine. */
async function site() {
  const server = createServer((request, response) => {
    response.end(
      `${request.method} ${request.url} ${request.headers.host} ${"proxy-authorization" in request.headers}`,
    );
  }).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

async function opened(spec: Partial<ProxySpec> & { readonly hosts: readonly string[] }): Promise<FilteringProxy> {
  const proxy = await openProxy({
    listen: "loopback",
    // What is a machine on the internet elsewhere is this one here.
    resolve: async () => ["127.0.0.1"],
    mayReach: () => true,
    ...spec,
  });
  onTestFinished(() => proxy.close());
  return proxy;
}

const portOf = (proxy: FilteringProxy) => Number(new URL(proxy.env.HTTP_PROXY ?? "").port);
const tokenOf = (proxy: FilteringProxy) => `Basic ${Buffer.from(`ccp:${proxy.token}`).toString("base64")}`;

async function plainly(proxy: FilteringProxy, url: string, authorization = tokenOf(proxy)) {
  const headers = { "Proxy-Authorization": authorization, Host: "elsewhere.example" };
  const request = get({ host: "127.0.0.1", port: portOf(proxy), path: url, headers, agent: false });
  const [response] = await once(request, "response");
  let text = "";
  for await (const chunk of response) text += chunk;
  return { status: response.statusCode as number, text };
}

/** What comes back when a tunnel is asked for and a request is sent through it. */
async function through(proxy: FilteringProxy, target: string, authorization = tokenOf(proxy)): Promise<string> {
  const socket = connect(portOf(proxy), "127.0.0.1");
  socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\nProxy-Authorization: ${authorization}\r\n\r\n`);
  let text = "";
  for await (const chunk of socket) {
    text += chunk;
    if (text.endsWith("established\r\n\r\n")) socket.write("GET /in HTTP/1.1\r\nHost: in\r\nConnection: close\r\n\r\n");
  }
  return text;
}

describe("a proxy", () => {
  test("lets a request for an allowed host through, by its address, without its own words in it", async () => {
    const port = await site();
    const proxy = await opened({ hosts: [`api.example:${port}`] });
    expect(await plainly(proxy, `http://api.example:${port}/a?b=1`)).toEqual({
      status: 200,
      text: `GET /a?b=1 api.example:${port} false`,
    });
    expect(proxy.refusals()).toEqual([]);
  });

  test("lets a tunnel to an allowed host through", async () => {
    const port = await site();
    const proxy = await opened({ hosts: [`*.example:${port}`] });
    const said = await through(proxy, `api.example:${port}`);
    expect(said).toMatch(/^HTTP\/1.1 200 .*\r\n\r\nHTTP\/1.1 200 OK/s);
    expect(said).toContain("GET /in in false");
  });

  test("refuses every other host, and keeps count for people", async () => {
    const proxy = await opened({ hosts: ["api.example"] });
    expect(await plainly(proxy, "http://other.example/")).toEqual({
      status: 403,
      text: "ccp: other.example:80 was not reached: not among the hosts that are allowed\n",
    });
    expect(await through(proxy, "other.example:80")).toContain("403 Forbidden");
    expect(await through(proxy, "api.example:22")).toContain("403 Forbidden");
    expect(proxy.refusals()).toMatchObject([
      { host: "other.example", port: 80, count: 2 },
      { host: "api.example", port: 22, count: 1 },
    ]);
  });

  test.each([
    "http://127.0.0.1/",
    "http://[::1]/",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://169.254.169.254/latest/meta-data/",
  ])("refuses %s, whatever is allowed", async (url) => {
    const proxy = await opened({ hosts: ["127.0.0.1", "::1", "2130706433", "0x7f.1", "169.254.169.254"] });
    expect(await plainly(proxy, url)).toMatchObject({ status: 403, text: expect.stringContaining("an address where") });
  });

  test.each([
    ["this machine", ["127.0.0.1"]],
    ["its network", ["10.1.2.3"]],
    ["the machine's keeper", ["169.254.169.254"]],
    ["one public and one other", ["93.184.215.14", "192.168.1.1"]],
    ["IPv4 in IPv6", ["::ffff:127.0.0.1"]],
  ])("refuses an allowed name that leads to %s", async (_, addresses) => {
    const proxy = await opened({ hosts: ["api.example"], resolve: async () => addresses, mayReach: isPublicAddress });
    expect(await plainly(proxy, "http://api.example/")).toMatchObject({
      status: 403,
      text: expect.stringContaining("leads to this machine or its network"),
    });
  });

  test("asks for the addresses of a name once: what was looked at is what is reached", async () => {
    const port = await site();
    const asked: string[] = [];
    const resolve = async (host: string) => {
      asked.push(host);
      return asked.length === 1 ? ["127.0.0.1"] : ["127.0.0.2"];
    };
    const proxy = await opened({ hosts: [`api.example:${port}`], resolve });
    expect(await plainly(proxy, `http://api.example:${port}/`)).toMatchObject({ status: 200 });
    expect(asked).toEqual(["api.example"]);
  });

  test("knows localhost for this machine", async () => {
    const proxy = await openProxy({ hosts: ["localhost"], listen: "loopback" });
    onTestFinished(() => proxy.close());
    expect(await plainly(proxy, "http://localhost/")).toMatchObject({ status: 403 });
  });

  test("is for the command alone that knows its token", async () => {
    const port = await site();
    const [proxy, other] = [await opened({ hosts: [`a.example:${port}`] }), await opened({ hosts: [] })];
    expect(await plainly(proxy, `http://a.example:${port}/`, tokenOf(other))).toMatchObject({ status: 407 });
    expect(await through(proxy, `a.example:${port}`, "")).toContain("407");
  });

  test.each(["/", "https://api.example/", "ftp://api.example/", "http://"])("has no answer to %s", async (url) => {
    const proxy = await opened({ hosts: ["api.example"] });
    expect((await plainly(proxy, url)).status).toBe(400);
  });

  test("leaves nothing when it is closed", async () => {
    const proxy = await opened({ hosts: [], listen: "socket" });
    expect(existsSync(proxy.path ?? "")).toBe(true);
    await proxy.close();
    expect(existsSync(proxy.path ?? "")).toBe(false);
  });
});

describe("a relay", () => {
  test("brings a command to the proxy's socket, and ends as the command ends", async () => {
    const port = await site();
    const proxy = await opened({ hosts: [`a.example:${port}`], listen: "socket" });
    const script = `fetch("http://a.example:${port}/x").then((answer) => answer.text()).then(console.log)`;
    const [program, ...args] = relayed(proxy, [process.execPath, "-e", script]);
    expect((await run(program, args)).stdout).toBe(`GET /x a.example:${port} false\n`);
    const [again, ...rest] = relayed(proxy, ["/bin/sh", "-c", "exit 7"]);
    await expect(run(again, rest)).rejects.toMatchObject({ code: 7 });
    const [last, ...words] = relayed(proxy, ["/bin/sh", "-c", "kill -KILL $$"]);
    await expect(run(last, words)).rejects.toMatchObject({ signal: "SIGKILL" });
  });
});

const bubblewrap = [
  "--unshare-net",
  "--die-with-parent",
  "--ro-bind",
  "/",
  "/",
  "--dev",
  "/dev",
  "--proc",
  "/proc",
  "--",
];
const hasBubblewrap = spawnSync("bwrap", [...bubblewrap, "true"]).status === 0;

test.skipIf(!hasBubblewrap)("out of a network with nothing in it, the relay is the only way", async () => {
  const port = await site();
  const proxy = await opened({ hosts: [`a.example:${port}`], listen: "socket" });
  const script = `
    const seen = (answer) => answer.text();
    const direct = await fetch("http://127.0.0.1:${port}/direct").then(seen, () => "no way");
    console.log(direct, await fetch("http://a.example:${port}/x").then(seen), await fetch("http://b.example/").then(seen, () => "refused"));`;
  const command = relayed(proxy, [process.execPath, "--input-type=module", "-e", script]);
  const { stdout } = await run("bwrap", [...bubblewrap, ...command]);
  expect(stdout).toMatch(/^no way GET \/x a\.example:\d+ false refused\n$/);
});

test.each([
  ["example.com", "example.com", 443, true],
  ["example.com", "EXAMPLE.com.", 80, true],
  ["example.com", "a.example.com", 443, false],
  ["example.com", "example.com", 22, false],
  ["example.com:22", "example.com", 22, true],
  ["example.com:22", "example.com", 443, false],
  ["*.example.com", "a.b.example.com", 443, true],
  ["*.example.com", "example.com", 443, false],
  ["*.example.com", ".example.com", 443, false],
  ["*.example.com", "evilexample.com", 443, false],
  ["example.com", "example.com.evil.org", 443, false],
])("%s allows %s:%i: %s", (pattern, host, port, isAllowed) => {
  expect(isAllowedHost([pattern], host, port)).toBe(isAllowed);
});

const PUBLIC = ["93.184.215.14", "8.8.8.8", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"];
const NOT_PUBLIC = [
  ...["0.0.0.0", "10.0.0.1", "100.64.0.1", "127.0.0.53", "169.254.169.254", "172.31.255.255", "192.168.0.1"],
  ...["198.18.0.1", "224.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fd00::1", "::ffff:8.8.8.8"],
  ...["64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1", "ff02::1", "x", ""],
];

test.each(PUBLIC)("%s is a public address", (address) => expect(isPublicAddress(address)).toBe(true));
test.each(NOT_PUBLIC)("%j is no public address", (address) => expect(isPublicAddress(address)).toBe(false));

test("no host is allowed by an empty list", () => {
  fc.assert(fc.property(fc.domain(), fc.nat(65_535), (host, port) => !isAllowedHost([], host, port)));
});
