/**
 * LevelDB's corruption_test.cc by the names of its cases, each on a real LevelDB folder and with the promise of a
 * journal: LevelDB goes on with what is left, a journal says what the first event is that cannot be trusted; nothing
 * altered is returned, and salvage keeps the part in front.
 */

// limit: 240 s

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openToRead, openToWrite } from '../../src/engine/open-folder.ts'
import { scrub } from '../../src/journal/scrub.ts'
import { salvage } from '../../src/replay/salvage.ts'
import { verify } from '../../src/replay/verify.ts'
import { type Judged, judge, salvageFault } from '../../tools/sweep/judge.ts'
import { type Whole, wholeOf } from '../../tools/sweep/whole.ts'
import { temporaryFolder } from '../support/folder.ts'
import { fails } from '../support/frames.ts'
import {
  biggest,
  block,
  compactApart,
  corrupt,
  filesOf,
  fill,
  judgeApart,
  write,
} from '../support/leveldb.ts'

const test = suite('LevelDB corruption cases')
const folder = temporaryFolder()
test.after(() => folder.remove())

const writes = 60
/** The same 60 writes in a log, and in a table. */
const made = { log: '', table: '' }
let whole: Whole

test.before(async () => {
  const path = folder.fresh()
  const { engine } = await fill(path, writes)
  made.log = folder.copy(path)
  await engine.close()
  made.table = folder.copy(made.log)
  await (await openToRead(made.table)).journal.close()
  whole = await wholeOf(made.log, folder.fresh('work'))
  assert.is(filesOf(made.log, 'table').length, 0)
  assert.ok(readFileSync(biggest(made.table, 'table')).length > writes * block)
})

/** Demands that damage is said with the first bad event, and that salvage keeps all in front of it. */
async function isSaid(path: string): Promise<{ seq: number; judged: Judged }> {
  const apart = folder.copy(path)
  const [verdict] = judgeApart([path], whole)
  if (verdict === 'aborted') return assert.unreachable('LevelDB ended the process') as never
  assert.ok(verdict!.verdict === 'open' || verdict!.verdict === 'verify', JSON.stringify(verdict))
  assert.is(await salvageFault(apart, folder.fresh('salvaged'), whole, verdict!), undefined)
  return { seq: verdict!.seq!, judged: verdict! }
}

test('Recovery', async () => {
  const first = folder.copy(made.log)
  corrupt(biggest(first, 'log'), 19, 1)
  assert.is((await isSaid(first)).seq, 1)
  const middle = folder.copy(made.log)
  corrupt(biggest(middle, 'log'), 32_768 + 1000, 1)
  const { seq } = await isSaid(middle)
  assert.ok(seq > 4 && seq < 30, `event ${seq}`)
})

test('RecoverWriteError', async () => {
  const path = folder.copy(made.log)
  const script = `
    const { openToRead } = await import(${JSON.stringify(new URL('../../src/engine/open-folder.js', import.meta.url).href)})
    const { writeSync } = await import('node:fs')
    await openToRead(${JSON.stringify(path)}).then(() => console.log('opened'), (error) => console.log(error.code))`
  const command = 'ulimit -f 0 && "$0" --input-type=module -e "$1" | cat'
  const { stdout } = spawnSync('sh', ['-c', command, process.execPath, script], { encoding: 'utf8' })
  assert.is(stdout.trim(), 'JOURNAL_FULL')
  assert.equal(await judge(path, whole), { verdict: 'harmless' })
})

test('NewFileErrorDuringWrite', async () => {
  const path = folder.fresh()
  const { engine } = await fill(path, 4)
  const data = new Uint8Array(4 * block).fill(9)
  const db = join(path, 'db')
  renameSync(db, `${db}.away`)
  let acknowledged = 0
  const late = fails('JOURNAL_IN_DOUBT', async () => {
    for (; acknowledged < 4000; acknowledged++) {
      await engine.submit({ kind: 'io.write', session: 1, volume: 1, offset: 0, data })
    }
  })
  assert.match((await late).message, 'open the journal again')
  await engine.close().catch(() => undefined)
  renameSync(`${db}.away`, db)
  const { journal, payload } = await openToRead(path)
  const { findings, payloads } = await verify(journal, payload)
  await journal.close()
  assert.equal(findings, [])
  assert.ok(acknowledged > 500 && payloads - 4 - acknowledged <= 1, `${acknowledged} and ${payloads}`)
  assert.ok(payloads >= 4 + acknowledged, `${payloads - 4} of ${acknowledged} acknowledged are there`)
})

test('TableFile', async () => {
  const path = folder.copy(made.table)
  corrupt(biggest(path, 'table'), 100, 1)
  assert.ok((await isSaid(path)).seq <= 3)
})

