import type { Diagnostic } from "../core/diagnostic.ts";
import { formatDiagnostic } from "../core/diagnostic.ts";
import { CcpError, EXIT } from "../core/errors.ts";
import type { Policy, PolicyPlace } from "../core/policy.ts";
import type { PolicySource } from "../guards/policies.ts";

/** A place in which a policy may be, and whose keys count there. */
export interface PolicyPlaceHere {
  readonly place: PolicyPlace;
  readonly path: string;
  readonly keys: readonly { readonly id: string; readonly path: string }[];
  /** Files beside the keys that are none. */
  readonly problems: readonly string[];
}

/** What is found out about one signed file. `problem` null: a trusted key has signed it, and it is as it was signed. */
export interface Inspection {
  readonly policy: Policy | null;
  readonly keyId: string | null;
  /** The key that it was held against; null: none. */
  readonly keyPath: string | null;
  readonly digest: string | null;
  readonly problem: string | null;
}

/** What people who write policies need. */
export interface PolicyKit {
  newKeys(): { readonly id: string; readonly secret: string; readonly shared: string };
  /** Throws `CcpError("invalid_policy" | "invalid_key")`. */
  sign(
    text: string,
    path: string,
    secret: string,
  ): { readonly pack: string; readonly policy: Policy; readonly keyId: string };
  /** `shared`: the text of the one key that counts; null: those that are trusted here. */
  inspect(text: string, path: string, shared: { readonly path: string; readonly text: string } | null): Inspection;
  places(): readonly PolicyPlaceHere[];
}

/** Nothing of a policy but this is for people to hold in their hands. */
export async function policyKit(sources: readonly PolicySource[]): Promise<PolicyKit> {
  const { checkPolicyPack, checkPolicySource } = await import("../pipeline/policy-file.ts");
  const keys = await import("../guards/policy-keys.ts");
  const { verified } = await import("../guards/policies.ts");
  const trusted = () =>
    sources.flatMap(({ keyFolders }) => keyFolders.flatMap((folder) => keys.readPolicyKeys(folder).keys));
  return {
    newKeys: () => keys.newPolicyKeys(),
    sign(text, path, secret) {
      const key = keys.privateKeyOf(secret);
      if (key === null) throw invalidKey("it holds no private Ed25519 key, or one with a passphrase");
      const checked = checkPolicySource(text, path);
      if (!checked.ok) throw invalidPolicy(checked.diagnostics);
      const pack = keys.signedPack(checked.signed, key);
      const again = checkPolicyPack(pack, path);
      if (!again.ok) throw invalidPolicy(again.diagnostics);
      return { pack, policy: checked.policy, keyId: again.pack.keyId };
    },
    inspect(text, path, shared) {
      const given = shared && keys.publicKeyOf(shared.text);
      if (shared !== null && given === null) throw invalidKey("it holds no public Ed25519 key");
      const candidates = given && shared ? [{ id: keys.keyIdOf(given), path: shared.path, key: given }] : trusted();
      const found = verified({ type: "read", text }, path, candidates, { readPack: checkPolicyPack });
      const form = checkPolicyPack(text, path);
      const keyId = form.ok ? form.pack.keyId : null;
      return {
        policy: form.ok ? form.pack.policy : null,
        keyId,
        keyPath: candidates.find(({ id }) => id === keyId)?.path ?? null,
        digest: found.type === "verified" ? found.digest : null,
        problem: found.type === "verified" ? null : found.problem,
      };
    },
    places: () =>
      sources.map(({ place, path, keyFolders }) => {
        const read = keyFolders.map((folder) => keys.readPolicyKeys(folder));
        return {
          place,
          path,
          keys: read.flatMap((one) => one.keys.map(({ id, path: at }) => ({ id, path: at }))),
          problems: read.flatMap(({ problems }) => problems),
        };
      }),
  };
}

function invalidPolicy(diagnostics: readonly Diagnostic[]): CcpError {
  return new CcpError("invalid_policy", EXIT.usage, diagnostics.map(formatDiagnostic).join("\n"), {
    hint: "nothing was signed; its fields are in docs/policy-pack.md",
  });
}

function invalidKey(why: string): CcpError {
  return new CcpError("invalid_key", EXIT.usage, `the key cannot be used: ${why}`, {
    hint: "nothing was signed or checked; a pair of keys: ccp policy keygen",
  });
}
