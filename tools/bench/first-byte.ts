/**
 * How long a host waits for the first byte of a volume that is restored from a file outside, by the size of the volume:
 * from the start of the restore, and from the command that makes volume, pair and restore at once. The file has no
 * content but its last block, which is what the host reads.
 */

import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { makeFrom } from '../../src/control/volume-from.ts'
import type { CommandAsk } from '../../src/engine/ask.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { openToWrite } from '../../src/engine/open-folder.ts'
import { interrupt } from '../interrupt.ts'
import { withFolder } from './folder.ts'
import type { Line } from './line.ts'
import { type Contender, collectGarbage, medians } from './rounds.ts'

const block = 4096
const sizes = [
  ['1 GiB', 2 ** 30],
  ['64 GiB', 2 ** 36],
  ['1 TiB', 2 ** 40],
  ['8 TiB', 2 ** 43],
] as const
const groups = ['first byte after restore start', 'first byte after volume create --from'] as const
/** Milliseconds. */
const target = { valueBelow: 10 }

export interface FirstByteOptions {
  readonly rounds: number
  readonly warmup: number
}

export function firstByteLines(options: FirstByteOptions): Promise<Line[]> {
  return withFolder(async (folder) => {
    const { engine } = await openToWrite(join(folder, 'a.journal'), { create: true })
    try {
      const host = await must(engine, { kind: 'session.open', detail: { name: 'host' } })
      const contenders: Contender[] = []
      for (const [text, size] of sizes) {
        const path = join(folder, `${size}.img`)
        await makeFile(path, size)
        for (const group of groups) {
          const go = () => firstByte(engine, { path, size, host, made: group === groups[1] })
          contenders.push({ name: `${group}, ${text}`, go })
        }
      }
      const taken = await medians(contenders, options)
      return groups.flatMap((group) => {
        const of = (text: string) => taken.get(`${group}, ${text}`)!
        return sizes.map(([text]) => {
          const value = of(text)
          return { group, name: text, value, unit: 'ms', ratio: of(sizes[0][0]) / value, target }
        })
      })
    } finally {
      await engine.close()
    }
  })
}

async function makeFile(path: string, size: number): Promise<void> {
  const file: FileHandle = await open(path, 'w')
  await file.write(new Uint8Array(block).fill(7), 0, block, size - block)
  await file.close()
}

interface Disk {
  readonly path: string
  readonly size: number
  /** The session that reads. */
  readonly host: number
  /** True when the time counts from before the volume is made. */
  readonly made: boolean
}

let made = 0

/** Milliseconds from the start to the answer of the host's read. */
async function firstByte(engine: Engine, { path, size, host, made: whole }: Disk): Promise<number> {
  const name = `d${++made}`
  const from = { from: path, block, extent: undefined, copy: false, rate: 0, key: undefined }
  collectGarbage()
  let started = performance.now()
  const { answer, command } = await makeFrom(engine, name, { ...from, wait: true }, interrupt)
  if (answer.code !== 'ok') throw new Error(`${command} was refused: ${answer.code}`)
  const volume = engine.world.volumes.length
  if (!whole) {
    await must(engine, { kind: 'restore.cancel', detail: { pair: name, force: true } })
    await engine.settled()
    collectGarbage()
    started = performance.now()
    await must(engine, { kind: 'restore.start', detail: { pair: name, protected: true } })
  }
  const read = { kind: 'io.read', session: host, volume, offset: size - block, length: block } as const
  const { code, data } = await engine.submit(read)
  const took = performance.now() - started
  if (code !== 'ok' || !data?.every((byte) => byte === 7)) throw new Error(`the host read: ${code}`)
  await must(engine, { kind: 'restore.cancel', detail: { pair: name, force: true } })
  while (!(await isGone(engine, name))) await engine.settled()
  await must(engine, { kind: 'volume.delete', volume })
  return took
}

/** Gives the pair up; false while copies are still on their way. */
async function isGone(engine: Engine, name: string): Promise<boolean> {
  const { code } = await engine.submit({ kind: 'pair.delete', detail: { name } })
  if (code === 'ok') return true
  if (code !== 'E_BUSY_RESTORE' && code !== 'E_AGAIN') throw new Error(`pair.delete was refused: ${code}`)
  await new Promise((resolve) => setImmediate(resolve))
  return false
}

async function must(engine: Engine, ask: CommandAsk): Promise<number> {
  const { code, made: number } = await engine.submit(ask)
  if (code !== 'ok') throw new Error(`${ask.kind} was refused: ${code}`)
  return number
}