test('TableFileRepair', async () => {
  const path = folder.copy(made.table)
  const size = readFileSync(biggest(path, 'table')).length
  corrupt(biggest(path, 'table'), size >> 1, 1)
  const { seq } = await isSaid(folder.copy(path))
  const to = folder.fresh('salvaged')
  const { last, fault, unlisted } = await salvage(path, to)
  assert.equal({ last, unlisted, bad: fault?.seq }, { last: seq - 1, unlisted: false, bad: seq })
})

test('TableFileIndexData', async () => {
  const path = folder.copy(made.table)
  corrupt(biggest(path, 'table'), -300, 200)
  const [verdict] = judgeApart([path], whole)
  assert.equal(
    verdict,
    { verdict: 'store', code: 'STORE_CORRUPT', isScrubbed: true },
    'the data is all there',
  )
  assert.is((await salvage(path, folder.fresh('salvaged'))).last, whole.events)
})

test('MissingDescriptor', async () => {
  const path = folder.copy(made.table)
  rmSync(biggest(path, 'manifest'))
  await fails('JOURNAL_CORRUPT', () => openToRead(path), 1)
  const { last, unlisted, fault } = await salvage(path, folder.fresh('salvaged'))
  assert.equal({ last, unlisted, fault }, { last: whole.events, unlisted: true, fault: undefined })
})

test('SequenceNumberRecovery', async () => {
  const path = folder.copy(made.table)
  rmSync(biggest(path, 'manifest'))
  const to = folder.fresh('salvaged')
  await salvage(path, to)
  for (const value of [201, 202]) {
    const { engine } = await openToWrite(to)
    const { made: session } = await engine.submit({ kind: 'session.open', detail: { name: `h${value}` } })
    await write(engine, session!, 7, value)
    await engine.close()
  }
  const { engine, journal, payload } = await openToWrite(to)
  const { made: session } = await engine.submit({ kind: 'session.open', detail: { name: 'reader' } })
  const read = await engine.submit({
    ...({ kind: 'io.read', session, volume: 1 } as const),
    ...{ offset: 7 * block, length: block },
  })
  assert.equal(read.data, new Uint8Array(block).fill(202))
  const { findings, events } = await verify(journal, payload)
  assert.equal(findings, [])
  assert.ok(events > whole.events)
  await engine.close()
})

test('CorruptedDescriptor', async () => {
  const path = folder.copy(made.table)
  corrupt(biggest(path, 'manifest'), 0, 1000)
  const { last } = await salvage(path, folder.fresh('salvaged'))
  assert.is(last, whole.events)
  await isSaid(path)
})

test('CompactionInputError', async () => {
  const path = folder.copy(made.table)
  const table = biggest(path, 'table')
  corrupt(table, 100_000, 1)
  const before = await isSaid(folder.copy(path))
  assert.is(compactApart(path), null)
  assert.is(existsSync(table), false, 'the table was compacted into another')
  const after = await isSaid(path)
  assert.ok(after.seq <= before.seq, `compacted, event ${after.seq} is named, before it was ${before.seq}`)
})

test('CompactionInputErrorParanoid', async () => {
  const path = folder.copy(made.table)
  const table = biggest(path, 'table')
  corrupt(table, 100_000, 1)
  const found: string[] = []
  const onFound = async (at: string) => {
    const faults = await scrub(at)
    found.push(...faults.map(({ file }) => file))
    return faults
  }
  const { journal } = await openToRead(path, { onFound })
  await journal.close()
  assert.equal(found, [table.slice(join(path, 'db').length + 1)], 'said before LevelDB reads or compacts it')
  assert.ok(existsSync(table))
})

test('UnrelatedKeys', async () => {
  const path = folder.copy(made.table)
  corrupt(biggest(path, 'table'), -block * 12, 1)
  const { engine, journal, payload } = await openToWrite(path)
  const { made: session } = await engine.submit({ kind: 'session.open', detail: { name: 'later' } })
  for (let k = 0; k < 5; k++) await write(engine, session!, k, 240 + k)
  for (let k = 0; k < 5; k++) {
    const where = { kind: 'io.read', session, volume: 1, offset: k * block, length: block } as const
    assert.equal((await engine.submit(where)).data, new Uint8Array(block).fill(240 + k))
  }
  const { findings } = await verify(journal, payload)
  assert.is(findings.length, 1, JSON.stringify(findings))
  assert.is(findings[0]!.rule, 'PAYLOAD_CORRUPT')
  assert.ok(findings[0]!.seq <= whole.events)
  await engine.close()
})

test.run()
