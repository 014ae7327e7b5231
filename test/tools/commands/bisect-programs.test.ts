/**
 * `blockbox bisect` with the programs people would use: the write of another host that broke a file system, found with
 * e2fsck, and the write with which a transaction became part of a database, found with sqlite3.
 */

// needs: program e2fsck
// needs: program debugfs
// needs: program sqlite3

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { blockbox, json, ofRepository, scratch } from './blockbox.ts'

const test = suite('bisect with programs')

const folder = scratch()
const journal = join(folder, 'disk.journal')

interface Found {
  readonly first_bad: {
    readonly seq: number
    readonly kind: string
    readonly request: number
    readonly offset: number
  }
  readonly host: string
  readonly changes: number
  readonly images_built: number
  readonly last_good: number
  readonly steps: readonly { readonly seq: number; readonly says: string }[]
}

test.before(async () => {
  await json('import', ofRepository('traces', 'sqlite_delete.dmlog.gz'), '-j', journal, '--volume', 'disk')
})

const bisected = async (...args: readonly string[]) => {
  const [options, command] = [args.slice(0, args.indexOf('--')), args.slice(args.indexOf('--'))]
  const found = await foundBy([
    'bisect',
    '-j',
    journal,
    '--volume',
    'disk',
    ...options,
    '--timeout',
    '60',
    '--json',
    ...command,
  ])
  const few = Math.ceil(Math.log2(found.changes)) + 2
  assert.ok(found.images_built <= few, `${found.images_built} images for ${found.changes} changes`)
  return found
}

async function foundBy(args: readonly string[]): Promise<Found> {
  const { code, out, err } = await blockbox(args)
  assert.is(code, 0, err)
  return JSON.parse(out) as Found
}

test('the first write after which the ledger has sixty rows', async () => {
  const check = join(folder, 'sixty.sh')
  writeFileSync(
    check,
    `cd "$(dirname "$1")" && rm -f app.db app.db-journal
    for f in app.db app.db-journal; do debugfs -R "dump /$f $f" "$1" >/dev/null 2>&1; done
    rows=$(sqlite3 app.db 'select count(*) from ledger' 2>/dev/null) || exit 125
    [ "$rows" -lt 60 ]`,
  )
  const found = await bisected('--good', 'source:51', '--', 'sh', check)
  assert.is(found.first_bad.kind, 'io.write')
  assert.is(found.host, 'import')
  const { request } = found.first_bad
  assert.ok(request > 599 && request < 700, `request ${request}`)
})

test('the write of another host that broke the file system', async () => {
  const guilty = 238
  const lines = Array.from({ length: 400 }, (_, k) => {
    const offset = k + 1 === guilty ? 8192 : 12 * 2 ** 20 + ((k * 37) % 900) * 4096
    return `${k} disk write ${offset} 4096`
  })
  const rogue = join(folder, 'rogue.iolog')
  writeFileSync(rogue, ['fio version 3 iolog', '0 disk add', '0 disk open', ...lines, ''].join('\n'))
  const { head } = (await json('info', '-j', journal)) as { head: { seq: number } }
  await json('run', '-j', journal, '--volume', `disk=${rogue}`)
  const found = await bisected('--good', `seq:${head.seq}`, '--', 'e2fsck', '-fn', '{}')
  assert.equal([found.first_bad.request, found.first_bad.offset, found.host], [guilty, 8192, 'rogue'])
  assert.is(found.changes, 400)
})

test.run()
