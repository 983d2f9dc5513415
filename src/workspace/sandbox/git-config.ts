/** A repository's configuration without what opens its remotes: passwords in addresses, headers and tokens. */
export function redactedConfig(text: string): string {
  const lines = text.replace(/\\\r?\n/g, "").split("\n");
  return lines
    .filter((line) => !/^\s*(\[.*\]\s*)?\w*(extraheader|password|token|secret)\w*\s*=/i.test(line))
    .map((line) => line.replace(/:\/\/[^/\s"@]*@/g, "://"))
    .join("\n");
}
