/**
 * The benchmark of the server: `npm run bench:nbd [-- --quick] [-- --out FILE]`. fio's nbd engine over a unix socket, 4 KiB
 * at random, against nbdkit's file plugin in the same rounds; reads of the past against reads of now; what hosts wait while
 * a restore runs against what they wait when none does. Needs fio and nbdkit. Measures the disk of
 * BLOCKBOX_BENCH_DIR or the temporary folder; believe the ratios. A missed target is no failure.
 */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { openClient } from '../../src/nbd/client/client.ts'
import { exportUri } from '../../src/nbd/server/address.ts'
import { print, progress } from '../output.ts'
import { fio } from './fio.ts'
import { withFolder } from './folder.ts'
import { isMet, type Line, tableOf } from './line.ts'
import { machineFacts, machineText } from './machine.ts'
import { restoreLines } from './nbd-restore.ts'
import { median } from './rounds.ts'

const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, out: { type: 'string' } },
})
const rounds = values.quick ? 3 : 5
const seconds = values.quick ? 0.5 : 2
const sizeMiB = values.quick ? 64 : 256
const program = fileURLToPath(new URL('../blockbox.js', import.meta.url))

interface Contender {
  readonly name: string
  readonly uri: string
}

interface Job {
  readonly group: string
  readonly rw: 'randread' | 'randwrite'
  readonly depth: number
  /** Against whom. */
  readonly anchor: string
  /** The least ratio to the anchor by contender; who is not named is not run, the anchor always is. */
  readonly targets: Readonly<Record<string, number | undefined>>
}

const kit = 'nbdkit file'
const read = { rw: 'randread', anchor: kit } as const
const write = { rw: 'randwrite', anchor: kit } as const
const jobs: readonly Job[] = [
  { ...read, group: 'read 4 KiB, 1 at once', depth: 1, targets: { durable: 0.8 } },
  { ...read, group: 'read 4 KiB, 32 at once', depth: 32, targets: { durable: 1 } },
  {
    ...read,
    group: 'read 4 KiB of now or then, 32 at once',
    depth: 32,
    anchor: 'durable',
    targets: { past: 0.66 },
  },
  { ...write, group: 'write 4 KiB, 1 at once', depth: 1, targets: { buffered: 0.8, durable: undefined } },
  { ...write, group: 'write 4 KiB, 32 at once', depth: 32, targets: { buffered: 1, durable: 0.5 } },
]

const machine = await machineFacts()
await print(`${machineText(machine)}\n`)
const lines = await withFolder(measure)
progress('')
await print(tableOf(lines))
const missed = lines.filter((line) => isMet(line) === false)
await print(`\n${missed.length === 0 ? 'every target is met' : `${missed.length} targets are missed`}`)
for (const path of ['.build/bench-nbd.json', values.out]) {
  if (path === undefined) continue
  mkdirSync(dirname(path), { recursive: true })
  const kept = { version: 1, at: new Date().toISOString(), quick: values.quick, machine, lines }
  writeFileSync(path, `${JSON.stringify(kept, undefined, 2)}\n`)
}

async function measure(folder: string): Promise<Line[]> {
  const servers: ChildProcess[] = []
  try {
    const contenders = [
      await startAnchor(folder, servers),
      await start(folder, 'durable', servers),
      await start(folder, 'buffered', servers),
    ]
    for (const { uri } of contenders) await fill(uri)
    const past = `vol@time:${new Date().toISOString()}`
    contenders.push({ name: 'past', uri: exportUri({ socket: join(folder, 'durable') }, past, false) })
    const lines: Line[] = []
    for (const job of jobs) lines.push(...(await linesOf(job, contenders, folder)))
    const serve = async (journal: string) => {
      const socket = join(folder, 'restored')
      await startServer(journal, socket, 'durable', servers)
      return (volume: string) => exportUri({ socket }, volume, false)
    }
    const size = { sizeMiB, rounds, seconds: Math.min(1, seconds), folder }
    return [...lines, ...(await restoreLines({ ...size, program, serve, progress }))]
  } finally {
    for (const server of servers) {
      server.kill('SIGTERM')
      if (server.exitCode === null) await once(server, 'exit')
    }
  }
}

async function startAnchor(folder: string, servers: ChildProcess[]): Promise<Contender> {
  const [file, socket] = [join(folder, 'file'), join(folder, 'nbdkit')]
  execFileSync('truncate', ['-s', `${sizeMiB}M`, file])
  servers.push(spawn('nbdkit', ['-f', '-U', socket, 'file', file], { stdio: 'ignore' }))
  return { name: kit, uri: exportUri({ socket }, '', false) }
}

async function start(folder: string, ack: string, servers: ChildProcess[]): Promise<Contender> {
  const [journal, socket] = [join(folder, `${ack}.journal`), join(folder, ack)]
  const size = ['--size', `${sizeMiB}M`, '-j', journal]
  execFileSync(process.execPath, [program, 'volume', 'create', 'vol', ...size], { stdio: 'ignore' })
  await startServer(journal, socket, ack, servers)
  return { name: ack, uri: exportUri({ socket }, 'vol', false) }
}

async function startServer(
  journal: string,
  socket: string,
  ack: string,
  servers: ChildProcess[],
): Promise<void> {
  const args = [program, 'serve', '-j', journal, '--socket', socket, '--ack', ack, '--print-uri']
  const server = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  servers.push(server)
  await once(server.stdout, 'data')
}

/** Nothing is read that was not written: holes would be answered in a few bytes. */
async function fill(uri: string): Promise<void> {
  const url = new URL(uri)
  const client = await openClient({ socket: url.searchParams.get('socket')! }, url.pathname.slice(1))
  const piece = new Uint8Array(2 ** 20).map((_, k) => 1 + (k % 251))
  for (let at = 0; at < sizeMiB; at++) await client.write(at * 2 ** 20, piece)
  await client.flush()
  await client.close()
}

async function linesOf(job: Job, contenders: readonly Contender[], folder: string): Promise<Line[]> {
  const { group, rw, depth, anchor, targets } = job
  const here = contenders.filter(({ name }) => name === anchor || name in targets)
  const taken = new Map<string, number[]>(here.map(({ name }) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const { name, uri } of here) {
      progress(`${group}: ${name}, round ${round + 1} of ${rounds}`)
      const { iops } = await fio({ uri, rw, depth, sizeMiB, seconds, folder })
      taken.get(name)!.push(iops)
    }
  }
  const ofAnchor = median(taken.get(anchor)!)
  return here.map(({ name }) => {
    const value = median(taken.get(name)!)
    const least = targets[name]
    const target = least === undefined ? {} : { target: { ratioAtLeast: least } }
    return { group, name, value: value / 1000, unit: 'k/s', ratio: value / ofAnchor, ...target }
  })
}
