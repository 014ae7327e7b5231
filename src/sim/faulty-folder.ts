/**
 * A folder of segments over `Files` whose every operation somebody may slow down, fail or falsify, as a faulty level is
 * one over a disk. With no faults it is an ordinary folder, and passes the same contract as one of real files.
 *
 *     create, names synced    at once: refused, in doubt (done, and yet an error), a lie
 *     written                 at once, or, much of it, when its turn comes: refused, in doubt, full (a part is there)
 *     synced                  when its turn comes: refused (no later sync mends that), in doubt, full, a lie
 *     read                    rotten, or the bytes of another place
 */

import type { SegmentFile, SegmentFolder } from '../journal/segment-folder.ts'
import { flipped } from './disk.ts'
import type { Conditions, Fault, Operation } from './faulty-level.ts'
import type { Files } from './files.ts'

/** Writes of more bytes than these wait for their turn. */
const blockingBytes = 4096

const never = new Promise<never>(() => undefined)

export class FaultyFolder implements SegmentFolder {
  readonly #files: Files
  readonly #conditions: Conditions
  #cut = false

  constructor(files: Files, conditions: Conditions = {}) {
    this.#files = files
    this.#conditions = conditions
  }

  /** The process that used it is gone: nothing that is under way ever ends, nothing more is written. */
  cut(): void {
    this.#cut = true
  }

  numbers(): readonly number[] | undefined {
    return this.#files.numbers()
  }

  make(): void {
    this.#named({ kind: 'file name', sync: false, bytes: 0 }, () => this.#files.make())
  }

  syncOwnName(): void {
    this.#named({ kind: 'file names', sync: true, bytes: 0 }, (to) => this.#files.syncOwnName(to))
  }

  create(segment: number): SegmentFile {
    this.#named({ kind: 'file name', sync: false, bytes: 0 }, () => this.#files.create(segment))
    return this.#file(segment)
  }

  syncNames(): void {
    this.#named({ kind: 'file names', sync: true, bytes: 0 }, (to) => this.#files.syncNames(to))
  }

  open(segment: number): SegmentFile | undefined {
    return this.#files.has(segment) ? this.#file(segment) : undefined
  }

  #file(segment: number): SegmentFile {
    return {
      size: () => this.#files.size(segment),
      read: (into, at) => this.#read(segment, into, at),
      write: (bytes, at) => this.#write(segment, bytes, at),
      sync: () => this.#sync(segment),
      close: () => undefined,
    }
  }

  /** Something about names, done at once; what is visible then and not yet durable, a crash may find. */
  #named(operation: Operation, act: (to: 'durable' | 'promised') => void): void {
    if (this.#cut) return
    const fault = this.#conditions.fault?.(operation)
    if (fault === 'refused' || fault === 'full') throw failure(fault)
    act(fault === 'lie' ? 'promised' : 'durable')
    if (!operation.sync) this.#conditions.done?.(operation)
    if (fault === 'doubt') throw failure(fault)
  }

  #write(segment: number, bytes: Uint8Array, at: number): Promise<void> | undefined {
    if (this.#cut) return never
    const operation = { kind: 'file write', sync: false, bytes: bytes.length } as const
    const fault = this.#conditions.fault?.(operation)
    if (fault === 'full') this.#files.write(segment, at, bytes.subarray(0, bytes.length >> 1))
    if (fault === 'full' || fault === 'refused') throw failure(fault)
    this.#files.write(segment, at, bytes)
    if (fault === 'doubt') throw failure(fault)
    return bytes.length > blockingBytes ? this.#turn(operation) : undefined
  }

  async #sync(segment: number): Promise<void> {
    if (this.#cut) return never
    const operation = { kind: 'file sync', sync: true, bytes: 0 } as const
    const fault = this.#conditions.fault?.(operation)
    await this.#turn(operation)
    if (fault === 'lie') this.#files.lie(segment)
    else if (fault === undefined || fault === 'doubt') this.#files.sync(segment)
    else this.#files.forsake(segment)
    if (fault !== undefined && fault !== 'lie') throw failure(fault)
  }

  async #turn(operation: Operation): Promise<void> {
    await this.#conditions.turn?.(operation)
    if (this.#cut) return never
  }

  #read(segment: number, into: Uint8Array, at: number): number {
    const { fault, bit } = this.#conditions
    const met = fault?.({ kind: 'file read', sync: false, bytes: 0 })
    if (met === 'refused') throw failure(met)
    const found = met === 'misdirect' ? this.#elsewhere(segment, at, into.length) : undefined
    const bytes = found ?? this.#files.read(segment, at, into.length)
    const bits = bytes.length * 8
    into.set(met === 'rot' && bits > 0 ? flipped(bytes, bit?.(bits) ?? bits / 2) : bytes)
    return bytes.length
  }

  /** As many bytes from behind the place, or from the beginning of the file. */
  #elsewhere(segment: number, at: number, length: number): Uint8Array {
    const behind = this.#files.read(segment, at + length, length)
    return behind.length === length ? behind : this.#files.read(segment, 0, length)
  }
}

function failure(fault: Fault): Error {
  if (fault === 'full') return new Error('No space left on device (ENOSPC)')
  return new Error(`Input/output error (EIO)${fault === 'doubt' ? ' in fdatasync' : ''}`)
}
