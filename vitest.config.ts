import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/support/build.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: "forks",
    // Most of a test is waiting for git, for a disk or for a process.
    maxWorkers: 4,
    coverage: {
      provider: "v8",
      include: ["src/**/*.ts"],
      reporter: ["text-summary", "text"],
      skipFull: true,
      thresholds: {
        lines: 85,
        "src/core/**": { lines: 90 },
        "src/engine/**": { lines: 90 },
        "src/store/**": { lines: 90 },
      },
    },
  },
});
