/**
 * The header of a recording: what it holds and what of it can be checked. One JSON object, the first line of the line
 * form and the first record of the compact one. Fields and rules: traces/README.md.
 *
 * A reader refuses a newer version, and a field that it does not know: a field may change what the rest means.
 */

import { fromHex, hex } from '../core/digest.ts'
import { BlockboxError } from '../core/errors.ts'
import { Plain } from './plain.ts'

export const recordingFormat = 'blockbox-trace'
export const recordingVersion = 1

/** What became of payload: all is there, none is, or only what is no longer than `inlineMax` bytes. */
export type PayloadKept = 'whole' | 'digests' | 'some'

export interface RecordedVolume {
  readonly number: number
  readonly name: string
  readonly size: number
  readonly block: number
}

export interface RecordingHeader {
  /** The program that wrote the recording. */
  readonly program: string
  /** First and last event of the range. */
  readonly first: number
  readonly last: number
  /** Hash of the frame before the first one, and the epoch then; zeros and 0 at the beginning of a journal. */
  readonly previous: Uint8Array
  readonly epoch: number
  readonly payload: PayloadKept
  /** Bytes; with `payload: some`. */
  readonly inlineMax?: number
  /** Volumes that were made up to the last event, with the size they were made with. */
  readonly volumes: readonly RecordedVolume[]
  /** Only the entries about these are there: order can be seen, nothing can be decided again. */
  readonly only?: { readonly volume?: string; readonly session?: number }
  /** `payload`: payloads were taken out; `names`: names too, so that chain and state hashes are new ones. */
  readonly redacted?: 'payload' | 'names'
}

/** True when the frames are whole: they can be folded and decided again. */
export function isWhole(header: RecordingHeader): boolean {
  return header.only === undefined
}

/** The header as one JSON object, its keys in the order of the documentation. */
export function headerJson(header: RecordingHeader): string {
  const { program, first, last, previous, epoch, payload, inlineMax, volumes, only, redacted } = header
  return JSON.stringify({
    format: recordingFormat,
    version: recordingVersion,
    program,
    first,
    last,
    previous: hex(previous),
    epoch,
    payload,
    ...(inlineMax !== undefined && { inline_max: inlineMax }),
    volumes: volumes.map(({ number, name, size, block }) => ({ number, name, size, block })),
    ...(only !== undefined && { only }),
    ...(redacted !== undefined && { redacted }),
  })
}

/** Whether a text or its beginning is that of a recording's header. */
export function beginsRecording(text: string): boolean {
  return text.startsWith(`{"format":"${recordingFormat}"`)
}

/** Reads a header. Throws TRACE_FORMAT, saying `where`. */
export function parseHeader(json: string, where: string): RecordingHeader {
  const plain = Plain.parse(json, where)
  if (plain.text('format') !== recordingFormat) throw plain.fault('this is not the header of a recording')
  const version = plain.count('version')
  if (version > recordingVersion) {
    const message = `${where}: the recording has format version ${version}, this program reads up to ${recordingVersion}`
    throw new BlockboxError('TRACE_FORMAT', `${message}: use a newer blockbox`)
  }
  if (version < 1) throw plain.fault('there is no version 0')
  const kept = plain.text('payload')
  if (kept !== 'whole' && kept !== 'digests' && kept !== 'some') {
    throw plain.fault(`payload is "${kept}", not whole, some or digests`)
  }
  const previous = fromHex(plain.text('previous'))
  if (previous === undefined) throw plain.fault('previous is no SHA-256')
  const redacted = plain.optionalText('redacted')
  if (redacted !== undefined && redacted !== 'payload' && redacted !== 'names') {
    throw plain.fault(`redacted is "${redacted}", not payload or names`)
  }
  const header: RecordingHeader = {
    program: plain.text('program'),
    first: plain.count('first'),
    last: plain.count('last'),
    previous,
    epoch: plain.count('epoch'),
    payload: kept,
    ...(plain.has('inline_max') && { inlineMax: plain.count('inline_max') }),
    volumes: plain.list('volumes').map((volume) => {
      const made = {
        number: volume.count('number'),
        name: volume.text('name'),
        size: volume.count('size'),
        block: volume.count('block'),
      }
      volume.done()
      return made
    }),
    ...(plain.has('only') && { only: onlyOf(plain.object('only')) }),
    ...(redacted !== undefined && { redacted }),
  }
  plain.done()
  if (header.first < 1 || header.last < header.first - 1) throw plain.fault('the range makes no sense')
  return header
}

function onlyOf(plain: Plain): NonNullable<RecordingHeader['only']> {
  const volume = plain.optionalText('volume')
  const only = {
    ...(volume !== undefined && { volume }),
    ...(plain.has('session') && { session: plain.count('session') }),
  }
  plain.done()
  return only
}
