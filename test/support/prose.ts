/**
 * A paragraph of more than 400 characters that repeats nothing in itself: said again and again, it is no chant to
 * `core/chant.ts`, which would cut it.
 */
export const PARAGRAPH =
  "The function subtracts where its name promises a sum, and the check says so in its first line. Nothing else in the " +
  "project calls it, so a change of that one operator is enough; readers of the old behaviour cannot be hurt. Before any " +
  "edit I look at how the module is exported, whether somebody rounds the result, and which platforms run these scripts. " +
  "Afterwards every test is run once more, the page about arithmetic gets a note, and the work is handed over. ";
