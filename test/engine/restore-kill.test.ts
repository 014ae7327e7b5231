/**
 * A process is killed (SIGKILL) in the middle of a restore: the maps are there again, what is left is CDM and not PRM,
 * it ends, and every write that was acknowledged is there over the clone's content.
 */

// limit: 240 s

import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checks } from '../../src/check/all.ts'
import { recoverWorld } from '../../src/engine/open-engine.ts'
import { openToRead, openToWrite } from '../../src/engine/open-folder.ts'
import { readContent } from '../../src/images/content.ts'
import { pairsOf } from '../../src/layers/pair-state.ts'
import { restoresOf } from '../../src/layers/restore-state.ts'
import { replay } from '../../src/replay/replay.ts'
import { temporaryFolder } from '../support/folder.ts'

const test = suite('killed in a restore')

const folder = temporaryFolder()
test.after(() => folder.remove())

const block = 4096
const blocks = 512
const child = fileURLToPath(new URL('./restore-child.js', import.meta.url))

/** Runs the child and kills it so long after the restore began; the fills of the acknowledged writes by block. */
function killedAfter(ms: number, args: readonly string[]): Promise<Map<number, number>> {
  return new Promise((resolve, reject) => {
    const running = spawn(process.execPath, [child], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, BLOCKBOX_RESTORE: args.join('\n') },
    })
    let out = ''
    let timer: NodeJS.Timeout | undefined
    running.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text
      if (timer === undefined && out.includes('begun')) timer = setTimeout(() => running.kill('SIGKILL'), ms)
    })
    running.once('close', (_code, signal) => {
      clearTimeout(timer)
      if (signal !== 'SIGKILL') return reject(new Error('the child ended by itself'))
      const lines = out.split('\n').slice(1, -1)
      resolve(new Map(lines.map((line) => line.split(' ').map(Number) as [number, number])))
    })
  })
}

/** What the journal says is left: CDM and not PRM, counted bit by bit. */
async function leftIn(
  path: string,
): Promise<{ left: number; marked: number; written: number[] } | undefined> {
  const { journal } = await openToRead(path)
  const world = await recoverWorld(journal)
  await journal.close()
  const one = restoresOf(world).byTag.get(1)
  if (one === undefined) return undefined
  const { cdm } = pairsOf(world).byTag.get(1)!
  let left = 0
  for (let e = 0; e < cdm.length; e++) if (cdm.get(e) && !one.prm.get(e)) left++
  return { left, marked: cdm.count, written: one.prm.runs() }
}

async function survives(ms: number, mode: 'protected' | 'unprotected', clone?: string): Promise<boolean> {
  const path = folder.fresh('killed')
  const acked = await killedAfter(ms, [path, mode, ...(clone === undefined ? [] : [clone])])
  const before = await leftIn(path)
  if (before === undefined) return false
  const { engine, journal, payload } = await openToWrite(path)
  const kinds: { kind: string; volume: number; offset: number; count: unknown }[] = []
  for await (const frame of journal.read(journal.bounds().first)) {
    const row = frame.open()
    for (row.index = 0; row.index < frame.count; row.index++) {
      kinds.push({ kind: row.kind, volume: row.volume, offset: row.offset, count: row.detail.count })
    }
  }
  const resumed = kinds.findIndex(({ kind }) => kind === 'restore.resumed')
  assert.is(kinds[resumed]?.count, before.left, 'resumed with CDM and not PRM')
  for (let k = 0; k < 2000 && restoresOf(engine.world).byTag.size > 0; k++) {
    await new Promise((resolve) => setTimeout(resolve, 1))
    await engine.settled()
  }
  assert.is(restoresOf(engine.world).byTag.size, 0, 'the restore ends')
  const { world } = engine
  const base = clone === undefined ? 2 : 7
  const disk = readContent(world, world.volumes[0]!, payload, 0, blocks * block)
  const issued = new Set(Array.from({ length: 200 }, (_, k) => 3 + k))
  for (let at = 0; at < blocks; at++) {
    const found = disk[at * block]!
    if (!acked.has(at)) assert.ok(found === base || issued.has(found), `block ${at} is ${found}`)
    else assert.ok(found === acked.get(at) || issued.has(found), `block ${at}: acknowledged, and is ${found}`)
    assert.not(found === 1, `block ${at} is what it was before the restore`)
  }
  const lost = [...acked].filter(([at, fill]) => disk[at * block] !== fill)
  assert.ok(lost.length <= 4, 'at most the blocks of the one write that was not acknowledged are newer')
  if (mode === 'unprotected') {
    const other = readContent(world, world.volumes[1]!, payload, 0, blocks * block)
    assert.ok(Buffer.from(other).equals(Buffer.from(disk)), 'both sides are equal')
  }
  await engine.settled()
  assert.equal((await replay(journal, { checks })).findings, [])
  await engine.close()
  return true
}

for (const [name, mode, outside] of [
  ['protected, clone inside', 'protected', false],
  ['protected, clone outside', 'protected', true],
  ['unprotected', 'unprotected', false],
] as const) {
  test(`${name}: killed at three moments`, async () => {
    let clone: string | undefined
    if (outside) {
      clone = `${folder.fresh('clone')}.raw`
      writeFileSync(clone, new Uint8Array(blocks * block).fill(7))
    }
    let middles = 0
    for (const ms of [5, 40, 90]) if (await survives(ms, mode, clone)) middles++
    assert.ok(middles > 0, 'at least once the restore was under way')
  })
}

test.run()
