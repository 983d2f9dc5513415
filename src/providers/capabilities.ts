import { CAPABILITIES, type Capabilities, type Capability } from "../core/model.ts";

/** What a family of models can do, by their ids, whoever serves them. */
interface Family {
  readonly models: RegExp;
  readonly can: readonly Capability[];
}

/** As their vendors document it. The first that matches counts; of what none matches nothing is known. */
const FAMILIES: readonly Family[] = [
  { models: /(^|\/)claude-3-(5-)?(opus|sonnet|haiku)/i, can: ["tools", "vision"] },
  { models: /(^|\/)claude-(3[.-]7|(opus|sonnet|haiku|fable|mythos)-\d)/i, can: ["tools", "thinking", "vision"] },
  { models: /(^|\/)(o1-mini|o3-mini)/i, can: ["tools", "thinking"] },
  { models: /(^|\/)gpt-[\d.]+-chat/i, can: ["tools", "vision"] },
  { models: /(^|\/)(gpt-[5-9]|o[134](-|$))/i, can: ["tools", "thinking", "vision"] },
  { models: /(^|\/)(gpt-4o|gpt-4\.1)/i, can: ["tools", "vision"] },
  { models: /(^|\/)gpt-oss/i, can: ["tools", "thinking"] },
  { models: /(^|\/)glm-[\d.]+v/i, can: ["tools", "thinking", "vision"] },
  { models: /(^|\/)glm-(4\.[5-9]|[5-9])/i, can: ["tools", "thinking"] },
  { models: /(^|\/)gemini-(2\.5|[3-9])/i, can: ["tools", "thinking", "vision"] },
  { models: /(^|\/)(qwen3-coder|qwen2\.5-coder|devstral|codestral)/i, can: ["tools"] },
  { models: /(^|\/)deepseek-reasoner/i, can: ["tools", "thinking"] },
];

/** What a model can and what it cannot, as far as its id tells; empty: nothing is known. */
export function capabilitiesOf(model: string): Capabilities {
  const family = FAMILIES.find(({ models }) => models.test(model));
  if (family === undefined) return {};
  return Object.fromEntries(CAPABILITIES.map((capability) => [capability, family.can.includes(capability)]));
}
