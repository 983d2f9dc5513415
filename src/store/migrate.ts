import type Database from "better-sqlite3";
import { CcpError, EXIT } from "../core/errors.ts";
import type { Schema } from "./schema.ts";

/** Throws `CcpError("corrupt_journal")` for a database that is not one of this schema: it is somebody else's. */
export function refuseStranger(database: Database.Database, path: string, schema: Schema): void {
  const id = database.pragma("application_id", { simple: true });
  // A crash between creation and the first migration leaves 0 and 0: ours, and empty.
  if (id === schema.applicationId || (id === 0 && versionOf(database) === 0 && isEmpty(database))) return;
  throw new CcpError("corrupt_journal", EXIT.disk, `${path} is not a ${schema.name}`, {
    hint: "nothing was changed; move the file away to start a new one",
  });
}

/**
 * Brings a database to the newest version, in one transaction. `before`: called where there is something to do.
 * Throws `CcpError("newer_journal")` for a database that a newer ccp has written.
 */
export function migrate(database: Database.Database, path: string, schema: Schema, before = () => {}): void {
  if (isNewest(database, path, schema)) return;
  const { applicationId, migrations } = schema;
  database
    .transaction(() => {
      // Another process may have done it while this one waited.
      if (isNewest(database, path, schema)) return;
      before();
      for (const migration of migrations.slice(versionOf(database))) database.exec(migration);
      database.pragma(`application_id = ${applicationId}`);
      database.pragma(`user_version = ${migrations.length}`);
    })
    .immediate();
}

function isNewest(database: Database.Database, path: string, { name, migrations }: Schema): boolean {
  const [version, newest] = [versionOf(database), migrations.length];
  if (version <= newest) return version === newest;
  throw new CcpError(
    "newer_journal",
    EXIT.usage,
    `${path} was written by a newer ccp (${name} version ${version}, this one knows ${newest})`,
    { hint: "update ccp; nothing was changed" },
  );
}

/** How many migrations a database has been through. */
function versionOf(database: Database.Database): number {
  return database.pragma("user_version", { simple: true }) as number;
}

function isEmpty(database: Database.Database): boolean {
  return database.prepare("SELECT count(*) FROM sqlite_schema").pluck().get() === 0;
}
