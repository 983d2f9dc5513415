/** What holds where a pipeline does not say. The limit is that of the field: after two stronger models a person should look. */
export const DEFAULT_ESCALATION = { limit: 2, confidence: 0.5, uncertainty: 0.7 } as const;
