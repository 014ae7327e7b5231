/**
 * better-sqlite3 as the peer that many would choose: write-ahead log, synchronous=FULL, a row an event, a transaction
 * a commit. It is no dependency: `npm install --no-save better-sqlite3@12.11.1` brings it.
 */

interface Database {
  pragma(text: string): unknown
  exec(sql: string): unknown
  prepare(sql: string): { run(...values: readonly unknown[]): unknown }
  transaction(act: () => void): () => void
  close(): void
}

export class SqliteSide {
  readonly #database: Database
  readonly commit: () => void

  /** @param bytes of each of the `events` rows of a commit. */
  constructor(database: Database, events: number, bytes: number) {
    this.#database = database
    database.pragma('journal_mode = WAL')
    database.pragma('synchronous = FULL')
    database.exec('CREATE TABLE event (seq INTEGER PRIMARY KEY, value BLOB)')
    const insert = database.prepare('INSERT INTO event (seq, value) VALUES (?, ?)')
    const value = Buffer.alloc(bytes, 0x5a)
    let seq = 0
    this.commit = database.transaction(() => {
      for (let k = 0; k < events; k++) insert.run(++seq, value)
    })
  }

  close(): void {
    this.#database.close()
  }
}

/** How to open a database file; undefined when the package is not installed, or its compiled part is missing. */
export async function sqlite(): Promise<((path: string) => Database) | undefined> {
  const name: string = 'better-sqlite3'
  try {
    const { default: Sqlite } = (await import(name)) as { default: new (path: string) => Database }
    new Sqlite(':memory:').close()
    return (path) => new Sqlite(path)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ERR_MODULE_NOT_FOUND' || code === 'ERR_DLOPEN_FAILED') return undefined
    if (message.startsWith('Could not locate the bindings file')) return undefined
    throw error
  }
}
