/** The events of a recording that holds only some entries: there is no journal to make of it. */

import { stat } from 'node:fs/promises'
import { assertVolume, recordsOf, type Wanted } from '../src/control/event-log.ts'
import { BlockboxError } from '../src/core/errors.ts'
import type { EventRecord } from '../src/inspect/event-record.ts'
import { Names } from '../src/inspect/names.ts'
import { isWhole } from '../src/recording/header.ts'
import { isRecording, openRecording } from '../src/recording/recording-file.ts'
import type { Point } from '../src/replay/point.ts'
import { newWorld } from '../src/volume.ts'
import { interrupt } from './interrupt.ts'

export async function isPartial(path: string): Promise<boolean> {
  if ((await stat(path).catch(() => undefined))?.isFile() !== true || !(await isRecording(path, interrupt)))
    return false
  const { header, items } = await openRecording(path, interrupt)
  await items.return()
  return !isWhole(header)
}

/** Throws USAGE for points that are no numbers of events, NO_SUCH_VOLUME at the end. */
export async function* partialRecords(path: string, wanted: Wanted): AsyncGenerator<EventRecord[]> {
  const { header, items } = await openRecording(path, interrupt)
  const names = new Names(newWorld())
  for (const { number, name } of header.volumes) names.volumeIs(number, name)
  const { volume, block, offset, from, to } = wanted
  const size = header.volumes.findLast(({ name }) => name === volume)?.block ?? 0
  const byte = block === undefined ? offset : block * size
  const cut = { ...wanted, byte, first: numberOf(from, header.first), last: numberOf(to, header.last) }
  for await (const item of items) {
    if (item.is !== 'entry') continue
    const records = recordsOf(item.row, item.instantNs, cut, names)
    if (records.length > 0) yield records
  }
  assertVolume(wanted, names, header.last)
}

/** Where only some entries are there, other points may not be among them. */
function numberOf(point: Point | undefined, otherwise: number): number {
  if (point === undefined) return otherwise
  if (point.by === 'seq') return point.number
  throw new BlockboxError('USAGE', 'this recording holds only some entries: name events by their numbers')
}
