/** Ids of steps: safe in file names, scopes and, in capitals, in names of variables. */
export const ID_PATTERN = "^[a-z][a-z0-9-]*$";
/** Names of inputs: `test` is `$CCP_INPUT_TEST` in a command, so no two of them may give the same variable. */
export const INPUT_NAME_PATTERN = "^[a-z][a-z0-9_]*$";
/** Ids of providers: what stands before the slash of a model. */
export const PROVIDER_ID_PATTERN = "^[a-z][a-z0-9-]*$";
/** Names of environment variables. */
export const VARIABLE_PATTERN = "^[A-Za-z_][A-Za-z0-9_]*$";
/** `22:00-06:00`. */
export const HOURS_PATTERN = "^([01][0-9]|2[0-3]):[0-5][0-9]-(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$";
/** `20%`. */
export const SHARE_PATTERN = "^(100|[1-9]?[0-9])%$";
/** `90s`, `10m`, `1h`. */
export const DURATION_PATTERN = "^[1-9][0-9]{0,5}(s|m|h)$";
/** A plain file name: no folder, nothing hidden. */
export const ARTIFACT_PATTERN = "^[A-Za-z0-9][A-Za-z0-9._-]*$";
/** The name of a file that may lie in any folder. */
export const INSTRUCTIONS_PATTERN = "^\\.?[A-Za-z0-9][A-Za-z0-9._-]*$";
/** `host` or `host:port`. */
export const HOST_PATTERN = "^[A-Za-z0-9.-]+(:[0-9]+)?$";
/** A host that a process may reach; `*.` before it means all names below. */
export const REACHED_HOST_PATTERN = "^(\\*\\.)?[A-Za-z0-9_-][A-Za-z0-9._-]*(:[0-9]{1,5})?$";
/** A base URL: nobody's password and no query in it. */
export const URL_PATTERN = "^https?://[^/@\\s\\\\?#]+(/[^\\s]*)?$";

/** Names of policies. */
export const POLICY_NAME_PATTERN = "^[a-z0-9][a-z0-9._-]{0,63}$";
/** An instant in UTC, to the second. */
export const INSTANT_PATTERN = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$";
/** Which key signed a policy: 32 hex digits of the sha256 of its public half. */
export const KEY_ID_PATTERN = "^ed25519:[0-9a-f]{32}$";
/** 64 bytes in base64. */
export const SIGNATURE_PATTERN = "^[A-Za-z0-9+/]{86}==$";
/** Nothing that moves the cursor. */
export const ONE_LINE_PATTERN = "^[^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029]*$";

/** What each pattern asks for, in the words of a message. */
export const PATTERN_WORDS: Readonly<Record<string, string>> = {
  [ID_PATTERN]: "small letters, digits and hyphens, a letter first",
  [INPUT_NAME_PATTERN]: "small letters, digits and underscores, a letter first",
  [VARIABLE_PATTERN]: "the name of an environment variable",
  [DURATION_PATTERN]: `a time such as "90s", "10m" or "1h"`,
  [HOURS_PATTERN]: `hours such as "22:00-06:00"`,
  [SHARE_PATTERN]: `a share such as "20%"`,
  [ARTIFACT_PATTERN]: `a plain file name such as "NOTES.md"`,
  [INSTRUCTIONS_PATTERN]: `a plain file name such as "CLAUDE.md"`,
  [HOST_PATTERN]: `a host such as "example.com" or "localhost:8080"`,
  [REACHED_HOST_PATTERN]: `a host such as "example.com", "*.example.com" or "example.com:8443", without a scheme or path`,
  [POLICY_NAME_PATTERN]: "small letters, digits, dots, hyphens and underscores, at most 64",
  [INSTANT_PATTERN]: `an instant in UTC such as "2027-01-31T00:00:00Z"`,
  [KEY_ID_PATTERN]: "the id of a key, as `ccp policy keygen` prints it",
  [SIGNATURE_PATTERN]: "a signature, as `ccp policy sign` writes it",
  [ONE_LINE_PATTERN]: "one line of text",
  [URL_PATTERN]: `a URL such as "https://example.com/v1", without a user name or password in it`,
};

const MILLISECONDS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };

/** `"10m"` → milliseconds; null when it is no duration. */
export function parseDuration(text: string): number | null {
  if (!new RegExp(DURATION_PATTERN).test(text)) return null;
  return Number(text.slice(0, -1)) * (MILLISECONDS[text.slice(-1)] ?? 0);
}
