/** Writes packet captures for tests: the file, the link layer, IP, TCP and NBD requests. */

export interface Shape {
  readonly big?: boolean
  readonly nano?: boolean
  readonly link?: number
  readonly six?: boolean
  /** VLAN tags, on Ethernet. */
  readonly tags?: number
}

export interface Segment {
  /** Nanoseconds since 1970. */
  readonly time: bigint
  /** The client's port. */
  readonly from: number
  readonly sequence: number
  readonly payload?: Uint8Array
  readonly flags?: 'syn' | 'fin' | 'reset'
  /** So many last bytes were not captured. */
  readonly cut?: number
  readonly server?: boolean
  readonly moreFragments?: boolean
}

export const serverPort = 10809

/** When captures begin, in nanoseconds since 1970. */
export const start = 1_700_000_000_000_000_000n

const bytes = (...parts: (Uint8Array | readonly number[])[]) =>
  Buffer.concat(parts.map((p) => Buffer.from(p)))
const u16 = (value: number) => [value >> 8, value & 255]
const u32 = (value: number) => [...u16(value >>> 16), ...u16(value & 0xffff)]
const u64 = (value: bigint) => [...u32(Number(value >> 32n)), ...u32(Number(value & 0xffffffffn))]

/** A capture of segments between one client address and one server address. */
export function encodeCapture(segments: readonly Segment[], shape: Shape = {}): Uint8Array {
  const { big = false, nano = false, link = 1 } = shape
  const word = (value: number) => (big ? u32(value) : u32(value).reverse())
  const half = (value: number) => (big ? u16(value) : u16(value).reverse())
  const magic = nano ? 0xa1b23c4d : 0xa1b2c3d4
  const parts = [bytes(word(magic), half(2), half(4), word(0), word(0), word(262144), word(link))]
  for (const segment of segments) {
    const frame = frameOf(segment, shape)
    const captured = frame.subarray(0, frame.length - (segment.cut ?? 0))
    const fraction = Number(segment.time % 1_000_000_000n)
    const stamp = [
      ...word(Number(segment.time / 1_000_000_000n)),
      ...word(nano ? fraction : Math.floor(fraction / 1000)),
    ]
    parts.push(bytes(stamp, word(captured.length), word(frame.length), captured))
  }
  return new Uint8Array(Buffer.concat(parts))
}

function frameOf(segment: Segment, shape: Shape): Uint8Array {
  const { from, sequence, payload = new Uint8Array(0), flags, server = false, moreFragments } = segment
  const bits = 0x10 | (flags === 'syn' ? 2 : flags === 'fin' ? 1 : flags === 'reset' ? 4 : 0)
  const ports = server ? [...u16(serverPort), ...u16(from)] : [...u16(from), ...u16(serverPort)]
  const options = flags === 'syn' ? [2, 4, 5, 0xb4] : [1, 1, 1, 0]
  const tcp = bytes(ports, u32(sequence), u32(0), [0x60, bits], u16(512), u32(0), options, payload)
  const six = shape.six === true
  const addresses = (size: number) => {
    const [a, b] = [1, 2].map((last) => [...new Array(size - 1).fill(10), last])
    return server ? [...b!, ...a!] : [...a!, ...b!]
  }
  const ip = six
    ? bytes([0x60, 0, 0, 0], u16(tcp.length + 8), [0, 64], addresses(16), [6, 0, 1, 4, 0, 0, 0, 0], tcp)
    : bytes(
        [0x46, 0],
        u16(24 + tcp.length),
        u16(7),
        u16(moreFragments === true ? 0x2000 : 0x4000),
        [64, 6, 0, 0],
        addresses(4),
        [1, 1, 1, 0],
        tcp,
      )
  const type = six ? 0x86dd : 0x0800
  switch (shape.link ?? 1) {
    case 1: {
      const tags = Array.from({ length: shape.tags ?? 0 }, () => [0x81, 0x00, 0, 5]).flat()
      // Frames may end in padding or a checksum, which is no payload.
      const trailer = segment.cut === undefined ? [0x99, 0x99, 0x99, 0x99] : []
      return bytes(new Array(12).fill(2), tags, u16(type), ip, trailer)
    }
    case 0:
      return bytes([2, 0, 0, 0], ip)
    case 113:
      return bytes(new Array(14).fill(0), u16(type), ip)
    case 276:
      return bytes(u16(type), new Array(18).fill(0), ip)
    default:
      return ip
  }
}

/** What a client says before its first request: flags, and an option for every text. */
export function negotiation(...options: readonly [code: number, data: string][]): Uint8Array {
  const all = options.map(([code, data]) =>
    bytes(Buffer.from('IHAVEOPT'), u32(code), u32(data.length), Buffer.from(data)),
  )
  return bytes(u32(3), ...all)
}

/** A request; `type` as the protocol numbers it. */
export function request(
  type: number,
  offset: bigint,
  length: number,
  { flags = 0, data = new Uint8Array(0), wide = false } = {},
): Uint8Array {
  const size = wide ? u64(BigInt(length)) : u32(length)
  return bytes(u32(wide ? 0x21e41c71 : 0x25609513), u16(flags), u16(type), u64(77n), u64(offset), size, data)
}

/** A connection in segments of `size` bytes, a millisecond apart, its first byte numbered near the wrap. */
export function connection(
  stream: Uint8Array,
  size: number,
  from = 40000,
  at = start,
  isn = 0xfffffff0,
): Segment[] {
  const segments: Segment[] = [{ time: at, from, sequence: isn, flags: 'syn' }]
  for (let k = 0; k < stream.length; k += size) {
    const time = at + BigInt(segments.length) * 1_000_000n
    segments.push({ time, from, sequence: (isn + 1 + k) >>> 0, payload: stream.subarray(k, k + size) })
  }
  const time = at + BigInt(segments.length) * 1_000_000n
  return [...segments, { time, from, sequence: (isn + 1 + stream.length) >>> 0, flags: 'fin' }]
}
