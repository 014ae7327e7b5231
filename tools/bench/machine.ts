/** What the figures were measured on: without it they say nothing. */

import { execFileSync, type StdioOptions } from 'node:child_process'
import { arch, cpus, release, totalmem, type } from 'node:os'
import { join } from 'node:path'
import { FileSide } from './append-file.ts'
import { withFolder } from './folder.ts'
import { median } from './rounds.ts'

export interface Machine {
  readonly node: string
  readonly system: string
  readonly cpu: string
  readonly cpus: number
  readonly memoryGiB: number
  /** Median of 4 KiB appended and synced, microseconds. */
  readonly fdatasyncUs: number
  readonly commit: string
}

export async function machineFacts(): Promise<Machine> {
  return {
    node: process.version,
    system: `${type()} ${release()} ${arch()}`,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cpus: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    fdatasyncUs: await withFolder(async (folder) => syncedAppend(join(folder, 'file'))),
    commit: commit(),
  }
}

function syncedAppend(path: string): number {
  const file = new FileSide(path, 4096)
  const taken = Array.from({ length: 100 }, () => {
    const from = process.hrtime.bigint()
    file.commit()
    return Number(process.hrtime.bigint() - from) / 1000
  })
  file.close()
  return median(taken)
}

function commit(): string {
  try {
    const quiet: StdioOptions = ['ignore', 'pipe', 'ignore']
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8', stdio: quiet }).trim()
  } catch {
    return 'unknown'
  }
}

/** One line of text. */
export function machineText({ node, system, cpu, cpus: count, memoryGiB, fdatasyncUs }: Machine): string {
  const disk = `4 KiB append+fdatasync p50 ${fdatasyncUs.toFixed(0)} us`
  return `Node ${node}, ${system}, ${count} x ${cpu}, ${memoryGiB} GiB, ${disk}`
}
