/**
 * The head: sequence number and hash of the last durable frame, kept outside the database, because a database that
 * lost its tail looks whole. Two slots written in turn, so that a torn write leaves the older one (FORMAT.md).
 */

import { digestBytes, noDigest, sameBytes, sha256 } from '../core/digest.ts'

export const slotBytes = 136
export const slotSpacing = 4096
const magic = 0x31484242
const version = 1

export interface Head {
  readonly generation: number
  /** Last event known to be durable, and the hash of its frame. */
  readonly durable: { readonly seq: number; readonly hash: Uint8Array }
  /** Last event of the frame being written, or the durable one. */
  readonly attempted: { readonly seq: number; readonly hash: Uint8Array }
  readonly epoch: number
}

/** The head of a journal that has nothing. */
export const emptyHead: Head = {
  generation: 0,
  durable: { seq: 0, hash: noDigest },
  attempted: { seq: 0, hash: noDigest },
  epoch: 0,
}

/** Where the two slots are kept: a file beside the database, or memory. */
export interface HeadStore {
  /** Both slots as stored; an absent one is empty. */
  read(): Promise<readonly Uint8Array[]>
  /** Writes a slot in place; returns when the bytes would outlive this process. */
  write(slot: 0 | 1, bytes: Uint8Array): void
  /** Makes what was written outlive a loss of power. */
  sync(): Promise<void>
  close(): Promise<void>
}

export function encodeHead(head: Head): Uint8Array {
  const bytes = new Uint8Array(slotBytes)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, magic, true)
  view.setUint32(4, version, true)
  view.setBigUint64(8, BigInt(head.generation), true)
  view.setBigUint64(16, BigInt(head.durable.seq), true)
  bytes.set(head.durable.hash, 24)
  view.setBigUint64(56, BigInt(head.attempted.seq), true)
  bytes.set(head.attempted.hash, 64)
  view.setUint32(96, head.epoch, true)
  bytes.set(sha256(bytes.subarray(0, slotBytes - digestBytes)), slotBytes - digestBytes)
  return bytes
}

/** A slot as written; undefined when it is absent, torn or not one. */
export function decodeHead(bytes: Uint8Array): Head | undefined {
  if (bytes.length < slotBytes) return undefined
  const slot = bytes.slice(0, slotBytes)
  const end = slotBytes - digestBytes
  if (!sameBytes(sha256(slot.subarray(0, end)), slot.subarray(end))) return undefined
  const view = new DataView(slot.buffer)
  if (view.getUint32(0, true) !== magic || view.getUint32(4, true) !== version) return undefined
  return {
    generation: Number(view.getBigUint64(8, true)),
    durable: { seq: Number(view.getBigUint64(16, true)), hash: slot.slice(24, 56) },
    attempted: { seq: Number(view.getBigUint64(56, true)), hash: slot.slice(64, 96) },
    epoch: view.getUint32(96, true),
  }
}

/** The newer of the valid slots; undefined when neither is. */
export function newestHead(slots: readonly Uint8Array[]): Head | undefined {
  const heads = slots.map(decodeHead).filter((head) => head !== undefined)
  return heads.sort((a, b) => b.generation - a.generation)[0]
}

/** A head kept in memory, for journals that live no longer than their process. */
export function memoryHead(): HeadStore {
  const slots: [Uint8Array, Uint8Array] = [new Uint8Array(0), new Uint8Array(0)]
  return {
    read: async () => slots,
    write(slot, bytes) {
      slots[slot] = bytes.slice()
    },
    sync: async () => undefined,
    close: async () => undefined,
  }
}
