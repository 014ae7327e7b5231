/**
 * What a SCSI command does to a device, by the opcode in its first byte (SBC-4, commands of 6 to 16 bytes).
 */

import type { TraceOp } from './event.ts'

const ops: ReadonlyMap<number, TraceOp> = new Map([
  ...[0x08, 0x28, 0xa8, 0x88].map((code): [number, TraceOp] => [code, 'read']),
  ...[0x0a, 0x2a, 0xaa, 0x8a].map((code): [number, TraceOp] => [code, 'write']),
  ...[0x2e, 0xae, 0x8e].map((code): [number, TraceOp] => [code, 'write']),
])

/** Read or write, and `other` for every command that moves no data. */
export function scsiOp(code: number): TraceOp {
  return ops.get(code) ?? 'other'
}
