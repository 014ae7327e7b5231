/**
 * The numbers of the NBD protocol by the names its specification gives them.
 * Source: doc/proto.md of the NetworkBlockDevice project.
 */

/** 64-bit magics are two words. */
export const magic = {
  greeting: [0x4e42444d, 0x41474943],
  option: [0x49484156, 0x454f5054],
  optionReply: [0x0003e889, 0x045565a9],
  request: 0x25609513,
  wideRequest: 0x21e41c71,
  simpleReply: 0x67446698,
  structuredReply: 0x668e33ef,
} as const

/** Bits of the handshake flags; the client's have the same meaning. */
export const handshakeFlag = { fixedNewstyle: 1, noZeroes: 2 } as const

export const option = {
  exportName: 1,
  abort: 2,
  list: 3,
  startTls: 5,
  info: 6,
  go: 7,
  structuredReply: 8,
  listMetaContext: 9,
  setMetaContext: 10,
} as const

export const optionReply = { ack: 1, server: 2, info: 3, metaContext: 4 } as const

/** Replies that refuse an option; all have the highest bit. */
export const optionError = {
  unsupported: 0x80000001,
  policy: 0x80000002,
  invalid: 0x80000003,
  tlsRequired: 0x80000005,
  unknown: 0x80000006,
  shutdown: 0x80000007,
  tooBig: 0x80000009,
} as const

export const info = { export: 0, name: 1, description: 2, blockSize: 3 } as const

export const command = {
  read: 0,
  write: 1,
  disconnect: 2,
  flush: 3,
  trim: 4,
  cache: 5,
  writeZeroes: 6,
  blockStatus: 7,
} as const

/** Bits of the flags of a request. */
export const commandFlag = {
  fua: 1,
  noHole: 2,
  dontFragment: 4,
  reqOne: 8,
  fastZero: 16,
  payload: 32,
} as const

/** Bits of the flags of an export. */
export const transmissionFlag = {
  hasFlags: 1,
  readOnly: 2,
  sendFlush: 4,
  sendFua: 8,
  sendTrim: 32,
  sendWriteZeroes: 64,
  sendDontFragment: 128,
  canMultiConn: 256,
  sendCache: 1024,
  sendFastZero: 2048,
} as const

/** Chunks of structured replies, and the one flag they have. */
export const chunk = {
  none: 0,
  data: 1,
  hole: 2,
  blockStatus: 5,
  error: 0x8001,
  errorOffset: 0x8002,
} as const
export const chunkDone = 1

/** Bits of an extent's state in the context `base:allocation`. */
export const allocation = { hole: 1, zero: 2 } as const
export const allocationContext = 'base:allocation'

/** What requests fail with; the numbers are those of Linux, whatever the machine. */
export const errno = {
  EPERM: 1,
  EIO: 5,
  ENOMEM: 12,
  EINVAL: 22,
  ENOSPC: 28,
  EOVERFLOW: 75,
  ENOTSUP: 95,
  ESHUTDOWN: 108,
} as const
export type Errno = keyof typeof errno

/** The name of an errno off the wire. Anything unknown counts as EINVAL, as the specification has it. */
export function errnoName(number: number): Errno {
  const found = Object.entries(errno).find(([, known]) => known === number)
  return (found?.[0] ?? 'EINVAL') as Errno
}
