/**
 * `blockbox serve`: the volumes of a journal over NBD, and their past. Runs until it is told to stop, or until the
 * program it was to run ends; then requests under way are answered and the journal is closed.
 *
 *     opening ─▶ serving ── SIGTERM, SIGINT, --run ends ──▶ draining ─▶ closed
 *                 ▲ └── the engine fails ──▶ only reading ──▲            └─ after a failure: its exit code
 *                 └── room again, or asked to reopen ──┘
 */

import { rm, writeFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { type Command, Option } from 'commander'
import type { ControlServer } from '../../src/control/control-server.ts'
import { BlockboxError } from '../../src/core/errors.ts'
import { openToGoOn } from '../../src/engine/open-folder.ts'
import type { News, Succession } from '../../src/engine/succession.ts'
import { cannotMake } from '../../src/images/image-file.ts'
import { Places } from '../../src/images/places.ts'
import { type Address, exportUri } from '../../src/nbd/server/address.ts'
import { VolumeCatalog } from '../../src/nbd/server/catalog.ts'
import { readCredentials } from '../../src/nbd/server/credentials.ts'
import { NbdServer } from '../../src/nbd/server/server.ts'
import { worldAt } from '../../src/replay/at.ts'
import { controlFor } from '../control-serving.ts'
import { exitCodes } from '../exit-code.ts'
import { Interrupted, interrupt } from '../interrupt.ts'
import { type JournalOption, journalDir, journalOption } from '../journal-option.ts'
import { wholeNumber } from '../number.ts'
import { print } from '../output.ts'
import { remark } from '../remark.ts'
import { activatedSocket, collectSeldom, defaultCacheBytes, runBeside } from '../serving.ts'
import { parseSize } from '../size.ts'
import { newsText } from '../succession-news.ts'
import { type TapOptions, type Tapping, tapping } from '../tapping.ts'

interface ServeOptions extends JournalOption, TapOptions {
  readonly socket?: string
  readonly port?: number
  readonly bind: string
  readonly insecure?: boolean
  readonly tlsCertificates?: string
  readonly ack: 'durable' | 'buffered'
  readonly control?: string | boolean
  readonly controlPort?: number
  readonly controlToken?: string
  readonly readOnly?: boolean
  readonly connections: number
  readonly cache?: number
  readonly run?: string
  readonly printUri?: boolean
  readonly pidFile?: string
  readonly json?: boolean
}

export function add(program: Command): void {
  journalOption(program.command('serve'))
    .description('volumes as NBD exports NAME, their past as NAME@POINT')
    .option('--tap <uri>', 'stand before the disk of another NBD server and record what hosts do there')
    .option(
      '--as <name>',
      'with --tap: the volume that records it, a new one; the name of its export if left out',
    )
    .option('--block <size>', 'with --tap: bytes of a block of that volume; 4K, or 512', parseSize)
    .option(
      '--copy-first',
      'with --tap: copy all of the far disk into the volume first, so that nothing is unknown',
    )
    .option('--log-first', 'with --tap: no change goes to the far server before the record names it')
    .option('--socket <path>', 'listen on a unix socket')
    .option('--port <n>', 'listen on a TCP port; 0 takes a free one', wholeNumber(0, 65_535))
    .option('--bind <address>', 'with --port: the address to listen on', '127.0.0.1')
    .option('--insecure', 'let --bind name an address others can reach, without TLS')
    .option('--tls-certificates <dir>', 'want TLS: ca-cert.pem, server-cert.pem and server-key.pem')
    .addOption(
      new Option('--ack <when>', 'answer writes when durable, or like a disk with a cache')
        .choices(['durable', 'buffered'])
        .default('durable'),
    )
    .option('--control <path>', 'the socket of the control API; control.sock in the journal when not named')
    .option(
      '--control-port <n>',
      'the control API on a port of 127.0.0.1 in place of a socket',
      wholeNumber(0, 65_535),
    )
    .option('--control-token <file>', 'with --control-port: a file that holds the token')
    .option('--no-control', 'no control API')
    .option('--read-only', 'let no host write; commands of the control API may')
    .option('--connections <n>', 'connections at once', wholeNumber(1, 1024), 64)
    .option(
      '--cache <size>',
      'payload kept in memory; an eighth of the memory, at most 1G, when not named',
      parseSize,
    )
    .option('--run <command>', 'run a shell command with $uri and $nbd set, and stop when it ends')
    .option('--print-uri', 'print the URI of each volume once clients may come')
    .option('--pid-file <file>', 'write the process number there once clients may come')
    .option('--json', 'print where it listens as one JSON object')
    .addHelpText(
      'after',
      '\nExamples:\n  blockbox serve -j nightly.journal --socket vol.sock --print-uri\n' +
        "  blockbox serve -j nightly.journal --socket vol.sock --run 'nbdinfo --list $uri'\n" +
        "  nbdcopy 'nbd+unix:///disk0@mark:before-upgrade?socket=vol.sock' disk0.img\n" +
        '  blockbox serve -j nightly.journal --tap nbd://storage/disk0 --as disk0 --socket tap.sock\n' +
        '\nWith --tap hosts use a disk that stays where it is: its server answers, and each answer is on the record before\n' +
        'a host has it. When that server goes, hosts get errors and the exit code is 1.\n',
    )
    .action(serve)
}

async function serve(options: ServeOptions): Promise<void> {
  collectSeldom()
  const address = addressOf(options)
  const folder = options.tlsCertificates
  const credentials = folder === undefined ? undefined : await readCredentials(folder)
  const { readOnly = false, connections } = options
  const tapped = await tapping(options)
  const places = new Places(tapped?.engine.openImage)
  const succession = await opened(options, tapped, places)
  const { engine, journal, payload } = succession
  for (const text of journal.remarks) remark(text)
  const tap = tapped && { tapped: tapped.tap }
  const catalog = new VolumeCatalog({ engine, journal, payload, readOnly, ...tap })
  const server = new NbdServer({ catalog, connections, ...(credentials && { credentials }) })
  let control: ControlServer | undefined
  let hasPidFile = false
  try {
    await tapped?.begin(engine)
    const goesOn = tapped === undefined ? { succession } : {}
    control = await controlFor(options, { engine, journal, payload, places, ...goesOn })
    succession.add(catalog)
    if (control !== undefined) succession.add(control)
    const bound = await server.listen(address)
    const names = tapped === undefined ? catalog.volumes() : [tapped.name]
    const uris = names.map((name) => exportUri(bound, name, credentials !== undefined))
    hasPidFile = await wrotePid(options)
    await announce(options, bound, uris)
    await stopped(succession, tapped, options, bound, uris)
  } finally {
    await control?.close()
    await server.close()
    await tapped?.tap.stop()
    catalog.close()
    if (hasPidFile) await rm(options.pidFile!, { force: true })
    await succession.close()
  }
  const { remains } = succession.engine
  if (remains !== undefined) throw remains.reason.cause
  if (interrupt.reason instanceof Interrupted && interrupt.reason.signal === 'SIGTERM') {
    process.exitCode = exitCodes.ok
  }
}

/** The journal with an engine; one for a tap is made when there is none. */
async function opened(options: ServeOptions, tapped: Tapping | undefined, places: Places) {
  const { ack, cache: cacheBytes = defaultCacheBytes() } = options
  const how = { ...(tapped && { create: true, ...tapped.engine }), openImage: places.open }
  try {
    return await openToGoOn(journalDir(options), { ack, worldAt, cacheBytes, ...how })
  } catch (error) {
    await tapped?.tap.stop()
    throw error
  }
}

/** A socket that the system's own start-up bound comes first; then what the options say. */
function addressOf({ socket, port, bind, insecure, tlsCertificates }: ServeOptions): Address {
  const descriptor = activatedSocket()
  if (descriptor !== undefined) return { descriptor }
  if ((socket === undefined) === (port === undefined)) {
    throw new BlockboxError('USAGE', 'where? Name a socket with --socket PATH, or a port with --port N')
  }
  if (socket !== undefined) return { socket: resolve(socket) }
  const loopback = bind === 'localhost' || bind === '::1' || (isIP(bind) === 4 && bind.startsWith('127.'))
  if (!loopback && tlsCertificates === undefined && insecure !== true) {
    const why = `whoever reaches ${bind} could read and write the volumes`
    throw new BlockboxError('USAGE', `${why}: use --tls-certificates DIR, or say --insecure`)
  }
  return { port: port!, host: bind }
}

/** Writes the process number where it was asked for; false when it was not. Throws USAGE where it cannot. */
async function wrotePid({ pidFile }: ServeOptions): Promise<boolean> {
  if (pidFile === undefined) return false
  await writeFile(pidFile, `${process.pid}\n`).catch((error: unknown) => {
    throw cannotMake(pidFile, error)
  })
  return true
}

async function announce(options: ServeOptions, bound: Address, uris: readonly string[]): Promise<void> {
  if (options.json === true) await print(JSON.stringify({ version: 1, ...bound, uris }))
  else if (options.printUri === true) await print(uris.join('\n'))
}

/**
 * Resolves when it is time to stop. An engine that failed serves on what is durable, and says so; before the disk of
 * another server, whose content it does not have, it ends. Rejects with that reason, or when the far server is lost.
 */
function stopped(
  succession: Succession,
  tapped: Tapping | undefined,
  { run }: ServeOptions,
  bound: Address,
  uris: readonly string[],
): Promise<void> {
  return new Promise((done, fail) => {
    const heard = (news: News) => {
      if (tapped !== undefined && news.what === 'failed') fail(news.reason)
      else for (const text of newsText(news)) remark(text)
    }
    succession.news$.subscribe(heard)
    const { engine, awaitsRoom } = succession
    if (engine.remains !== undefined) heard({ what: 'failed', reason: engine.remains.reason, awaitsRoom })
    void tapped?.tap.lost.then(fail)
    if (interrupt.aborted) done()
    interrupt.addEventListener('abort', () => done())
    if (run === undefined) return
    runBeside(run, bound, uris, interrupt).then((code) => {
      process.exitCode ??= code
      done()
    }, fail)
  })
}
