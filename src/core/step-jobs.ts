import type { StepJobs } from "./ports.ts";

/** Jobs of whoever starts none. */
export const NO_JOBS: StepJobs = {
  run: async () => {
    throw new Error("here no command is run");
  },
  read: async () => null,
  kill: async () => null,
  list: () => [],
  isGone: () => false,
  end: async () => undefined,
};
