/**
 * The data mover: reads an image over the data network and reports it to the engine piece by piece, which puts data on
 * the device and metadata aside. What comes next is asked of the state each time, so a mover that is sent again goes on
 * behind the last piece that is durable.
 *
 *     next piece of the fence's target ─▶ image.read ─▶ mover.report ─▶ (durable) ─▶ next ... ─▶ mover.report{done}
 *
 * Behind a fence that wants the image's metadata first it stops after that, until the pattern is over it.
 */

import { firstValueFrom } from 'rxjs'
import { isZeros } from '../core/zeros.ts'
import type { CommandAsk } from '../engine/ask.ts'
import type { Engine } from '../engine/engine.ts'
import { moverTarget } from '../layers/fence-mover.ts'
import { type Fence, fencesOf } from '../layers/fence-state.ts'
import type { Image } from './image-store.ts'
import type { Network } from './network.ts'

/** The longest piece that is read and reported at once, a multiple of every block. */
const pieceBytes = 2 ** 20

export interface MoverOptions {
  readonly engine: Engine
  readonly image: Image
  /** The network the image's bytes are read over. */
  readonly data: Network
  /** How many bytes the control network carried for this restore since it was asked for. */
  readonly controlBytes: () => number
  readonly pieceBytes?: number
}

/** Moves an image behind fence `tag`, until all is there or the engine says no. Resolves with how it ended. */
export async function moveImage(tag: number, options: MoverOptions): Promise<'done' | 'stopped'> {
  const { engine } = options
  for (;;) {
    const fence = fencesOf(engine.world).byTag.get(tag)
    if (fence?.mover?.running !== true) return 'stopped'
    const report = await nextReport(fence, options)
    if (report === undefined) {
      const frame = await firstValueFrom(engine.frames$, { defaultValue: undefined })
      if (frame === undefined) return 'stopped'
      continue
    }
    const { code } = await engine.submit(report)
    if (code !== 'ok' || report.code !== undefined) return 'stopped'
    if (report.detail?.done === true) return 'done'
  }
}

/** What to report next; undefined when the fence has to come to another phase first. */
async function nextReport(fence: Fence, options: MoverOptions): Promise<CommandAsk | undefined> {
  const { tag, phase, mover } = fence
  const { image, data, controlBytes } = options
  if (phase !== 'restoring' && phase !== 'operating') return undefined
  const asked = { kind: 'mover.report', tag } as const
  const next = moverTarget(fence).from(mover!.sent, options.pieceBytes ?? pieceBytes)
  if (next === undefined) {
    if (phase === 'restoring') return undefined
    return { ...asked, detail: { done: true, controlBytes: controlBytes() } }
  }
  const detail = { done: false, controlBytes: 0 }
  try {
    const bytes = data.carry(await image.read(next.offset, next.length))
    const zeros = isZeros(bytes)
    return { ...asked, offset: next.offset, detail, ...(zeros ? { length: next.length } : { data: bytes }) }
  } catch {
    return { ...asked, code: 'E_IO', detail }
  }
}
