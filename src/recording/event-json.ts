/**
 * An event as an object of the line form, and back, without loss: names for numbers, nothing that is zero, none or
 * empty, always the same order of keys.
 */

import { fromHex, hex, shortHigh, shortLow } from '../core/digest.ts'
import { type Code, codes } from '../events/code.ts'
import type { Event, NewEvent } from '../events/columns.ts'
import { type Detail, type DetailValue, detailFault, noDetail } from '../events/detail.ts'
import { type Fate, fates, flag, isInput, type Kind, kinds, type Op, ops } from '../events/kind.ts'
import type { RecordedPayload } from './item.ts'
import type { Plain } from './plain.ts'

const word = 2 ** 32 - 1
const flagNames = Object.entries(flag)
/** The short form of no digest. */
const noShort = '0'.repeat(16)
const knownFlags = flagNames.reduce((sum, [, bit]) => sum | bit, 0)

/** Operation that a kind tells by itself. */
function ownOp(kind: Kind): Op {
  const name = kind.slice(3) as Op
  return isInput(kind) && kind.startsWith('io.') && ops.includes(name) ? name : 'none'
}

/** The event as an object for JSON. `payload` is that of an input that has one. */
export function eventObject(event: Event, payload?: RecordedPayload): Record<string, unknown> {
  const { seq, kind, at, session, request, volume, offset, length, op, fate, flags, code, about, tag } = event
  const { digestHigh, digestLow, payload: place, detail } = event
  const short = shortText(digestHigh, digestLow)
  const full = payload === undefined ? '' : hex(payload.digest)
  return {
    seq,
    kind,
    ...(at !== 0 && { at }),
    ...(session !== 0 && { session }),
    ...(request !== 0 && { request }),
    ...(volume !== 0 && { volume }),
    ...(offset !== 0 && { offset }),
    ...(length !== 0 && { length }),
    ...(op !== ownOp(kind) && { op }),
    ...(fate !== 'none' && { fate }),
    ...(flags !== 0 && { flags: flagsOf(flags) }),
    ...(code !== 'ok' && { code }),
    ...(about !== 0 && { about }),
    ...(tag !== 0 && { tag }),
    ...(short !== (payload === undefined ? noShort : full.slice(0, 16)) && { digest: short }),
    ...(detail !== noDetail && { detail: detailObject(detail) }),
    ...(place !== 0 && { place }),
    ...(payload !== undefined && payloadObject(payload, full)),
  }
}

function payloadObject({ data, synthetic }: RecordedPayload, sha256: string): Record<string, unknown> {
  if (synthetic !== undefined) {
    const { seed, volume, version } = synthetic
    return { sha256, synthetic: { seed, volume, version } }
  }
  if (data === undefined) return { sha256 }
  return { sha256, data: Buffer.from(data.buffer, data.byteOffset, data.length).toString('base64') }
}

function shortText(high: number, low: number): string {
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0')
}

function flagsOf(flags: number): number | string[] {
  if ((flags & ~knownFlags) !== 0) return flags
  return flagNames.flatMap(([name, bit]) => ((flags & bit) === 0 ? [] : [name]))
}

function detailObject(detail: Detail): Record<string, DetailValue> {
  const entries = Object.entries(detail)
  return Object.fromEntries(entries.map(([name, value]) => [snakeCase(name), value]))
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

function camelCase(name: string): string {
  return name.replace(/(?<=[a-z0-9])_([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

/** The event that an object of the line form says, and the digest of its payload where it has one. */
export function eventOf(plain: Plain): {
  readonly seq: number
  readonly event: NewEvent
  sha256?: Uint8Array
} {
  const seq = plain.count('seq')
  const kind = plain.text('kind')
  if (!Object.hasOwn(kinds, kind)) {
    throw plain.fault(
      `there is no kind of event ${JSON.stringify(kind)}: a newer blockbox may have written it`,
    )
  }
  const own = kind as Kind
  const full = plain.has('sha256') ? digestOf(plain, plain.text('sha256')) : undefined
  const short = shortOf(plain, full)
  const event: NewEvent = {
    kind: own,
    at: plain.optionalNumber('at'),
    session: plain.optionalCount('session', word),
    request: plain.optionalCount('request', word),
    volume: plain.optionalCount('volume', 2 ** 16 - 1),
    offset: plain.optionalNumber('offset'),
    length: plain.optionalNumber('length'),
    op: plain.has('op') ? oneOf<Op>(plain, 'op', ops) : ownOp(own),
    fate: plain.has('fate') ? oneOf<Fate>(plain, 'fate', fates) : 'none',
    flags: plain.has('flags') ? flagBits(plain) : 0,
    code: plain.has('code') ? oneOf<Code>(plain, 'code', Object.keys(codes) as Code[]) : 'ok',
    about: aboutOf(plain, seq),
    tag: plain.optionalCount('tag', word),
    payload: plain.optionalCount('place'),
    digestHigh: short.high,
    digestLow: short.low,
    ...(plain.has('detail') && { detail: detailOf(own, plain.object('detail')) }),
  }
  return { seq, event, ...(full !== undefined && { sha256: full }) }
}

function aboutOf(plain: Plain, seq: number): number {
  const about = plain.optionalCount('about')
  if (about !== 0 && (about >= seq || seq - about > word)) throw plain.fault('about names no earlier event')
  return about
}

function oneOf<T extends string>(plain: Plain, name: string, known: readonly T[]): T {
  const value = plain.text(name)
  if ((known as readonly string[]).includes(value)) return value as T
  throw plain.fault(`${name} is ${JSON.stringify(value)}: a newer blockbox may have written it`)
}

function digestOf(plain: Plain, text: string): Uint8Array {
  const digest = fromHex(text)
  if (digest === undefined) throw plain.fault('sha256 is no SHA-256')
  return digest
}

function shortOf(plain: Plain, full: Uint8Array | undefined): { high: number; low: number } {
  const digest = plain.has('digest') ? fromHex(plain.text('digest'), 8) : full
  if (digest !== undefined) return { high: shortHigh(digest), low: shortLow(digest) }
  if (plain.has('digest')) throw plain.fault('digest has not 16 hexadecimal digits')
  return { high: 0, low: 0 }
}

function flagBits(plain: Plain): number {
  const value = plain.value('flags')
  if (typeof value === 'number') return plain.count('flags', 255)
  if (!Array.isArray(value)) throw plain.fault('flags is no list of names')
  let bits = 0
  for (const name of value) {
    const found = flagNames.find(([known]) => known === name)
    if (found === undefined) throw plain.fault(`there is no flag ${JSON.stringify(name)}`)
    bits |= found[1]
  }
  return bits
}

/** The fields in their order, checked against the schema of the kind. */
function detailOf(kind: Kind, plain: Plain): Detail {
  const detail = Object.fromEntries(plain.names().map((name) => [camelCase(name), plain.value(name)]))
  const fault = detailFault(kind, detail)
  if (fault !== undefined) throw plain.fault(fault)
  return detail as Detail
}
