/**
 * The benchmark of the server: `npm run bench:nbd [-- --quick] [-- --out FILE]`. fio's nbd engine over a unix socket, 4 KiB
 * at random, against nbdkit's file plugin in the same rounds. Needs fio and nbdkit. Measures the disk of
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
import { withFolder } from './folder.ts'
import { isMet, type Line, tableOf } from './line.ts'
import { machineFacts, machineText } from './machine.ts'
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
  /** The least ratio to the anchor by contender; who is not named is not run, the anchor always is. */
  readonly targets: Readonly<Record<string, number | undefined>>
}

const anchor = 'nbdkit file'
const jobs: readonly Job[] = [
  { group: 'read 4 KiB, 1 at once', rw: 'randread', depth: 1, targets: { durable: 0.8 } },
  { group: 'read 4 KiB, 32 at once', rw: 'randread', depth: 32, targets: { durable: 1, past: undefined } },
  {
    group: 'write 4 KiB, 1 at once',
    rw: 'randwrite',
    depth: 1,
    targets: { buffered: 0.8, durable: undefined },
  },
  { group: 'write 4 KiB, 32 at once', rw: 'randwrite', depth: 32, targets: { buffered: 1, durable: 0.5 } },
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
    return jobs.flatMap((job) => linesOf(job, contenders, folder))
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
  return { name: anchor, uri: exportUri({ socket }, '', false) }
}

async function start(folder: string, ack: string, servers: ChildProcess[]): Promise<Contender> {
  const [journal, socket] = [join(folder, `${ack}.journal`), join(folder, ack)]
  const size = ['--size', `${sizeMiB}M`, '-j', journal]
  execFileSync(process.execPath, [program, 'volume', 'create', 'vol', ...size], { stdio: 'ignore' })
  const args = [program, 'serve', '-j', journal, '--socket', socket, '--ack', ack, '--print-uri']
  const server = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  servers.push(server)
  await once(server.stdout, 'data')
  return { name: ack, uri: exportUri({ socket }, 'vol', false) }
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

function linesOf(job: Job, contenders: readonly Contender[], folder: string): Line[] {
  const here = contenders.filter(({ name }) => name === anchor || name in job.targets)
  const taken = new Map<string, number[]>(here.map(({ name }) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const { name, uri } of here) {
      progress(`${job.group}: ${name}, round ${round + 1} of ${rounds}`)
      taken.get(name)!.push(perSecond(job, uri, folder))
    }
  }
  const ofAnchor = median(taken.get(anchor)!)
  return here.map(({ name }) => {
    const value = median(taken.get(name)!)
    const ratio = value / ofAnchor
    const least = job.targets[name]
    const target = least === undefined ? {} : { target: { ratioAtLeast: least } }
    return { group: job.group, name, value: value / 1000, unit: 'k/s', ratio, ...target }
  })
}

function perSecond({ rw, depth }: Job, uri: string, folder: string): number {
  const args = ['--name=b', '--ioengine=nbd', `--uri=${uri}`, `--rw=${rw}`, '--bs=4k', `--iodepth=${depth}`]
  const bounds = [`--size=${sizeMiB}M`, '--time_based', `--runtime=${seconds * 1000}ms`, '--norandommap']
  const out = execFileSync('fio', [...args, ...bounds, '--output-format=json'], {
    cwd: folder,
    encoding: 'utf8',
  })
  const [result] = JSON.parse(out.slice(out.indexOf('{'))).jobs
  return rw === 'randread' ? result.read.iops : result.write.iops
}
