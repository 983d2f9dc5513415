/** Names of built-in providers after which another may be made (`via`); some of them go by two names. */
export const VIA_NAMES = ["anthropic", "openai", "openai-chat", "openrouter", "zai", "zhipu", "ollama"] as const;

/** The id of the built-in provider that a name means. */
export function builtInOf(via: (typeof VIA_NAMES)[number]): string {
  return via === "zhipu" ? "zai" : via;
}
