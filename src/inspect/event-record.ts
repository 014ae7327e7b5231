/**
 * One event as people and other programs read it: names for numbers, an instant for a distance, nothing that its
 * kind does not use. The keys are those of the printed JSON.
 */

import type { Event } from '../events/columns.ts'
import type { Detail, DetailValue } from '../events/detail.ts'
import { flag, type Kind, kinds } from '../events/kind.ts'
import { type Names, taggedBy } from './names.ts'

export interface EventRecord {
  readonly seq: number
  /** ISO 8601 with nanoseconds, UTC. */
  readonly instant: string
  readonly kind: Kind
  readonly session?: number
  /** The host's own number of the request. */
  readonly request?: number
  readonly volume?: string
  readonly offset?: number
  readonly length?: number
  /** What a released request does; its own kind tells it everywhere else. */
  readonly op?: string
  readonly fate?: string
  readonly flags?: readonly string[]
  readonly code?: string
  /** Sequence number of the request that this is about. */
  readonly about?: number
  readonly backup?: string
  readonly pair?: string
  readonly fence?: string
  /** The first 8 bytes of the SHA-256 of what was written or read, where it was noted. */
  readonly digest?: string
  /** Volumes are named here too. */
  readonly detail?: Readonly<Record<string, Told>>
}

type Told = DetailValue | readonly string[]

/** @param instantNs the instant of the event's frame, nanoseconds since the Unix epoch. */
export function eventRecord(event: Event, instantNs: bigint, names: Names): EventRecord {
  const { kind, seq } = event
  const used: readonly string[] = kinds[kind].columns
  const ranged = used.includes('offset') && event.op !== 'flush'
  const release = used.includes('op') && !kind.startsWith('io.')
  const flags = Object.entries(flag).flatMap(([name, bit]) => ((event.flags & bit) === 0 ? [] : [name]))
  const detail = toldOf(event.detail, names)
  return {
    seq,
    instant: isoNs(instantNs + BigInt(Math.trunc(event.at))),
    kind,
    ...(event.session !== 0 && { session: event.session }),
    ...(event.request !== 0 && { request: event.request }),
    ...(event.volume !== 0 && { volume: names.volume(event.volume) }),
    ...(ranged && { offset: event.offset, length: event.length }),
    ...(release && { op: event.op }),
    ...(event.fate !== 'none' && { fate: event.fate }),
    ...(flags.length > 0 && { flags }),
    ...(event.code !== 'ok' && { code: event.code }),
    ...(event.about !== 0 && { about: event.about }),
    ...(event.tag !== 0 && { [taggedBy(kind)]: names.subject(kind, event.tag) }),
    ...((event.digestHigh !== 0 || event.digestLow !== 0) && {
      digest: hex32(event.digestHigh) + hex32(event.digestLow),
    }),
    ...(detail.length > 0 && { detail: Object.fromEntries(detail) }),
  }
}

/** Fields of details that hold numbers of volumes. */
const volumeFields: readonly string[] = ['source', 'clone', 'volumes', 'base', 'view', 'from', 'to']

function toldOf(detail: Detail, names: Names): [string, Told][] {
  return Object.entries(detail).map(([name, value]) => {
    if (!volumeFields.includes(name)) return [snakeCase(name), value]
    const ids = typeof value === 'object' ? value : [Number(value)]
    const told = ids.map((id) => names.volume(id))
    return [snakeCase(name), typeof value === 'object' ? told : told[0]!]
  })
}

/** The record as one line for people; texts are as they were given, so a terminal needs them escaped. */
export function eventText(record: EventRecord): string {
  const { seq, instant, kind, volume, offset, length, op, fate, flags, code, detail = {} } = record
  const range = offset === undefined ? undefined : `${offset}+${length}`
  const named = (['request', 'about', 'backup', 'pair', 'fence', 'digest'] as const).map((name) =>
    record[name] === undefined ? undefined : `${name}=${record[name]}`,
  )
  const details = Object.entries(detail).map(([name, value]) => `${name}=${valueText(value)}`)
  const session = record.session === undefined ? undefined : `s${record.session}`
  const words = [session, volume, op, range, fate, code, ...(flags ?? []), ...named, ...details]
  const told = words.filter((word) => word !== undefined).join(' ')
  return `${String(seq).padStart(7)}  ${instant}  ${kind.padEnd(19)} ${told}`.trimEnd()
}

function valueText(value: Told): string {
  return typeof value === 'object' ? value.join(',') : String(value)
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

function hex32(value: number): string {
  return value.toString(16).padStart(8, '0')
}

const msMax = 8_640_000_000_000_000n

/** Nanoseconds since the Unix epoch as ISO 8601 in UTC with nine digits; the plain number beyond what dates can be. */
export function isoNs(ns: bigint): string {
  const below = ((ns % 1_000_000n) + 1_000_000n) % 1_000_000n
  const ms = (ns - below) / 1_000_000n
  if (ms > msMax || ms < -msMax) return `${ns} ns`
  return `${new Date(Number(ms)).toISOString().slice(0, -1)}${String(below).padStart(6, '0')}Z`
}
