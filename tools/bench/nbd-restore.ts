/**
 * What hosts wait while a restore copies: 4 KiB at random, one at once, on a volume that is being restored from a file
 * outside, against the same when it is restored. Each round restores a volume of its own; what a host touches before it
 * was copied is copied first.
 */

import { execFile, execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'
import { fio } from './fio.ts'
import type { Line } from './line.ts'
import { median } from './rounds.ts'

const run = promisify(execFile)
const extentBytes = 64 * 1024

export interface RestoreBench {
  readonly folder: string
  readonly rounds: number
  readonly sizeMiB: number
  readonly seconds: number
  /** The command line as compiled. */
  readonly program: string
  /** Serves a journal; gives the URI of each volume. */
  readonly serve: (journal: string) => Promise<(volume: string) => string>
  readonly progress: (text: string) => void
}

/** Makes the volumes and the file they are restored from, then measures. */
export async function restoreLines(bench: RestoreBench): Promise<Line[]> {
  const { folder, rounds, sizeMiB, seconds, program } = bench
  const [journal, file] = [join(folder, 'restored.journal'), join(folder, 'clone.img')]
  const blockbox = (...args: string[]) => run(process.execPath, [program, ...args, '-j', journal])
  const piece = randomBytes(2 ** 20)
  execFileSync('truncate', ['-s', '0', file])
  for (let at = 0; at < sizeMiB; at++) writeFileSync(file, piece, { flag: 'a' })
  for (let k = 0; k < rounds; k++) await blockbox('volume', 'create', `vol${k}`, '--size', `${sizeMiB}M`)
  const uriOf = await bench.serve(journal)
  const rate = Math.ceil((sizeMiB * 2 ** 20) / extentBytes / (2 * seconds + 2))
  const taken = { read: [[], []], write: [[], []] } as Record<'read' | 'write', [Pair[], Pair[]]>
  for (let k = 0; k < rounds; k++) {
    bench.progress(`restore from a clone, round ${k + 1} of ${rounds}`)
    const job = (rw: 'randread' | 'randwrite') =>
      fio({ uri: uriOf(`vol${k}`), rw, depth: 1, sizeMiB, seconds, folder })
    await blockbox('clone', 'create', `pair${k}`, '--source', `vol${k}`, '--clone-file', file)
    const restored = blockbox('restore', 'start', `pair${k}`, '--rate', String(rate))
    while (!(await blockbox('restore', 'ls')).stdout.includes(`pair${k}`)) await setTimeout(50)
    taken.read[1].push(await job('randread'))
    taken.write[1].push(await job('randwrite'))
    await restored
    taken.read[0].push(await job('randread'))
    taken.write[0].push(await job('randwrite'))
  }
  const speed = Math.round((rate * extentBytes) / 2 ** 20)
  return (['read', 'write'] as const).flatMap((what) =>
    (['p50', 'p99'] as const).flatMap((percentile) => {
      const group = `${what} 4 KiB, 1 at once, durable, ${percentile}`
      const [idle, busy] = taken[what].map((all) => median(all.map((one) => one[percentile])))
      return [
        { group, name: 'idle', value: idle!, unit: 'us', ratio: 1 },
        {
          group,
          name: `restoring ${speed} MiB/s`,
          value: busy!,
          unit: 'us',
          ratio: idle! / busy!,
          target: { ratioAtLeast: 0.5 },
        },
      ]
    }),
  )
}

type Pair = Readonly<Record<'p50' | 'p99', number>>
