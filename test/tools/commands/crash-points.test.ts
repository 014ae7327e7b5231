/** A database at three crash points: what a journal gives back is a file system and a database that are whole. */

// needs: program sqlite3
// needs: program debugfs

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { json, ofRepository, scratch } from './blockbox.ts'

const test = suite('crash points')

interface CrashPoint {
  readonly point: string
  readonly ledger_rows?: number
}

const trace = 'sqlite_delete.dmlog.gz'
const all = JSON.parse(readFileSync(ofRepository('test', 'traces-expected.json'), 'utf8')) as Record<
  string,
  readonly CrashPoint[]
>
const points = all[trace]!.filter((one) => one.ledger_rows !== undefined)
const folder = scratch()
const journal = join(folder, 'ledger.journal')

test.before(async () => {
  await json('import', ofRepository('traces', trace), '-j', journal, '--volume', 'disk')
})

/** What a statement says of the database in an image of the disk. A hot journal beside it is rolled back first. */
function ask(image: string, statement: string): string {
  for (const name of ['app.db', 'app.db-journal']) {
    execFileSync('debugfs', ['-R', `dump /${name} ${join(folder, name)}`, image], { stdio: 'pipe' })
  }
  return execFileSync('sqlite3', [join(folder, 'app.db'), statement], { encoding: 'utf8' }).trim()
}

for (const { point, ledger_rows } of [points[1]!, points[15]!, points[30]!]) {
  test(`after ${point} the database is whole and its money adds up`, async () => {
    const image = join(folder, `${point.replace(':', '-')}.img`)
    await json('image', `disk@${point}`, '-j', journal, '-o', image)
    assert.is(ask(image, 'pragma integrity_check'), 'ok')
    assert.is(ask(image, 'select count(*) from ledger'), String(ledger_rows))
    assert.is(ask(image, 'select sum(bal) from acct'), '50000')
  })
}

test.run()
