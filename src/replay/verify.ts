/**
 * Verify: can this journal be trusted? Chain, gaps, rows, head, checkpoints' places, and every payload against the
 * digest its frame holds. Folds nothing.
 */

import type { Finding } from '../check/check.ts'
import { hex, sameBytes, sha256 } from '../core/digest.ts'
import { BlockboxError } from '../core/errors.ts'
import { Columns, type Row } from '../events/columns.ts'
import { checkRows, type Frame } from '../journal/frame.ts'
import type { Journal } from '../journal/journal.ts'
import type { PayloadStore } from '../payload/payload.ts'

export interface VerifyVerdict {
  readonly events: number
  readonly frames: number
  readonly payloads: number
  readonly payloadBytes: number
  /** Every reason for distrust, the first bad sequence number first. */
  readonly findings: readonly Finding[]
  readonly head: { readonly seq: number; readonly hash: string }
}

export interface VerifyOptions {
  /** A head somebody kept elsewhere: the journal must hold it. */
  readonly head?: { readonly seq: number; readonly hash: string }
  /** Called with the last event of each frame that was looked at. */
  readonly onFrame?: (seq: number) => void
  readonly signal?: AbortSignal
}

export async function verify(
  journal: Journal,
  payload: PayloadStore,
  options: VerifyOptions = {},
): Promise<VerifyVerdict> {
  const bounds = journal.bounds()
  const findings: Finding[] = []
  const counted = { events: 0, frames: 0, payloads: 0, payloadBytes: 0 }
  const columns = new Columns()
  let held = options.head === undefined
  try {
    for await (const frame of journal.read(bounds.first)) {
      options.signal?.throwIfAborted()
      const row = frame.open(columns)
      checkRows(frame, row)
      counted.frames++
      counted.events += frame.count
      held ||= frame.last === options.head?.seq && hex(frame.hash) === options.head.hash
      checkPayloads(frame, row, payload, findings, counted)
      options.onFrame?.(frame.last)
    }
  } catch (error) {
    if (!(error instanceof BlockboxError) || error.seq === undefined) throw error
    findings.push({ seq: error.seq, rule: error.code, detail: error.message })
  }
  if (!held && options.head !== undefined && findings.length === 0) {
    const { seq, hash } = options.head
    const known = seq >= bounds.first && seq <= bounds.last
    const detail = known
      ? `no frame ends with event ${seq} and hash ${hash}: the journal was rewritten`
      : `the journal ends with event ${bounds.last}, the head given is of event ${seq}: it was rolled back`
    findings.push({ seq: Math.min(seq, bounds.last + 1), rule: 'HEAD', detail })
  }
  const head = { seq: bounds.last, hash: hex(bounds.head) }
  return { ...counted, findings: findings.sort((a, b) => a.seq - b.seq), head }
}

function checkPayloads(
  frame: Frame,
  row: Row,
  payload: PayloadStore,
  findings: Finding[],
  counted: { payloads: number; payloadBytes: number },
): void {
  let digests = 0
  for (row.index = 0; row.index < frame.count; row.index++) {
    if (row.kind !== 'io.write' || row.payload === 0) continue
    const digest = digests < frame.payloads ? frame.digest(digests) : undefined
    digests++
    counted.payloads++
    counted.payloadBytes += row.length
    const detail = payloadFault(payload, row, digest)
    if (detail !== undefined) findings.push({ seq: row.seq, rule: 'PAYLOAD_CORRUPT', detail })
  }
  if (digests !== frame.payloads) {
    const detail = `the frame has ${frame.payloads} digests for ${digests} payloads`
    findings.push({ seq: frame.first, rule: 'JOURNAL_CORRUPT', detail })
  }
}

function payloadFault(payload: PayloadStore, row: Row, digest: Uint8Array | undefined): string | undefined {
  try {
    const found = sha256(payload.read(row.payload, row.length))
    if (digest !== undefined && sameBytes(found, digest)) return undefined
    return `the payload of event ${row.seq} is not what was written: its digest differs`
  } catch (error) {
    if (error instanceof BlockboxError) return error.message
    throw error
  }
}
