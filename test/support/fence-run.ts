/** An engine with a disk and a fence on it, for tests that restore real bytes. */

import * as assert from 'uvu/assert'
import type { Answer, CommandAsk } from '../../src/engine/ask.ts'
import { readContent } from '../../src/images/content.ts'
import { type Fence, fenceNamed, fencesOf } from '../../src/layers/fence-state.ts'
import { type FenceOptions, type Fencing, type Reader, raiseDetail } from '../../src/layout/layout.ts'
import { type Run, type RunOptions, startRun } from './run.ts'

export const owner = 1
export const other = 2
const pieceBytes = 2 ** 20

export class FenceRun {
  readonly run: Run
  readonly size: number
  readonly block: number

  constructor(run: Run, size: number, block: number) {
    this.run = run
    this.size = size
    this.block = block
  }

  /** A command of the owner about fence f that has to succeed, with all that follows from it. */
  async must(kind: CommandAsk['kind'], more: Partial<CommandAsk> = {}): Promise<void> {
    const answer = await this.ask(kind, more)
    assert.is(answer.code, 'ok', `${kind} is ${answer.code}`)
    await this.settled()
  }

  ask(kind: CommandAsk['kind'], more: Partial<CommandAsk> = {}): Promise<Answer> {
    return this.run.engine.submit({ kind, session: owner, detail: { name: 'f' }, ...more } as CommandAsk)
  }

  raise(fencing: Fencing, options: FenceOptions = {}): Promise<void> {
    return this.must('fence.raise', { volume: 1, detail: raiseDetail('f', fencing, options) })
  }

  /** Until nothing follows any more: the pattern and flushes take a turn each. */
  async settled(): Promise<void> {
    for (let k = 0; k < 6; k++) await this.run.settled()
  }

  get fence(): Fence {
    const found = fenceNamed(fencesOf(this.run.engine.world), 'f')
    assert.ok(found !== undefined, 'fence f stands')
    return found!
  }

  get reader(): Reader {
    const { size, block } = this
    return { size, block, read: (offset, length) => this.bytes(offset, length) }
  }

  /** What the device holds, as somebody with the raw device sees it. */
  bytes(offset = 0, length = this.size): Uint8Array {
    const { engine, opened } = this.run
    return readContent(engine.world, engine.world.volumes[0]!, opened.payload, offset, length)
  }

  async write(offset: number, data: Uint8Array, session = owner): Promise<string> {
    for (let at = 0; at < data.length; at += pieceBytes) {
      const { code } = await this.run.engine.submit({
        kind: 'io.write',
        session,
        volume: 1,
        offset: offset + at,
        data: data.slice(at, at + pieceBytes),
      })
      if (code !== 'ok') return code
    }
    return 'ok'
  }

  async read(offset: number, length: number, session = other): Promise<{ code: string; data?: Uint8Array }> {
    return await this.run.engine.submit({ kind: 'io.read', session, volume: 1, offset, length })
  }
}

/** A disk with these bytes, the owner (session 1) and another host (session 2). */
export async function fenceRun(bytes: Uint8Array, block = 4096, options: RunOptions = {}): Promise<FenceRun> {
  const run = await startRun(options)
  await run.must('volume.create', { name: 'disk', size: bytes.length, block })
  await run.must('session.open', { name: 'owner' })
  await run.must('session.open', { name: 'other' })
  const disk = new FenceRun(run, bytes.length, block)
  assert.is(await disk.write(0, bytes), 'ok')
  return disk
}
