/**
 * The order on the medium under a fence of an implementation that writes in place: S0-I1 to S0-I3 as SPEC 2.4 has them,
 * for imported traces and planted histories. Our own engine commits each step in a frame of its own.
 *
 *     saved, durable ─▶ pattern ─▶ flush ─▶ data ... ─▶ flush ─▶ valid metadata ─▶ flush ─▶ lowered
 *            S0-I1                  S0-I2                S0-I3                      S0-I3
 */

import type { Finding } from './check.ts'

/** What a history of one fence says. `fence.saved` and `fence.lowered` are durable where they stand. */
export interface FenceMediaEvent {
  readonly name:
    | 'fence.saved'
    | 'pattern.written'
    | 'data.written'
    | 'meta.written'
    | 'media.flushed'
    | 'fence.lowered'
}

/** The findings in a history; `seq` is the place of the event, from 1. */
export function mediaFence(events: readonly FenceMediaEvent[]): Finding[] {
  const findings: Finding[] = []
  const unflushed = new Set<FenceMediaEvent['name']>()
  let saved = false
  for (const [at, { name }] of events.entries()) {
    const find = (rule: string, detail: string) => findings.push({ seq: at + 1, rule, detail })
    if (name === 'fence.saved') saved = true
    else if (name === 'media.flushed') unflushed.clear()
    else if (name === 'pattern.written' && !saved) {
      find('S0-I1', 'the pattern is written before what it overwrites is durable elsewhere')
    } else if (name === 'data.written' && unflushed.has('pattern.written')) {
      find('S0-I2', 'data is written before the pattern is flushed')
    } else if (name === 'meta.written' && unflushed.has('data.written')) {
      find('S0-I3', 'valid metadata is written before the data it describes is flushed')
    } else if (name === 'fence.lowered' && unflushed.has('meta.written')) {
      find('S0-I3', 'the fence is gone before valid metadata is flushed')
    }
    if (name.endsWith('.written')) unflushed.add(name)
  }
  return findings
}
