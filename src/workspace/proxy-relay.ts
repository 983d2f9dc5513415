import { type FilteringProxy, proxyVariables } from "./proxy.ts";

/**
 * Program and arguments that run a command where the only way out is the proxy's socket: in a network of its own that has
 * a loopback and nothing else. A relay listens there, hands on to the socket, and ends as the command ends. The socket's
 * directory has to be seen in there, and node.
 */
export function relayed(proxy: FilteringProxy, command: readonly string[]): readonly [string, ...string[]] {
  if (proxy.path === null) throw new Error("a proxy on loopback needs no relay");
  const variables = JSON.stringify(proxyVariables(PORT_MARK, proxy.token));
  return [process.execPath, "--input-type=commonjs", "--eval", RELAY, "--", proxy.path, variables, ...command];
}

/** Stands for the port, which is known when the relay listens. */
const PORT_MARK = 0;

/** Not a module of ccp's: it runs in the sandbox, on what is there of node. */
const RELAY = `
const { connect, createServer } = require("node:net");
const { spawn } = require("node:child_process");
const self = require("node:process");
const [path, variables, program, ...args] = self.argv.slice(1);
const server = createServer({ allowHalfOpen: true }, (client) => {
  const way = connect({ path, allowHalfOpen: true });
  for (const [from, to] of [[client, way], [way, client]]) {
    from.on("error", () => to.destroy());
    from.pipe(to);
  }
});
server.listen(0, "127.0.0.1", () => {
  const set = JSON.parse(variables.replaceAll(":0\\"", ":" + server.address().port + "\\""));
  const child = spawn(program, args, { stdio: "inherit", env: { ...self.env, ...set } });
  for (const name of ["SIGTERM", "SIGINT", "SIGHUP"]) self.on(name, () => child.kill(name));
  child.on("error", (error) => {
    self.stderr.write(error.message + "\\n");
    self.exit(127);
  });
  child.on("exit", (code, signal) => {
    if (signal === null) self.exit(code);
    self.removeAllListeners(signal);
    self.kill(self.pid, signal);
  });
});
`;
