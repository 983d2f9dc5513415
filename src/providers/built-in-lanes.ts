import type { Lane, Wire } from "../core/lane.ts";

/** An environment variable that can hold a lane's key, and the header that carries it. */
export interface KeySource {
  readonly name: string;
  readonly auth: Exclude<Lane["auth"], "none">;
}

/** A lane that ccp knows without being told. */
export interface BuiltInLane {
  readonly id: string;
  readonly wire: Exclude<Wire, "scripted">;
  readonly baseUrl: string;
  /** The variable that moves it elsewhere: the user's own word, so trusted. */
  readonly baseUrlEnv: string;
  /** The first that is set wins; empty: no key is needed. */
  readonly keys: readonly KeySource[];
  readonly contextTokens: number | null;
}

/** Tokens of context that Ollama is asked for: its own default of 4,096 truncates an agent's first prompt in silence. */
export const OLLAMA_CONTEXT_TOKENS = 32_768;

/** The id of the lane that answers from a transcript: what follows it in a model reference is the path of one. */
export const SCRIPTED = "scripted";

/** The lanes that need no file; their order is that in which `ccp doctor` shows them. */
export const BUILT_IN_LANES: readonly BuiltInLane[] = [
  {
    id: "anthropic",
    wire: "anthropic-messages",
    baseUrl: "https://api.anthropic.com",
    baseUrlEnv: "ANTHROPIC_BASE_URL",
    keys: [
      { name: "ANTHROPIC_API_KEY", auth: "x-api-key" },
      { name: "ANTHROPIC_AUTH_TOKEN", auth: "bearer" },
    ],
    contextTokens: null,
  },
  {
    id: "openai",
    wire: "openai-responses",
    baseUrl: "https://api.openai.com/v1",
    baseUrlEnv: "OPENAI_BASE_URL",
    keys: [{ name: "OPENAI_API_KEY", auth: "bearer" }],
    contextTokens: null,
  },
  {
    id: "openai-chat",
    wire: "openai-chat",
    baseUrl: "https://api.openai.com/v1",
    baseUrlEnv: "OPENAI_BASE_URL",
    keys: [{ name: "OPENAI_API_KEY", auth: "bearer" }],
    contextTokens: null,
  },
  {
    id: "openrouter",
    wire: "openai-chat",
    baseUrl: "https://openrouter.ai/api/v1",
    baseUrlEnv: "OPENROUTER_BASE_URL",
    keys: [{ name: "OPENROUTER_API_KEY", auth: "bearer" }],
    contextTokens: null,
  },
  {
    id: "zai",
    wire: "openai-chat",
    baseUrl: "https://api.z.ai/api/paas/v4",
    baseUrlEnv: "ZHIPU_BASE_URL",
    keys: [{ name: "ZHIPU_API_KEY", auth: "bearer" }],
    contextTokens: null,
  },
  {
    id: "ollama",
    wire: "ollama-chat",
    baseUrl: "http://127.0.0.1:11434",
    baseUrlEnv: "OLLAMA_HOST",
    keys: [],
    contextTokens: OLLAMA_CONTEXT_TOKENS,
  },
];
