/**
 * Merged blocks against what they were merged from: outside the host's range they are what the volume held just
 * before, inside they are the bytes of the request where it waited, or zeros. Reads payload; of a write that went at
 * once the bytes inside are on record nowhere else.
 */

import type { MakeCheck } from '../check/check.ts'
import { sameBytes } from '../core/digest.ts'
import { BlockboxError } from '../core/errors.ts'
import type { Event } from '../events/columns.ts'
import { mergedBlocks } from '../images/merged.ts'
import { inFlightOf } from '../layers/in-flight.ts'
import { type Volume, volumeOf, type World } from '../layers/layer.ts'
import { isMerged, mergedBytes } from '../layers/sub-block.ts'
import type { PayloadStore } from '../payload/payload.ts'

/** The check over the payloads of a journal. */
export function subBlock(payload: PayloadStore): MakeCheck {
  return (report) => ({
    rules: ['sub-block'],
    before(event, world) {
      const volume = volumeOf(world, event.volume)
      if (volume === undefined || !isMerged(event, volume.block)) return
      if (event.offset + event.length > volume.size) return
      const detail = fault(event, volume, world, payload)
      if (detail !== undefined) report({ seq: event.seq, rule: 'sub-block', detail })
    },
  })
}

function fault(event: Event, volume: Volume, world: World, payload: PayloadStore): string | undefined {
  const { seq, op, about, offset, length } = event
  try {
    const stored = storedBlocks(event, volume, payload)
    const start = Math.floor(offset / volume.block) * volume.block
    let data: Uint8Array | undefined
    if (op === 'write') {
      data =
        about === 0 ? stored.slice(offset - start, offset - start + length) : asked(event, world, payload)
    }
    const right = mergedBlocks(world, volume, payload, event, data)
    if (sameBytes(stored, right)) return undefined
    const at = right.findIndex((byte, k) => byte !== stored[k])
    return `event ${seq} leaves other blocks than its bytes make of them: byte ${at} of its payload differs`
  } catch (error) {
    if (!(error instanceof BlockboxError)) throw error
    return `the blocks that event ${seq} leaves cannot be told: ${error.message}`
  }
}

/** The merged blocks as the row names them. */
function storedBlocks(event: Event, { block }: Volume, payload: PayloadStore): Uint8Array {
  const bytes = mergedBytes(event, block)
  return event.payload === 0 ? new Uint8Array(bytes) : payload.read(event.payload, bytes).slice()
}

/** What the host sent with a request that waited. */
function asked({ about, length }: Event, world: World, payload: PayloadStore): Uint8Array | undefined {
  const { held, queued } = inFlightOf(world)
  const request = held.get(about) ?? queued.get(about)
  return request === undefined ? undefined : payload.read(request.payload, length).slice()
}
