/** A kind of database of ours: whose it is, and how it came to its present form. */
export interface Schema {
  /** What people call such a file. */
  readonly name: string;
  /** SQLite's `application_id`: tells a file of this kind from any other. */
  readonly applicationId: number;
  /** The nth brings a database from version n to n+1. */
  readonly migrations: readonly string[];
}
