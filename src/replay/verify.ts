/**
 * Verify: can this journal be trusted? Chain, gaps, rows, head, every payload against the digest its frame holds, and
 * every checkpoint against its own and against the state it is of. Folds nothing.
 */

import type { Finding } from '../check/check.ts'
import { hex } from '../core/digest.ts'
import { BlockboxError } from '../core/errors.ts'
import { Columns } from '../events/columns.ts'
import { faultText } from '../journal/found-damage.ts'
import { checkRows, type Frame } from '../journal/frame.ts'
import type { Bounds, Journal } from '../journal/journal.ts'
import type { StoreFault } from '../journal/scrub.ts'
import { worldOf } from '../journal/state.ts'
import type { PayloadStore } from '../payload/payload.ts'
import { PayloadCheck } from './payload-check.ts'

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
  /** Heads somebody kept elsewhere: the journal must hold them all. */
  readonly heads?: readonly { readonly seq: number; readonly hash: string }[]
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
  const counted = { events: 0, frames: 0 }
  const payloads = new PayloadCheck(payload)
  const columns = new Columns()
  const missing = new Set((options.heads ?? []).map(({ seq, hash }) => ({ seq, hash: hash.toLowerCase() })))
  try {
    for await (const frame of journal.read(bounds.first)) {
      options.signal?.throwIfAborted()
      const row = frame.open(columns)
      checkRows(frame, row)
      counted.frames++
      counted.events += frame.count
      for (const given of missing) if (isHeldBy(frame, given)) missing.delete(given)
      for (const fault of payloads.faults(frame, row)) findings.push(fault)
      options.onFrame?.(frame.last)
    }
  } catch (error) {
    if (!(error instanceof BlockboxError) || error.seq === undefined) throw error
    findings.push({ seq: error.seq, rule: error.code, detail: error.message })
  }
  findings.push(...payloads.rest())
  for (const given of missing) {
    const isEmpty = bounds.last < bounds.first
    if (isEmpty && given.seq === bounds.last && given.hash === hex(bounds.head)) continue
    if (findings.length === 0 || findings.every(({ rule }) => rule === 'HEAD')) {
      findings.push(unheld(given, bounds))
    }
  }
  findings.push(...(await ofCheckpoints(journal)))
  const head = { seq: bounds.last, hash: hex(bounds.head) }
  const { count, bytes } = payloads
  const sums = { payloads: count, payloadBytes: bytes }
  return { ...counted, ...sums, findings: findings.sort((a, b) => a.seq - b.seq), head }
}

/**
 * Checkpoints that do not verify, or do not give the state that their hash is of; one finding of the first event when the
 * database cannot even list them.
 */
async function ofCheckpoints(journal: Journal): Promise<Finding[]> {
  const rule = 'CHECKPOINT_CORRUPT'
  const passedOver = 'opening passes it over, the frames are the truth'
  const of = (seq: number, what: string) => ({
    ...{ seq, rule },
    detail: `the checkpoint of event ${seq} ${what}: ${passedOver}`,
  })
  try {
    const damaged = await journal.damagedCheckpoints()
    const useless = await uselessCheckpoints(journal)
    return [
      ...damaged.map((seq) => of(seq, 'does not verify')),
      ...useless.map((seq) => of(seq, 'does not give the state it was made of')),
    ]
  } catch (error) {
    if (!(error instanceof BlockboxError) || error.code !== 'JOURNAL_CORRUPT') throw error
    const detail = `the list of checkpoints cannot be read: ${passedOver}`
    return [{ seq: journal.bounds().first, rule, detail }]
  }
}

/** Checkpoints that verify, byte for byte, and of which no state can be made; those that no read brings are damaged. */
async function uselessCheckpoints(journal: Journal): Promise<number[]> {
  const useless: number[] = []
  for (let at = journal.bounds().last; ; ) {
    const checkpoint = await journal.checkpoint(at).catch(() => undefined)
    if (checkpoint === undefined) return useless
    if (worldOf(checkpoint) === undefined) useless.push(checkpoint.seq)
    at = checkpoint.seq - 1
  }
}

/** Damage to the database's files as findings; no event can be named, so the sequence number is 0. */
export function findingsOfStore(faults: readonly StoreFault[]): Finding[] {
  return faults.map((fault) => ({ seq: 0, rule: 'STORE_CORRUPT', detail: faultText(fault) }))
}

interface GivenHead {
  readonly seq: number
  readonly hash: string
}

/** True when the frame ends at the head, or hangs on it: what came before it was given up. */
function isHeldBy(frame: Frame, { seq, hash }: GivenHead): boolean {
  if (frame.last === seq) return hex(frame.hash) === hash
  return frame.first === seq + 1 && hex(frame.previous) === hash
}

function unheld({ seq, hash }: GivenHead, { first, last }: Bounds): Finding {
  if (seq > last) {
    const detail = `the journal ends with event ${last}, the head given is of event ${seq}: it was rolled back`
    return { seq: last + 1, rule: 'HEAD', detail }
  }
  if (seq < first - 1) {
    const detail = `the journal begins with event ${first}: it cannot be shown that it held the head of event ${seq}`
    return { seq: first, rule: 'HEAD', detail }
  }
  const detail = `no frame ends with event ${seq} and hash ${hash}: the journal was rewritten`
  return { seq: Math.max(seq, 1), rule: 'HEAD', detail }
}
