/**
 * The process that is killed: `writer.js JOURNAL STAMP`. Opens the journal, made when there is none, and writes with
 * several hosts at once until it is ended, now and then so much at once that it goes to a segment. Says `s BLOCK COUNT STAMP`
 * before it submits a write and `a BLOCK COUNT STAMP` when it was acknowledged; stamps count up from STAMP. A host that
 * starts and stops backups holds some of the writes meanwhile.
 */

import { writeSync } from 'node:fs'
import type { Engine } from '../../src/engine/engine.ts'
import { openToWrite } from '../../src/engine/open-folder.ts'
import { segmentedBytes } from '../../src/journal/segmented-store.ts'
import { blockBytes, blocks, stamped } from './stamp.ts'

const hosts = 4
const blocksOfHost = blocks / hosts
const longBlocks = segmentedBytes / blockBytes
/** One write in so many is a long one. */
const longEvery = 5
const [path, stamp] = process.argv.slice(2) as [string, string]
let next = Number(stamp)

const { engine, journal } = await openToWrite(path, { create: true, checkpointEvery: 500 })
if (engine.world.volumes.length === 0) {
  const detail = { name: 'disk', size: blocks * blockBytes, block: blockBytes }
  await engine.submit({ kind: 'volume.create', detail })
}
const epoch = journal.bounds().last
writeSync(1, 'ready\n')
await Promise.all([...Array.from({ length: hosts }, (_, host) => write(engine, host)), backUp(engine)])

/** Each host has blocks of its own, so that the order of what it wrote to one is known. */
async function write(engine: Engine, host: number): Promise<void> {
  const session = await sessionOf(engine, `host-${epoch}-${host}`)
  for (let k = 0; ; k++) {
    const count = k % longEvery === longEvery - 1 ? longBlocks : 1
    const at = host * blocksOfHost + ((k * 13) % (blocksOfHost - count + 1))
    const mine = next++
    writeSync(1, `s ${at} ${count} ${mine}\n`)
    const data = stamped(mine, count)
    const { code } = await engine.submit({
      ...({ kind: 'io.write', session, volume: 1 } as const),
      ...{ offset: at * blockBytes, data },
    })
    if (code === 'ok') writeSync(1, `a ${at} ${count} ${mine}\n`)
  }
}

async function backUp(engine: Engine): Promise<void> {
  const terms = { volumes: [1], deadlineMs: 1000, maxEntries: 100, maxBytes: 2 ** 20 }
  for (let k = 0; ; k++) {
    const name = `backup-${epoch}-${k}`
    await engine.submit({ kind: 'backup.start', detail: { name, ...terms } })
    await new Promise((resolve) => setTimeout(resolve, 10))
    await engine.submit({ kind: 'backup.stop', detail: { name } })
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function sessionOf(engine: Engine, name: string): Promise<number> {
  const { made } = await engine.submit({ kind: 'session.open', detail: { name } })
  return made!
}
