/**
 * What a captured frame carries of TCP, if it does: through the link layer and IP to the segment.
 *
 *     link: Ethernet with or without VLAN tags, loopback, raw IP, Linux "cooked" 1 and 2
 *     IPv4 with options | IPv6 with extension headers       then TCP with options
 *
 * Frames of other protocols, and such that make no sense, are nobody's segments. IP fragments are recognised,
 * not joined. Rules: RFC 791, RFC 8200, RFC 9293, and the list of link types of tcpdump.org.
 */

import { bigEndian } from './byte-order.ts'

export interface TcpSegment {
  /** The IP packet, for the addresses. */
  readonly ip: Uint8Array
  readonly sourcePort: number
  readonly targetPort: number
  readonly sequence: number
  readonly syn: boolean
  readonly fin: boolean
  readonly reset: boolean
  /** What was captured of the payload. */
  readonly payload: Uint8Array
  /** Bytes of the payload that were not captured. */
  readonly cut: number
  /** The segment is spread over several IP packets, of which this is the first. */
  readonly fragment: boolean
}

const ipv4 = 0x0800
const ipv6 = 0x86dd
const vlanTags: ReadonlySet<number> = new Set([0x8100, 0x88a8, 0x9100])
const tcp = 6
const fragmentHeader = 44
const authentication = 51
/** Hop-by-hop, routing, destination, mobility: all tell their length in units of 8 bytes. */
const extensions: ReadonlySet<number> = new Set([0, 43, 60, 135])
const u16 = bigEndian.u16

/** Where the IP packet begins in a frame; undefined when it has none, null for an unknown link type. */
function ipStart(frame: Uint8Array, link: number): number | undefined | null {
  switch (link) {
    case 1: {
      let at = 12
      while (vlanTags.has(u16(frame, at))) at += 4
      return isIp(u16(frame, at)) ? at + 2 : undefined
    }
    case 0:
    case 108:
      return 4
    case 12:
    case 14:
    case 101:
    case 228:
    case 229:
      return 0
    case 113:
      return isIp(u16(frame, 14)) ? 16 : undefined
    case 276:
      return isIp(u16(frame, 0)) ? 20 : undefined
    default:
      return null
  }
}

/** Whether frames of that link type can be read. */
export function isKnownLink(link: number): boolean {
  return ipStart(new Uint8Array(64), link) !== null
}

/** The TCP segment a frame of a known link type carries; undefined when there is none. */
export function tcpSegment(frame: Uint8Array, link: number): TcpSegment | undefined {
  const start = ipStart(frame, link)
  if (start === undefined || start === null) return undefined
  const ip = frame.subarray(start)
  const version = (ip[0] ?? 0) >> 4
  if (version === 4) return throughIpv4(ip)
  return version === 6 ? throughIpv6(ip) : undefined
}

/** The sender's address and port, as a text. */
export function senderOf({ ip, sourcePort }: TcpSegment): string {
  return isVersion4(ip) ? `${dotted(ip, 12)}:${sourcePort}` : `[${colons(ip, 8)}]:${sourcePort}`
}

/** The receiver's address and port, as a text. */
export function receiverOf({ ip, targetPort }: TcpSegment): string {
  return isVersion4(ip) ? `${dotted(ip, 16)}:${targetPort}` : `[${colons(ip, 24)}]:${targetPort}`
}

function throughIpv4(ip: Uint8Array): TcpSegment | undefined {
  const header = (ip[0]! & 15) * 4
  if (header < 20 || ip.length < header || ip[9] !== tcp) return undefined
  const fragment = u16(ip, 6)
  if ((fragment & 0x1fff) !== 0) return undefined
  // A packet the network card is to cut up has no length yet.
  const total = u16(ip, 2) || ip.length
  return readTcp(ip, header, total, (fragment & 0x2000) !== 0)
}

function throughIpv6(ip: Uint8Array): TcpSegment | undefined {
  if (ip.length < 40) return undefined
  const total = u16(ip, 4) === 0 ? ip.length : 40 + u16(ip, 4)
  let next = ip[6]!
  let at = 40
  let fragment = false
  while (next !== tcp) {
    if (at + 8 > ip.length) return undefined
    const length = ip[at + 1]!
    if (next === fragmentHeader) {
      const place = u16(ip, at + 2)
      if (place >> 3 !== 0) return undefined
      fragment ||= (place & 1) !== 0
      next = ip[at]!
      at += 8
    } else if (extensions.has(next) || next === authentication) {
      const size = next === authentication ? (length + 2) * 4 : (length + 1) * 8
      next = ip[at]!
      at += size
    } else return undefined
  }
  return readTcp(ip, at, total, fragment)
}

function readTcp(ip: Uint8Array, at: number, total: number, fragment: boolean): TcpSegment | undefined {
  if (at + 20 > Math.min(ip.length, total)) return undefined
  const header = (ip[at + 12]! >> 4) * 4
  const begins = at + header
  if (header < 20 || begins > total) return undefined
  const flags = ip[at + 13]!
  const payload = ip.subarray(begins, Math.min(total, ip.length))
  return {
    ip,
    sourcePort: u16(ip, at),
    targetPort: u16(ip, at + 2),
    sequence: bigEndian.u32(ip, at + 4),
    fin: (flags & 1) !== 0,
    syn: (flags & 2) !== 0,
    reset: (flags & 4) !== 0,
    payload,
    cut: total - begins - payload.length,
    fragment,
  }
}

function isIp(type: number): boolean {
  return type === ipv4 || type === ipv6
}

function isVersion4(ip: Uint8Array): boolean {
  return ip[0]! >> 4 === 4
}

function dotted(ip: Uint8Array, at: number): string {
  return ip.subarray(at, at + 4).join('.')
}

function colons(ip: Uint8Array, at: number): string {
  return Array.from({ length: 8 }, (_, k) => u16(ip, at + 2 * k).toString(16)).join(':')
}
