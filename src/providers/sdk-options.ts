/** Longer than any answer: the transport's own timers end a call that stalls. */
const NO_TIMEOUT_MS = 24 * 60 * 60 * 1000;

const silent = () => {};

/**
 * What every SDK client is given. The key is a placeholder that keeps an SDK from looking for one in the environment or
 * the user's files: the lane's own credential is put in by `laneFetch`, beneath the SDK.
 */
export const SDK_OPTIONS = {
  apiKey: "set-beneath-the-sdk",
  maxRetries: 0,
  timeout: NO_TIMEOUT_MS,
  logLevel: "off",
  logger: { error: silent, warn: silent, info: silent, debug: silent },
} as const;
