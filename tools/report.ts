/** The report of a run in words: hosts, then each system, from the tally of its events. */

import type { BackupTally, RestoreTally, Tally } from '../src/inspect/tally.ts'
import type { RunReport } from '../src/run/driver.ts'
import type { HostReport } from '../src/run/host.ts'
import type { PaceReport } from '../src/run/pace.ts'
import type { Scenario } from '../src/run/scenario.ts'
import { escaped, table } from './output.ts'

/** A line for each host: what it played, how much of it, what was refused. */
export function hostLines(scenario: Scenario, report: RunReport): string {
  const rows = report.hosts.map((host) => {
    const plays = scenario.hosts.find((one) => one.name === host.name)!
    const what =
      'scan' in plays.plays ? 'reads the whole volume once' : `plays ${plays.plays.trace.join(' ')}`
    return [
      `  host ${host.name}`,
      `${host.submitted} requests`,
      `on ${plays.volume}, ${what}${refusals(host)}`,
    ]
  })
  const paces = report.hosts.flatMap(({ name, pace }) => (pace === undefined ? [] : [paceLine(name, pace)]))
  return escapedLines([table(rows, [1]), ...paces].join('\n'))
}

/** How well a host kept its pace. */
function paceLine(name: string, pace: PaceReport): string {
  const { scheduledNs, tookNs, drift, p50Ns, p99Ns, maxNs } = pace
  const took = `${seconds(tookNs)} s for ${seconds(scheduledNs)} s, drift ${(drift * 100).toFixed(3)} %`
  return `  pace of ${name}: ${took}; late by ${ms(p50Ns)} ms (p50), ${ms(p99Ns)} ms (p99), ${ms(maxNs)} ms at most`
}

const seconds = (ns: number) => (ns / 1e9).toFixed(3)
const ms = (ns: number) => (ns / 1e6).toFixed(3)

/** Above this a pace counts as not kept. */
const maxDrift = 0.01

/** A line for each host that could not keep its pace. */
export function paceRemarks(report: RunReport): string[] {
  return report.hosts.flatMap(({ name, pace }) => {
    if (pace === undefined || pace.drift <= maxDrift) return []
    const drift = `${(pace.drift * 100).toFixed(1)} % longer than its trace says`
    return [
      `host ${name} took ${drift}: its depth or its order made requests wait, or disk and machine were too slow`,
    ]
  })
}

/** A host's report as printed JSON. */
export function hostJson({ pace, ...host }: HostReport): object {
  if (pace === undefined) return host
  const { requests, scheduledNs, tookNs, drift, p50Ns, p99Ns, maxNs } = pace
  const late = { late_p50_ns: p50Ns, late_p99_ns: p99Ns, late_max_ns: maxNs }
  return { ...host, pace: { requests, scheduled_ns: scheduledNs, took_ns: tookNs, drift, ...late } }
}

function refusals(host: HostReport): string {
  const codes = Object.entries(host.refused).map(([code, count]) => `${count} ${code}`)
  return codes.length === 0 ? '' : `; not ok: ${codes.join(', ')}`
}

/** A block of lines for each backup, sync and restore. */
export function systemLines(tally: Tally): string {
  const lines: string[] = []
  for (const backup of tally.backups.values()) lines.push(...backupLines(backup))
  for (const [tag, { background, failed }] of tally.syncs) {
    lines.push(`  pair ${tag}: ${plural(background, 'extent')} copied from source to clone, ${failed} failed`)
  }
  for (const restore of tally.restores) lines.push(...restoreLines(restore))
  return escapedLines(lines.join('\n'))
}

function backupLines(backup: BackupTally): string[] {
  const { name, held, released, dropped, how, startedSeq } = backup
  return [
    `  backup ${name}: ${how}, its point in time is event ${startedSeq}`,
    `    ${plural(held, 'write')} held; ${released} released in order, ${dropped} dropped`,
  ]
}

function restoreLines(restore: RestoreTally): string[] {
  const { differing, background, demand, failed, queuedReads, queuedWrites, released, lost } = restore
  const end = restore.completed ? 'completed' : restore.cancelled ? 'cancelled' : 'not finished'
  const mode = restore.protected ? 'protected' : 'unprotected'
  const clone = restore.protected ? 'the clone was not touched' : 'the clone was written with the source'
  const moved = restore.movedBytes > 0 ? [`    ${restore.movedBytes} bytes came from the clone outside`] : []
  return [
    `  restore of pair ${restore.tag}, ${mode}: ${end}`,
    `    ${plural(differing, 'extent')} differed; ${background} copied in the background, ${demand} on demand, ${failed} failed`,
    `    ${queuedReads} reads and ${queuedWrites} writes queued for a copy; ${released} released, ${lost} lost`,
    `    ${plural(restore.changedByHosts, 'extent')} changed by hosts meanwhile; ${clone}`,
    ...moved,
  ]
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

function escapedLines(text: string): string {
  return text.split('\n').map(escaped).join('\n')
}
