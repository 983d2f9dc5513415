/**
 * What a red check has said, less what differs from run to run though nothing else does: colours, times, durations,
 * addresses and process numbers, temporary paths. Counts stay: three failures are not two.
 */
export function failureWords(output: string): string {
  return VARYING.reduce((text, [pattern, instead]) => text.replace(pattern, instead), output.slice(-LONGEST))
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .join("\n");
}

/** In characters: a check says at its end what was wrong. */
const LONGEST = 64 * 1024;

/** Beside each a true sample. */
const VARYING: readonly (readonly [RegExp, string])[] = [
  // `\u001b[31m1 failed\u001b[39m`
  [/\u001b\[[0-9;]*[A-Za-z]/g, ""],
  // `at 2026-11-20T18:00:01.123Z`, `Start at  18:00:01`
  [/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?([.,]\d+)?(Z|[+-]\d\d:?\d\d)?/g, "<time>"],
  [/\b\d\d:\d\d:\d\d([.,]\d+)?\b/g, "<time>"],
  // `duration_ms: 12.5`, `duration_ms 12.5`
  [/\bduration_ms:? *\d+([.,]\d+)?/g, "<duration>"],
  // `in 0.53s`, `(12 ms)`, `1m 3s`
  [/\b\d+([.,]\d+)? ?(ns|µs|us|ms|s|sec|secs|seconds?|m|min|minutes?)\b/g, "<duration>"],
  // `object at 0x7f3a2b`
  [/\b0x[0-9a-fA-F]+\b/g, "<address>"],
  // `[pid 4242]`, `(node:4242)`
  [/\b(pid[ =:]+|node:)\d+/gi, "$1<pid>"],
  // `/tmp/pytest-of-me/pytest-12/x`, `/var/folders/ab/T/x`
  [/\/(tmp|var\/tmp|private\/var\/folders|var\/folders)\/[^\s'"):,]*/g, "<temp>"],
];
