/**
 * The requests of NBD clients, read off the wire: a packet capture of the connections to one port.
 *
 *     packets -> segments to the port -> a stream a connection -> requests -> merged by time
 *
 * A connection begins with its SYN and is named `conn1`, `conn2` ... in the order of appearance. Its requests
 * come in the order of its stream; those of several are merged by the time at which the first byte of a request
 * was captured. Until the end of the capture, or until 64 MiB of data wait, requests are held back, so that a
 * segment that comes late still finds its place; beyond that the earliest are given out, and a request under
 * way that began before them is waited for as long as no more than 256 MiB wait.
 *
 *     no SYN: refused    SYN -> open -> over (FIN or RST)    a hole in the stream: refused with its place
 *
 * What servers answer is not looked at.
 */

import type { BlockboxError } from '../core/errors.ts'
import type { TraceEvent, TraceOptions, TraceParser } from './event.ts'
import { type NbdRequest, NbdRequests } from './nbd-requests.ts'
import { Origin, tooFar } from './origin.ts'
import { captureDamage, type Packet, PcapFile } from './pcap-file.ts'
import { isKnownLink, receiverOf, senderOf, type TcpSegment, tcpSegment } from './tcp-segment.ts'
import { type StreamPart, TcpStream } from './tcp-stream.ts'

const nbdPort = 10809
const holdBytes = 64 * 2 ** 20
const holdMostBytes = 4 * holdBytes
/** What a held request counts for, next to its data. */
const requestCost = 256
const greeting = new TextEncoder().encode('NBDMAGIC')

type Capture = Omit<Packet, 'frame'>

/** A request that is held back, and the next one of its connection. */
interface Held {
  readonly request: NbdRequest<Capture>
  after: Held | undefined
}

interface Connection {
  readonly name: string
  readonly stream: TcpStream<Capture>
  /** Undefined when it is over. */
  requests: NbdRequests<Capture> | undefined
  first: Held | undefined
  last: Held | undefined
}

export interface NbdPcapParser extends TraceParser {
  /** What the user ought to know, asked after the end: torn requests, or a capture without the port. */
  remark(): string | undefined
}

/** A parser of one capture; `port` is that of the server. */
export function nbdPcap({ port = nbdPort }: TraceOptions = {}): NbdPcapParser {
  return new NbdPcap(port)
}

class NbdPcap implements NbdPcapParser {
  readonly #port: number
  readonly #file = new PcapFile()
  readonly #origin = new Origin()
  /** The latest connection of every pair of addresses. */
  readonly #latest = new Map<string, Connection>()
  /** Connections that are not over, or of which requests are held. */
  readonly #open = new Set<Connection>()
  #connections = 0
  readonly #torn: string[] = []
  readonly #serverPorts = new Set<number>()
  #heldBytes = 0
  #count = 0

  constructor(port: number) {
    this.#port = port
  }

  push(bytes: Uint8Array): TraceEvent[] {
    this.#file.push(bytes, this.#take)
    return this.#heldBytes > holdBytes ? [...this.#release(holdBytes)] : []
  }

