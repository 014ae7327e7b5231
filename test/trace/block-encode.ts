/** Writes records of binary block traces for tests. */

export interface RawRecord {
  readonly time: bigint
  readonly sector?: bigint
  readonly bytes?: number
  /** Lower half: the step; upper half: what the request is. */
  readonly action: number
  readonly device?: number
  readonly extra?: Uint8Array
  readonly version?: number
}

/** Steps, and what requests are, as blktrace_api.h numbers them. */
export const steps = { queue: 1, issue: 7, complete: 8, cgroup: 0x100 } as const
export const kinds = {
  read: 1 << 16,
  write: 2 << 16,
  flush: 4 << 16,
  sync: 8 << 16,
  packet: 0x200 << 16,
  notify: 0x400 << 16,
  meta: 0x1000 << 16,
  discard: 0x2000 << 16,
  fua: 0x8000 * 0x10000,
} as const

/** The records of one file, in either byte order. */
export function encodeRecords(records: readonly RawRecord[], big = false): Uint8Array {
  const parts = records.map((record) => {
    const { extra = new Uint8Array(0) } = record
    const view = new DataView(new ArrayBuffer(48))
    const little = !big
    view.setUint32(0, 0x65617400 + (record.version ?? 7), little)
    view.setBigUint64(8, record.time, little)
    view.setBigUint64(16, record.sector ?? 0n, little)
    view.setUint32(24, record.bytes ?? 0, little)
    view.setUint32(28, record.action, little)
    view.setUint32(36, record.device ?? (8 << 20) | 1, little)
    view.setUint16(46, extra.length, little)
    return Buffer.concat([new Uint8Array(view.buffer), extra])
  })
  return new Uint8Array(Buffer.concat(parts))
}
