import { lstatSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, parse, resolve } from "node:path";
import { Argument, type Command } from "commander";
import { CcpError, EXIT, hasCode, messageOf } from "../core/errors.ts";
import { policyProblems } from "../core/policy-words.ts";
import type { CommandContext } from "./command-context.ts";
import { inspectionJson, inspectionText, showJson, showText } from "./policy-text.ts";
import { writeJson } from "./write-json.ts";

interface PolicyFlags {
  readonly out?: string;
  readonly key?: string;
  readonly json?: boolean;
}

/** Adds `ccp policy`. */
export function registerPolicy(program: Command, context: CommandContext): void {
  program
    .command("policy")
    .description("show what policies restrict here; keygen, sign and verify: for those who write them")
    .addArgument(new Argument("[action]", "what to do").choices(["show", "verify", "sign", "keygen"]).default("show"))
    .argument("[file]", "the policy: what is to be signed, or is signed")
    .option("--key <file>", "the private key to sign with, or the only public key that counts for verify")
    .option("--out <path>", "where the signed policy, or the folder where the new keys go")
    .option("--json", "as JSON")
    .action(async (action: string, file: string | undefined, flags: PolicyFlags) => {
      if (action === "keygen") return keygen(flags, context);
      if (action === "show") return show(flags, context);
      if (file === undefined) throw usage(`there is no file to ${action}`, `ccp policy ${action} FILE`);
      return action === "sign" ? sign(file, flags, context) : verify(file, flags, context);
    });
}

/** The private half is written for its owner alone, never over another file, and never shown. */
async function keygen(flags: PolicyFlags, context: CommandContext): Promise<void> {
  const wiring = context.wiring();
  const { cwd, configHome } = wiring.config;
  const folder = flags.out === undefined ? join(configHome, "policy-signing") : resolve(cwd, flags.out);
  const [secretPath, sharedPath] = [join(folder, "policy.key"), join(folder, "policy.pub")];
  const { id, secret, shared } = (await wiring.policyKit()).newKeys();
  for (const path of [secretPath, sharedPath])
    if (isThere(path))
      throw usage(
        `${path} is there already`,
        "a key that is lost cannot be made again: give another folder with --out",
      );
  write(secretPath, secret, { mode: 0o600, flag: "wx" });
  write(sharedPath, shared, { mode: 0o644, flag: "wx" });
  const { stdout } = context.surroundings;
  if (flags.json) return writeJson(stdout, { v: 1, key_id: id, private_key: secretPath, public_key: sharedPath });
  stdout.write(
    [
      `key id   ${id}`,
      `private  ${secretPath}  (keep it to yourself, and out of every repository)`,
      `public   ${sharedPath}`,
      "",
      "whoever has the public one here is held to what you sign:",
      "  /etc/ccp/policy-keys/NAME.pub           a machine",
      "  ~/.config/ccp/policy-keys/NAME.pub      a user",
      `sign: ccp policy sign FILE --key ${secretPath}`,
      "",
    ].join("\n"),
  );
}

async function sign(file: string, flags: PolicyFlags, context: CommandContext): Promise<void> {
  const wiring = context.wiring();
  const { cwd } = wiring.config;
  if (flags.key === undefined)
    throw usage("there is no key to sign with", "ccp policy sign FILE --key KEY; a pair: ccp policy keygen");
  const [path, keyPath] = [resolve(cwd, file), resolve(cwd, flags.key)];
  refuseSharedSecret(keyPath);
  const kit = await wiring.policyKit();
  const { pack, policy, keyId } = kit.sign(read(path), file, read(keyPath));
  const out = flags.out === undefined ? join(dirname(path), `${parse(path).name}.json`) : resolve(cwd, flags.out);
  if (out === path)
    throw usage("the signed policy would replace what you wrote", "give it another name: --out policy.json");
  const before = isThere(out) ? kit.inspect(read(out), out, null) : null;
  const isSameNumber =
    before?.policy?.name === policy.name && before.policy.version >= policy.version && before.keyId === keyId;
  if (isSameNumber && read(out) !== pack)
    throw usage(
      `${out} is version ${before.policy?.version} of ${policy.name} already, and this is version ${policy.version}`,
      "give it a higher version: who has had the other one in force rejects it",
    );
  write(out, pack, {});
  const { stdout } = context.surroundings;
  if (flags.json)
    return writeJson(stdout, { v: 1, path: out, name: policy.name, version: policy.version, key_id: keyId });
  stdout.write(
    `${policy.name} ${policy.version}, signed by ${keyId}\n${out}\nsee what it restricts: ccp policy verify ${out} --key PUBLIC_KEY\n`,
  );
}

/** 0: a key that counts has signed it, and it holds now. 1: rejected. 4: genuine, but it does not hold now. */
async function verify(file: string, flags: PolicyFlags, context: CommandContext): Promise<void> {
  const wiring = context.wiring();
  const { cwd } = wiring.config;
  const key = flags.key === undefined ? null : { path: flags.key, text: read(resolve(cwd, flags.key)) };
  const inspection = (await wiring.policyKit()).inspect(read(resolve(cwd, file)), file, key);
  const now = wiring.chance.now();
  const { stdout } = context.surroundings;
  if (flags.json) writeJson(stdout, inspectionJson(inspection, now));
  else stdout.write(await inspectionText(inspection, now, wiring, stdout));
  const { policy, problem } = inspection;
  if (problem !== null || policy === null) context.exit(EXIT.failed);
  else if (now < policy.notBefore || now >= policy.expires) context.exit(EXIT.credentials);
}

/** 0: all that is there is in force, or nothing is there. 1: something was rejected, or has expired. */
async function show(flags: PolicyFlags, context: CommandContext): Promise<void> {
  const wiring = context.wiring();
  const inForce = (await wiring.policies(null)).now();
  const places = (await wiring.policyKit()).places();
  const { stdout } = context.surroundings;
  if (flags.json) writeJson(stdout, showJson(inForce, places));
  else stdout.write(await showText(inForce, places, wiring, stdout));
  if (policyProblems(inForce).length > 0) context.exit(EXIT.failed);
}

/** A private key that others can read has others who sign. */
function refuseSharedSecret(path: string): void {
  if (!isThere(path) || (lstatSync(path).mode & 0o077) === 0) return;
  throw usage(`${path} can be read or written by others than you`, `chmod 600 ${path}; nothing was signed`);
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const why = hasCode(cause, "ENOENT") ? "there is no such file" : messageOf(cause);
    throw usage(`${path} cannot be read: ${why}`, "check the path; nothing was changed");
  }
}

function write(path: string, text: string, how: { readonly mode?: number; readonly flag?: string }): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, text, how);
  } catch (cause) {
    throw usage(`${path} cannot be written: ${messageOf(cause)}`, "choose another place with --out");
  }
}

function usage(message: string, hint: string): CcpError {
  return new CcpError("usage", EXIT.usage, message, { hint });
}
