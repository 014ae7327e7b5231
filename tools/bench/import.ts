/**
 * Importing: traces read, parsed and summarised as `blockbox import --summary` does it. Formats without payload by the
 * event; a log with payload beside gunzip and SHA-256 of the same bytes, in the same rounds; and recording it into a
 * journal, which is more than importing.
 */

import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream, statSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { openToWrite } from '../../src/engine/open-folder.ts'
import { recordTrace } from '../../src/run/import-run.ts'
import type { TraceEvent } from '../../src/trace/event.ts'
import { traceOutput } from '../../src/trace/output-format.ts'
import { readTrace } from '../../src/trace/source.ts'
import { summarise } from '../../src/trace/summary.ts'
import { writeTraceFile } from '../trace-file.ts'
import { withFolder } from './folder.ts'
import type { Line } from './line.ts'
import { type Contender, collectGarbage, medians, microseconds, type Rounds } from './rounds.ts'
import { sampleFormats } from './trace-sample.ts'

export interface ImportOptions extends Rounds {
  /** Events of a trace without payload. */
  readonly events: number
  /** Bytes of payload of the log. */
  readonly payloadBytes: number
}

const mostNs = { binary: 1000, text: 2500 }
const unpacking = 'gunzip + SHA-256'
const importing = 'import with payload'
const recording = 'record into a journal'
const writeBytes = 16_384

/** The lines of all formats. Throws when an import does not see every event. */
export function importLines(options: ImportOptions): Promise<Line[]> {
  return withFolder(async (folder) => [
    ...(await formatLines(folder, options)),
    ...(await payloadLines(folder, options)),
  ])
}

async function formatLines(folder: string, options: ImportOptions): Promise<Line[]> {
  const contenders: Contender[] = []
  for (const { name, pieces } of sampleFormats) {
    const path = join(folder, name)
    await pipeline(Readable.from(pieces(options.events)), createWriteStream(path))
    contenders.push({ name, go: () => summarised(path, name, options.events) })
  }
  const taken = await medians(contenders, options)
  return sampleFormats.map(({ name, binary }) => ({
    group: `import, ${binary ? 'binary' : 'table'}`,
    name,
    value: taken.get(name),
    unit: 'ns/event',
    target: { valueBelow: binary ? mostNs.binary : mostNs.text },
  }))
}

/** Nanoseconds an event. */
async function summarised(path: string, format: string, events: number): Promise<number> {
  collectGarbage()
  let seen = 0
  const took = await microseconds(async () => {
    const sum = summarise()
    for await (const batch of readTrace(path, { format })) for (const event of batch.events) sum.add(event)
    seen = sum.result().events
  })
  if (seen !== events) throw new Error(`${format}: ${seen} of ${events} events`)
  return (took * 1000) / events
}

async function payloadLines(folder: string, options: ImportOptions): Promise<Line[]> {
  const path = join(folder, 'log.gz')
  const events = await writeLog(path, options.payloadBytes)
  const mib = options.payloadBytes / 2 ** 20
  const perMib = (took: number) => took / mib
  let round = 0
  const contenders: Contender[] = [
    { name: unpacking, go: async () => perMib(await microseconds(() => unpacked(path))) },
    {
      name: importing,
      go: async () => ((await summarised(path, 'dm-log-writes', events)) * events) / 1000 / mib,
    },
    {
      name: recording,
      go: async () => {
        const { engine } = await openToWrite(join(folder, `journal${round++}`), {
          create: true,
          ack: 'buffered',
        })
        const took = await microseconds(() => recordTrace(engine, { path, volume: 'v' }))
        await engine.close()
        return perMib(took)
      },
    },
  ]
  const taken = await medians(contenders, options)
  const group = `log of ${mib} MiB, ${(statSync(path).size / 2 ** 20).toFixed(0)} packed`
  return contenders.map(({ name }): Line => {
    const line = {
      group,
      name,
      value: taken.get(name),
      unit: 'us/MiB',
      ratio: taken.get(unpacking)! / taken.get(name)!,
    }
    return name === importing ? { ...line, target: { ratioAtLeast: 0.5 } } : line
  })
}

async function unpacked(path: string): Promise<void> {
  const digest = createHash('sha256')
  for await (const piece of createReadStream(path).pipe(createGunzip({ chunkSize: 128 * 1024 })))
    digest.update(piece)
  digest.digest()
}

/** A log of writes of content that packs about three to one; returns how many. */
async function writeLog(path: string, bytes: number): Promise<number> {
  const events = Math.ceil(bytes / writeBytes)
  async function* batches() {
    for (let index = 0; index < events; index++) {
      const offset = ((index * 37) % 4096) * writeBytes
      const event: TraceEvent = {
        index,
        op: 'write',
        offset,
        length: writeBytes,
        tNs: null,
        dev: null,
        flags: [],
      }
      yield { events: [{ ...event, data: content(index) }] }
    }
  }
  await writeTraceFile({ path, force: true, again: true, output: traceOutput('dm-log-writes') }, batches)
  return events
}

/** A third of it is noise, the rest repeats it. */
function content(index: number): Uint8Array {
  const bytes = new Uint8Array(writeBytes)
  const words = new Uint32Array(bytes.buffer, 0, writeBytes / 12)
  let state = index + 1
  for (let k = 0; k < words.length; k++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    words[k] = state
  }
  const noise = words.length * 4
  bytes.copyWithin(noise, 0, noise)
  bytes.copyWithin(2 * noise, 0, writeBytes - 2 * noise)
  return bytes
}
