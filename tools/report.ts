/** The report of a run in words: hosts, then each system, from the tally of its events. */

import type { BackupTally, RestoreTally, Tally } from '../src/inspect/tally.ts'
import type { RunReport } from '../src/run/driver.ts'
import type { HostReport } from '../src/run/host.ts'
import type { Scenario } from '../src/run/scenario.ts'
import { escaped, table } from './output.ts'

/** A line for each host: what it played, how much of it, what was refused. */
export function hostLines(scenario: Scenario, report: RunReport): string {
  const rows = report.hosts.map((host) => {
    const plays = scenario.hosts.find((one) => one.name === host.name)!
    const what = 'scan' in plays.plays ? 'reads the whole volume once' : `plays ${plays.plays.trace}`
    return [
      `  host ${host.name}`,
      `${host.submitted} requests`,
      `on ${plays.volume}, ${what}${refusals(host)}`,
    ]
  })
  return escapedLines(table(rows, [1]))
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
