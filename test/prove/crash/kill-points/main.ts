import { syncBuiltinESMExports } from "node:module";
import { installFilePoints } from "./file-points.ts";
import { installJournalPoints } from "./journal-points.ts";
import { installProcessPoints } from "./process-points.ts";
import { installRequestPoints } from "./request-points.ts";

// Loaded into ccp by `NODE_OPTIONS=--import`, before ccp itself: the product knows nothing of it.
const [, main] = process.argv;
if (main === undefined) throw new Error("kill points are for a program");
installJournalPoints(main);
installRequestPoints();
installProcessPoints();
await installFilePoints();
syncBuiltinESMExports();
