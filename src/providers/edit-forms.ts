import type { EditForm } from "../core/model.ts";

/** Models that change files best in another form than `edit`, by their id, whoever serves them. */
interface EditFormRule {
  readonly models: RegExp;
  readonly form: EditForm;
}

/** The first that matches counts; what none matches takes `edit`. */
const RULES: readonly EditFormRule[] = [
  // OpenAI trains its models on this form of a patch since GPT-4.1, and publishes it; others fail at every second one.
  { models: /(^|\/)(gpt-|chatgpt-|codex-|o[134](-|$))/i, form: "apply_patch" },
  // Up to 14 billion parameters: they seldom quote a text exactly, but copy a file well.
  { models: /(^|[:/_-])(\d(\.\d+)?|1[0-4])b($|[:_-])/i, form: "write" },
  // Ollama's default tag of these is such a small one.
  {
    models: /^(llama3(\.[12])?|gemma[23]n?|phi[34](-mini)?|mistral|qwen2\.5(-coder)?|qwen3)(:latest)?$/i,
    form: "write",
  },
];

/** The form in which a model changes files best, as far as its id tells. */
export function editFormOf(model: string): EditForm {
  return RULES.find(({ models }) => models.test(model))?.form ?? "edit";
}
