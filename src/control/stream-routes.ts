/** What takes long to tell: the events of a journal, past and to come, and the content of volumes. */

import * as v from 'valibot'
import { BlockboxError } from '../core/errors.ts'
import { type Kind, kindNames } from '../events/kind.ts'
import { imagePieces, mappedBytes } from '../images/export.ts'
import { unknownBytes } from '../layers/tap-state.ts'
import { type Point, parseAddress, parsePoint } from '../replay/point.ts'
import { volumeAt } from '../replay/volume-at.ts'
import { eventRecords, type Wanted } from './event-log.ts'
import { lineStream, sentEvents } from './event-stream.ts'
import { imageMedia, imageStream } from './image-stream.ts'
import { type Call, type Controlled, streamRoute } from './route.ts'
import { bytes, count, flag, name, point, text } from './schema.ts'

/** A stream of events says at least so often that it is alive. */
const idleMs = 15_000
/** A reader of server-sent events that takes nothing for so long is dropped. */
const defaultStallMs = 10_000

const kinds = v.optional(
  v.pipe(
    v.array(v.pipe(v.string(), v.maxLength(64))),
    v.maxLength(256),
    v.description('only these kinds, or all that begin so: io.write, io., backup'),
  ),
  [],
)

export const events = streamRoute({
  method: 'GET',
  path: '/events',
  summary: 'Events as they come, as server-sent events; Last-Event-ID goes on behind an event',
  media: 'text/event-stream',
  described: '`id` is the number of an event, `data` the event as `blockbox log --json` prints it',
  input: {
    from: v.optional(
      v.pipe(count, v.minValue(1), v.description('the first event; else the next one to come')),
    ),
    volume: v.optional(name),
    kind: kinds,
    last_event_id: v.optional(v.pipe(count, v.description('as the header of that name'))),
    stall_ms: v.optional(v.pipe(count, v.minValue(10), v.maxValue(60_000)), defaultStallMs),
  },
  async act(controlled, input, call) {
    const { last } = controlled.journal.bounds()
    const { last_event_id: behind, stall_ms: stallMs } = input
    const from = behind === undefined ? (input.from ?? last + 1) : behind + 1
    const wanted = { from: seq(from), volume: input.volume, kinds: kindsOf(input.kind) }
    const { records, leave } = await reading(controlled, wanted, call, true)
    const headers = { 'content-type': 'text/event-stream', 'cache-control': 'no-store' }
    return new Response(sentEvents(records, leave, stallMs), { headers })
  },
})

export const log = streamRoute({
  method: 'GET',
  path: '/log',
  summary: 'Events of the journal, one JSON object a line',
  media: 'application/x-ndjson',
  described: 'as `blockbox log --json` prints them; following, an empty line says that the server is alive',
  input: {
    from: v.optional(point),
    to: v.optional(point),
    volume: v.optional(name),
    block: v.optional(count),
    offset: v.optional(bytes),
    kind: kinds,
    follow: flag,
  },
  async act(controlled, { from, to, kind, follow, ...rest }, call) {
    const wanted = {
      ...rest,
      from: from === undefined ? undefined : seqOrPoint(from),
      to: to === undefined ? undefined : seqOrPoint(to),
      kinds: kindsOf(kind),
    }
    const { records, leave } = await reading(controlled, wanted, call, follow)
    const headers = { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' }
    return new Response(lineStream(records, leave), { headers })
  },
})

export const image = streamRoute({
  method: 'GET',
  path: '/image',
  summary: 'The content of a volume as it was, holes left out',
  media: imageMedia,
  described:
    'pieces in ascending order: offset (8 bytes, little-endian), length (4), as many bytes; at the end the size of ' +
    'the volume and 0. The headers Blockbox-Seq, -Size, -Block and -Mapped tell the event and the volume, -Unknown ' +
    'the bytes of a tapped one that nobody recorded.',
  input: { address: v.pipe(text, v.description('VOL or VOL@POINT')) },
  async act({ journal, payload }, { address }, { signal }) {
    const { volume: volumeName, point: when } = parseAddress(address)
    const { seq: at, volume, world } = await volumeAt(journal, volumeName, when, signal)
    const headers = {
      'content-type': imageMedia,
      'cache-control': 'no-store',
      'blockbox-seq': `${at}`,
      'blockbox-size': `${volume.size}`,
      'blockbox-block': `${volume.block}`,
      'blockbox-mapped': `${mappedBytes(volume)}`,
      'blockbox-unknown': `${unknownBytes(world, volume.id)}`,
    }
    return new Response(imageStream(imagePieces(volume, payload), volume.size), { headers })
  },
})

async function reading({ journal, engine }: Controlled, wanted: Wanted, { signal }: Call, follow: boolean) {
  const gone = new AbortController()
  const ending = AbortSignal.any([signal, gone.signal])
  const grown = follow ? { grown$: engine.frames$, idleMs } : {}
  return {
    records: await eventRecords(journal, wanted, { signal: ending, ...grown }),
    leave: () => gone.abort(),
  }
}

function seq(number: number): Point {
  return { by: 'seq', number }
}

/** A plain number is that of an event. Throws USAGE. */
export function seqOrPoint(given: string): Point {
  if (!/^\d+$/.test(given)) return parsePoint(given)
  return parsePoint(`seq:${given}`)
}

/** The kinds that words name; undefined when none is given. Throws USAGE. */
export function kindsOf(words: readonly string[]): readonly Kind[] | undefined {
  if (words.length === 0) return undefined
  const all = kindNames.filter((kind) => kind !== undefined)
  return words.flatMap((word) => {
    const named = all.filter(
      (kind) => kind === word || kind.startsWith(word.endsWith('.') ? word : `${word}.`),
    )
    if (named.length > 0) return named
    const known = [...new Set(all.map((kind) => kind.split('.')[0]!))].join(', ')
    throw new BlockboxError('USAGE', `there is no kind of event "${word}"; they begin with ${known}`)
  })
}
