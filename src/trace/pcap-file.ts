/**
 * A capture of network packets in the classic pcap format: a header, then a record a packet.
 *
 *     magic u32 | version u16 u16 | zone i32 | sigfigs u32 | snap length u32 | link type u32           24 bytes
 *     seconds u32 | fraction u32 | captured u32 | original u32 | captured bytes                        16 bytes and the packet
 *
 * The magic tells the byte order of the capturing machine and whether fractions are micro- or nanoseconds.
 *
 *     file header -> record header <-> packet
 *
 * Rules: the Internet-Draft "PCAP Capture File Format" and pcap-savefile(5).
 */

import { BlockboxError } from '../core/errors.ts'
import { ByteCutter } from './byte-cutter.ts'
import { type ByteOrder, bigEndian, littleEndian } from './byte-order.ts'

const fileHeaderBytes = 24
const recordHeaderBytes = 16
const microMagic = 0xa1b2c3d4
const nanoMagic = 0xa1b23c4d
const nextGenerationMagic = 0x0a0d0d0a
const maxPacketBytes = 2 ** 24
const linkTypeMask = 0x0fffffff

/** A packet, as far as it was captured. */
export interface Packet {
  /** Its number in the capture, from 1, as other programs count. */
  readonly number: number
  /** Where its record begins in the file. */
  readonly byte: number
  /** Nanoseconds since 1970. */
  readonly timeNs: bigint
  readonly link: number
  /** Bytes captured, valid until the next push. */
  readonly frame: Uint8Array
  /** Bytes it had on the wire. */
  readonly wireBytes: number
}

interface FileHeader {
  readonly order: ByteOrder
  readonly fractionNs: number
  readonly link: number
}

/** The error for a capture that makes no sense at a byte. */
export function captureDamage(byte: number, reason: string): BlockboxError {
  return new BlockboxError('TRACE_FORMAT', `byte ${byte}: ${reason}`)
}

/** Whether content begins with the magic number of a capture. */
export function pcapBegins(first: Uint8Array): boolean {
  return first.length >= 4 && shapeOf(first) !== undefined
}

function shapeOf(b: Uint8Array): Pick<FileHeader, 'order' | 'fractionNs'> | undefined {
  for (const order of [littleEndian, bigEndian]) {
    const magic = order.u32(b, 0)
    if (magic === microMagic) return { order, fractionNs: 1000 }
    if (magic === nanoMagic) return { order, fractionNs: 1 }
  }
  return undefined
}

/** Cuts the bytes of a capture into packets. */
export class PcapFile {
  readonly #cutter = new ByteCutter()
  #header: FileHeader | undefined
  #record: Omit<Packet, 'frame'> | undefined
  #captured = 0
  #packets = 0

  /** Hands every packet that `bytes` completes to `take`. Throws TRACE_FORMAT with the byte. */
  push(bytes: Uint8Array, take: (packet: Packet) => void): void {
    this.#cutter.push(bytes)
    for (;;) {
      const piece = this.#cutter.take(this.#wanted())
      if (piece === undefined) return
      if (this.#header === undefined) this.#header = readFileHeader(piece)
      else if (this.#record === undefined) this.#takeRecord(this.#header, piece)
      else {
        const packet = { ...this.#record, frame: piece }
        this.#record = undefined
        take(packet)
      }
    }
  }

  /** Throws TRACE_FORMAT when the capture ends inside something. */
  end(): void {
    const at = this.#cutter.offset + this.#cutter.waiting
    if (this.#header === undefined) throw captureDamage(at, 'the capture ends inside its header')
    if (this.#record !== undefined || this.#cutter.waiting > 0) {
      throw captureDamage(at, `the capture ends inside packet ${this.#packets}; get the whole file`)
    }
  }

  #wanted(): number {
    if (this.#header === undefined) return fileHeaderBytes
    return this.#record === undefined ? recordHeaderBytes : this.#captured
  }

  #takeRecord({ order, fractionNs, link }: FileHeader, b: Uint8Array): void {
    const byte = this.#cutter.offset - recordHeaderBytes
    const number = ++this.#packets
    const fraction = order.u32(b, 4)
    if (fraction * fractionNs >= 1e9) {
      throw captureDamage(byte + 4, `packet ${number} has a time of more than a second past its second`)
    }
    this.#captured = order.u32(b, 8)
    if (this.#captured > maxPacketBytes) {
      throw captureDamage(
        byte + 8,
        `packet ${number} has ${this.#captured} bytes; the capture is damaged here`,
      )
    }
    const timeNs = BigInt(order.u32(b, 0)) * 1_000_000_000n + BigInt(fraction * fractionNs)
    this.#record = { number, byte, timeNs, link, wireBytes: order.u32(b, 12) }
  }
}

function readFileHeader(b: Uint8Array): FileHeader {
  const shape = shapeOf(b)
  if (shape !== undefined) return { ...shape, link: shape.order.u32(b, 20) & linkTypeMask }
  if (bigEndian.u32(b, 0) === nextGenerationMagic) {
    throw captureDamage(0, 'this is a pcapng capture; make a pcap of it with editcap -F pcap')
  }
  throw captureDamage(0, 'not the magic number of a pcap capture; name the right format')
}
