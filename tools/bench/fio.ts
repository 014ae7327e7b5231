/** One job of fio's nbd engine: 4 KiB at random on an export, for a while. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'

export interface FioJob {
  readonly uri: string
  readonly rw: 'randread' | 'randwrite'
  readonly depth: number
  readonly sizeMiB: number
  readonly seconds: number
  /** Where fio leaves its notes. */
  readonly folder: string
}

export interface FioResult {
  /** Requests a second. */
  readonly iops: number
  /** Time to an answer, microseconds: half of them took no longer, and 99 of 100. */
  readonly p50: number
  readonly p99: number
}

/** Runs a job. Throws when fio fails. */
export async function fio({ uri, rw, depth, sizeMiB, seconds, folder }: FioJob): Promise<FioResult> {
  const args = ['--name=b', '--ioengine=nbd', `--uri=${uri}`, `--rw=${rw}`, '--bs=4k', `--iodepth=${depth}`]
  const bounds = [`--size=${sizeMiB}M`, '--time_based', `--runtime=${seconds * 1000}ms`, '--norandommap']
  const child = spawn('fio', [...args, ...bounds, '--output-format=json'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let out = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`fio ended with ${code}`)
  const [job] = JSON.parse(out.slice(out.indexOf('{'))).jobs
  const { iops, clat_ns: taken } = rw === 'randread' ? job.read : job.write
  const at = (percent: string) => taken.percentile[percent] / 1000
  return { iops, p50: at('50.000000'), p99: at('99.000000') }
}
