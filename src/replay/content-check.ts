/**
 * What reads returned (G-I6): every digest that was noted of a read, live, against the content that the folded state and
 * the stored payload give at that place. A read that returned anything but the last writes before it is found.
 *
 *     read folded ─▶ content now ─ same ─▶ sound
 *                             └ another ─▶ asked again at the end of its entry ─ same ─▶ sound
 *                                                                           └─ another ─▶ finding
 *
 * A read may see the state at any one moment of its entry. Payload that is missing or altered is a finding here too.
 */

import type { MakeCheck } from '../check/check.ts'
import { sha256, shortHigh, shortLow } from '../core/digest.ts'
import { BlockboxError } from '../core/errors.ts'
import { isInput } from '../events/kind.ts'
import { readContent } from '../images/content.ts'
import { volumeOf, type World } from '../layers/layer.ts'
import { isOnRecord } from '../layers/tap-state.ts'
import type { PayloadStore } from '../payload/payload.ts'

/** How much of the reads could be checked. */
export interface ContentCount {
  /** Reads whose digest was noted and compared, and their bytes. */
  reads: number
  bytes: number
  /** Reads that were answered and left no digest, and those of far disks whose content nobody recorded. */
  unknown: number
}

interface Read {
  readonly seq: number
  readonly session: number
  readonly request: number
  readonly volume: number
  readonly offset: number
  readonly length: number
  readonly high: number
  readonly low: number
}

/** A check that reads payload; counts what it did in `count`. */
export function contentCheck(payload: PayloadStore, count: ContentCount): MakeCheck {
  return (report) => {
    let doubtful: Read[] = []

    const fault = (read: Read, world: World): string | undefined => {
      const { volume, offset, length, high, low } = read
      try {
        const digest = sha256(readContent(world, volumeOf(world, volume)!, payload, offset, length))
        return shortHigh(digest) === high && shortLow(digest) === low ? undefined : 'G-I6'
      } catch (error) {
        if (error instanceof BlockboxError) return error.code
        throw error
      }
    }

    const settle = (world: World) => {
      for (const read of doubtful) {
        const rule = fault(read, world)
        if (rule === undefined) continue
        const { seq, session, request, volume, offset, length } = read
        const who = `read ${request} of session ${session} at ${offset}+${length} of volume ${volume}`
        const what =
          rule === 'G-I6' ? 'did not return the last writes before it' : 'is of payload that is damaged'
        report({ seq, rule, detail: `${who} ${what}` })
      }
      doubtful = []
    }

    return {
      rules: ['G-I6', 'PAYLOAD_CORRUPT'],
      before(event, world) {
        if (doubtful.length > 0 && isInput(event.kind)) settle(world)
      },
      after(event, world) {
        if (event.op !== 'read' || event.fate !== 'passed') return
        const { seq, session, request, volume, offset, length, digestHigh: high, digestLow: low } = event
        const range = { offset, length }
        const isKnown = event.kind !== 'tap.released' || isOnRecord(world, volumeOf(world, volume)!, range)
        if ((high === 0 && low === 0) || !isKnown) {
          count.unknown++
          return
        }
        count.reads++
        count.bytes += length
        const read = { seq, session, request, volume, offset, length, high, low }
        if (fault(read, world) !== undefined) doubtful.push(read)
      },
      end: settle,
    }
  }
}