  *end(): Generator<TraceEvent> {
    this.#file.end()
    for (const connection of this.#open) this.#finish(connection)
    yield* this.#release(0)
  }

  remark(): string | undefined {
    if (this.#connections === 0) {
      const seen = [...this.#serverPorts].join(', ')
      const hint = seen === '' ? 'name the port of the server' : `NBD servers answer on ${seen}: name that`
      return `no connection to TCP port ${this.#port} in the capture; ${hint} with --port`
    }
    if (this.#torn.length === 0) return undefined
    return `ended inside a request, which is left out: ${this.#torn.join(', ')}`
  }

  readonly #take = (packet: Packet): void => {
    if (!isKnownLink(packet.link)) {
      throw captureDamage(
        20,
        `link type ${packet.link} of the capture is unknown; capture on Ethernet, IP or "any"`,
      )
    }
    const segment = tcpSegment(packet.frame, packet.link)
    if (segment === undefined) return
    if (segment.targetPort === this.#port) this.#takeSegment(segment, packet)
    else if (greeting.every((byte, k) => byte === segment.payload[k]))
      this.#serverPorts.add(segment.sourcePort)
  }

  #takeSegment(segment: TcpSegment, { frame: _, ...capture }: Packet): void {
    const pair = `${senderOf(segment)} to ${receiverOf(segment)}`
    let connection = this.#latest.get(pair)
    const first = (segment.sequence + (segment.syn ? 1 : 0)) >>> 0
    if (segment.syn && connection?.stream.startsAt(first) !== true) {
      if (connection !== undefined) this.#finish(connection)
      connection = this.#begin(first)
      this.#latest.set(pair, connection)
    }
    if (segment.fragment) throw damage(capture, 'is an IP fragment, which cannot be read')
    if (connection === undefined) {
      if (segment.payload.length + segment.cut === 0) return
      throw damage(capture, `belongs to a connection (${pair}) that began before the capture`)
    }
    if (connection.requests === undefined) return
    if (segment.cut > 0) {
      throw damage(
        capture,
        `was captured without its last ${segment.cut} bytes; capture whole packets (-s 0)`,
      )
    }
    if (segment.payload.length > 0) {
      for (const part of connection.stream.take(first, segment.payload, capture))
        this.#takePart(connection, part)
    }
    if (segment.fin) connection.stream.finish(first + segment.payload.length, capture)
    if (segment.reset || connection.stream.isOver) this.#finish(connection)
    else this.#refuseHole(connection, false)
  }

  #begin(firstSequence: number): Connection {
    const name = `conn${++this.#connections}`
    const complain = (reason: string, capture: Capture) => damage(capture, `(${name}): ${reason}`)
    const requests = new NbdRequests<Capture>(complain)
    const stream = new TcpStream<Capture>(firstSequence)
    const connection = { name, stream, requests, first: undefined, last: undefined }
    this.#open.add(connection)
    return connection
  }

  #takePart(connection: Connection, { bytes, capture }: StreamPart<Capture>): void {
    for (const request of connection.requests!.push(bytes, capture)) {
      const held: Held = { request, after: undefined }
      if (connection.last === undefined) connection.first = held
      else connection.last.after = held
      connection.last = held
      this.#heldBytes += costOf(request)
    }
  }

  /** Nothing more comes of a connection. */
  #finish(connection: Connection): void {
    if (connection.requests === undefined) return
    this.#refuseHole(connection, true)
    if (connection.requests.begun !== undefined) this.#torn.push(connection.name)
    connection.requests = undefined
    this.#leave(connection)
  }

  #leave(connection: Connection): void {
    if (connection.requests === undefined && connection.first === undefined) this.#open.delete(connection)
  }

  #refuseHole({ name, stream }: Connection, last: boolean): void {
    const hole = stream.hole(last)
    if (hole === undefined) return
    const { offset, bytes, before } = hole
    const what = `${bytes} bytes of ${name} are missing at byte ${offset} of its stream`
    throw damage(before, `comes after a hole: ${what}; capture again without loss`)
  }

  /** Gives out requests by time until no more than `most` bytes are held. */
  *#release(most: number): Generator<TraceEvent> {
    while (this.#heldBytes > most) {
      let next: Connection | undefined
      let under: Capture | undefined
      for (const connection of this.#open) {
        const begun = connection.requests?.begun
        if (begun !== undefined && (under === undefined || isBefore(begun, under))) under = begun
        const { first } = connection
        if (
          first !== undefined &&
          (next === undefined || isBefore(first.request.begun, next.first!.request.begun))
        ) {
          next = connection
        }
      }
      if (next === undefined) return
      const waits = most > 0 && under !== undefined && isBefore(under, next.first!.request.begun)
      if (waits && this.#heldBytes <= holdMostBytes) return
      yield this.#event(next)
    }
  }

  #event(connection: Connection): TraceEvent {
    const { request, after } = connection.first!
    connection.first = after
    if (after === undefined) connection.last = undefined
    this.#heldBytes -= costOf(request)
    this.#leave(connection)
    const { begun, op, offset, length, flags, data } = request
    const tNs = this.#origin.since(begun.timeNs)
    if (tNs === undefined) throw damage(begun, tooFar)
    const dev = connection.name
    return { index: this.#count++, op, offset, length, tNs, dev, flags, ...(data !== undefined && { data }) }
  }
}

function isBefore(a: Capture, b: Capture): boolean {
  return a.timeNs < b.timeNs || (a.timeNs === b.timeNs && a.number < b.number)
}

function costOf({ data }: NbdRequest<Capture>): number {
  return requestCost + (data?.length ?? 0)
}

function damage({ number, byte }: Capture, reason: string): BlockboxError {
  return captureDamage(byte, `packet ${number} ${reason}`)
}
