/**
 * Files that commands are given and that are not there, are folders, may not be read, or cannot be made: each is told from
 * the others, in words and with its exit code, by every command.
 */

// limit: 600 s

import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { blockbox, json, ofRepository, scratch } from './blockbox.ts'

const test = suite('files that commands are given')
const folder = scratch()
const at = (name: string) => join(folder, name)

type Case = readonly [args: string, code: number, words: string]

/** Commands that are given no file. */
const without = ['control openapi', 'control routes', 'completion', 'version']

/** Not a journal: a file, and what lies beside it. */
const journals: readonly Case[] = [
  'info',
  'reopen',
  'log',
  'inspect restore pair',
  'inspect block vol:1',
  'inspect timeline',
  'inspect extent pair:0',
  'inspect session host',
  'inspect queue',
  'inspect changed vol --from seq:1 --to seq:5',
  'volume rm vol',
  'volume resize vol --size 2M',
  'volume ls',
  'branch vol@seq:9 new',
  'device create dev',
  'device ls',
  'clone create two --source vol --clone twin',
  'clone sync pair',
  'clone fracture pair',
  'clone rm pair',
  'clone verify pair',
  'clone ls',
  'backup start night --volume vol',
  'backup stop night',
  'backup run vol -o ~new.img',
  'backup ls',
  'restore start pair',
  'restore pause pair',
  'restore resume pair',
  'restore cancel pair',
  'restore ls',
  'preserve create vol view',
  'preserve drop view',
  'preserve merge view',
  'preserve ls',
  'fence raise guard --volume vol --layout ext4',
  'fence lower guard',
  'fence abort guard',
  'fence force guard',
  'fence takeover guard --owner me',
  'fence ls',
  'mark vol label',
  'mark ls',
  'replay',
  'verify',
  'head',
  'image vol --digest',
  'export -o ~new.trace',
  'serve --socket ~sock',
].map((args, k) => [
  `${args} -j ~${k % 2 === 0 ? 'file' : 'none'}`,
  10,
  k % 2 === 0 ? 'is not a journal' : 'no journal at',
])

const inputs: readonly Case[] = [
  ['log ~none', 2, 'there is no such file'],
  ['log ~file/x', 2, 'a part of its path is no folder'],
  ['replay ~folder', 10, 'there is no journal at'],
  ['verify ~loop', 2, 'its links go round in a circle'],
  ['diff ~none ~a.trace', 10, 'there is no journal at'],
  ['diff ~a.trace ~file/x', 2, 'a part of its path is no folder'],
  ['bisect -j ~none --volume vol true', 2, 'there is no such file'],
  ['salvage ~none ~new.journal', 10, 'there is no database at'],
  ['salvage ~file ~new.journal', 10, 'there is no database at'],
  ['import ~none --summary', 2, 'there is no such file'],
  ['import ~folder --detect', 2, 'it is a directory'],
  ['lint ~file/x', 2, 'a part of its path is no folder'],
  ['convert ~none ~new.iolog', 2, 'there is no such file'],
  ['redact ~folder ~new.trace', 2, 'it is a directory'],
  ['run ~none -j ~new.journal', 2, 'there is no such file'],
  ['run --volume v=~folder -j ~new.journal', 2, 'it is a directory'],
  ['run ~none.scenario.toml -j ~new.journal', 2, 'there is no such file'],
  ['test ~none', 2, 'there is no golden run'],
  ['test ~file/x', 2, 'a part of its path is no folder'],
  ['head -j ~a.journal --sign ~none --append ~heads', 2, 'there is no such file'],
  ['head --check-proof ~none', 2, 'there is no such file'],
  ['head --check-proof ~folder', 2, 'is no plain file'],
  ['verify -j ~a.journal --heads ~folder', 2, 'it is a directory'],
  ['serve -j ~a.journal --socket ~sock --tls-certificates ~none', 2, 'ca-cert.pem is not there'],
  ['serve -j ~a.journal --control-port 0 --control-token ~none --socket ~sock', 2, 'there is no such file'],
]

/** Those that open the journal, one after the other. */
const inputsBeside: readonly Case[] = [
  ['volume create more --from ~none -j ~a.journal', 2, 'there is no such file'],
  ['volume create more --from ~folder -j ~a.journal', 2, 'is no plain file'],
  ['clone create two --source vol --clone-file ~file/x -j ~a.journal', 2, 'a part of its path is no folder'],
  ['fence write guard --from ~none --at 0 -j ~a.journal', 2, 'there is no such file'],
  ['fence restore guard --from ~none -j ~a.journal', 2, 'there is no such file'],
  ['fence restore guard --from ~folder -j ~a.journal', 2, 'is no plain file'],
]

const outputs: readonly Case[] = [
  ['volume create vol --size 1M -j ~file/x', 2, 'its folder is none'],
  ['import ~t.iolog --volume vol -j ~file/x', 2, 'its folder is none'],
  ['import ~a.trace -j ~file/x', 2, 'its folder is none'],
  ['run ~t.iolog -j ~file/x', 2, 'its folder is none'],
  ['convert ~t.iolog ~none/x.dmlog', 2, 'its folder does not exist'],
  ['convert ~t.iolog ~file/x.dmlog', 2, 'its folder is none'],
  ['convert ~a.trace ~file/x.trace', 2, 'its folder is none'],
  ['redact ~a.trace ~none/x.trace', 2, 'its folder does not exist'],
  ['simulate --steps 10 --keep ~file', 2, 'is there already'],
  ['simulate --steps 10 --keep ~none/x.trace', 2, 'its folder does not exist'],
  ['simulate --steps 10 --keep ~file/x', 2, 'its folder is none'],
]

const outputsBeside: readonly Case[] = [
  ['export -j ~a.journal -o ~file/x.trace', 2, 'its folder is none'],
  ['export vol -j ~a.journal -o ~none/x.dmlog', 2, 'its folder does not exist'],
  ['image vol -j ~a.journal -o ~folder', 2, 'is no plain file'],
  ['backup run vol -j ~a.journal -o ~none/x.img', 2, 'its folder does not exist'],
  ['head -j ~a.journal --append ~folder', 2, 'it is a directory'],
  ['head -j ~a.journal --append ~none/x', 2, 'its folder does not exist'],
  ['inspect block vol:1 -j ~a.journal --index ~file/x', 2, 'its folder is none'],
  ['salvage ~a.journal ~file/x', 2, 'its folder is none'],
  ['serve -j ~a.journal --socket ~file/x --run true', 1, 'its folder is none'],
  ['serve -j ~a.journal --socket ~none/x --run true', 1, 'its folder does not exist'],
  ['serve -j ~a.journal --socket ~sock --control ~file/x --run true', 1, 'its folder is none'],
  ['serve -j ~a.journal --socket ~sock --pid-file ~folder --run true', 2, 'it is a directory'],
]

const unreadable: readonly Case[] = [
  ['info -j ~shut', 2, 'a journal cannot be looked for or made at'],
  ['log ~shut', 2, 'permission is missing'],
  ['log ~shut.trace', 2, 'permission is missing'],
  ['diff ~shut ~a.trace', 2, 'permission is missing'],
  ['salvage ~shut ~open/new.journal', 2, 'permission is missing'],
  ['test ~shut', 2, 'permission is missing'],
  ['lint ~shut.trace', 2, 'permission is missing'],
  ['head --check-proof ~shut.trace', 2, 'permission is missing'],
  ['verify -j ~shut', 2, 'permission is missing'],
  ['volume create more --size 1M -j ~shut/x', 2, 'permission is missing'],
  ['volume create more --size 1M -j ~kept', 2, 'permission is missing'],
  ['run ~t.iolog -j ~kept/x', 2, 'permission is missing'],
  ['convert ~t.iolog ~kept/x.dmlog', 2, 'permission is missing'],
  ['simulate --steps 10 --keep ~kept/x', 2, 'permission is missing'],
  ['redact ~a.trace ~kept/x.trace', 2, 'permission is missing'],
]

const split = (args: string) => args.split(' ').map((word) => word.replace(/(^|=)~/, `$1${folder}/`))

async function refused([args, code, words]: Case, uid?: number): Promise<void> {
  const result = await blockbox(split(args), undefined, {}, uid)
  assert.is(result.code, code, `${args}: ${result.err}`)
  assert.match(result.err, words, `${args}: ${result.err}`)
  assert.is.not(/\bE[A-Z]{4,}\b:/.test(result.err), true, `${args}: ${result.err}`)
}

/** So many at once. */
const lanes = 3

async function all(cases: readonly Case[], uid?: number): Promise<void> {
  const waiting = [...cases]
  const lane = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await refused(next, uid)
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}

async function oneByOne(cases: readonly Case[]): Promise<void> {
  for (const one of cases) await refused(one)
}

test.before(async () => {
  await json('volume', 'create', 'vol', '--size', '1M', '-j', at('a.journal'))
  await json('fence', 'raise', 'guard', '--volume', 'vol', '--ranges', '0+4096', '-j', at('a.journal'))
  const { code, err } = await blockbox(['export', '-j', at('a.journal'), '-o', at('a.trace')])
  assert.is(code, 0, err)
  writeFileSync(at('file'), 'hello\n')
  writeFileSync(at('t.iolog'), readFileSync(ofRepository('traces', 'fio_randrw.v3.iolog')))
  writeFileSync(at('shut.trace'), readFileSync(at('a.trace')))
  for (const name of ['folder', 'shut', 'kept', 'open']) mkdirSync(at(name))
  symlinkSync(at('loop'), at('loop'))
  const modes = { '': 0o755, open: 0o777, kept: 0o555, shut: 0, 'shut.trace': 0 }
  for (const [name, mode] of Object.entries(modes)) chmodSync(at(name), mode)
})

test('a journal that is none', () => all(journals))

test('what is to be read', async () => {
  await all(inputs)
  await oneByOne(inputsBeside)
})

test('what is to be written', async () => {
  await all(outputs)
  await oneByOne(outputsBeside)
  assert.is(readFileSync(at('file'), 'utf8'), 'hello\n')
  assert.ok(existsSync(at('folder')))
})

test('what may not be read or written', async () => {
  const uid = process.getuid?.() === 0 ? 65_534 : undefined
  const { code, err } = await blockbox(['version'], undefined, {}, uid)
  if (code !== 0) return console.log(`nobody may run the program here: ${err}`)
  await all(unreadable, uid)
})

test('every command is among them', async () => {
  const said = [...journals, ...inputs, ...inputsBeside, ...outputs, ...outputsBeside].map(([args]) => args)
  for (const command of await commands()) {
    const known = [...said, ...without].some((args) => `${args} `.startsWith(`${command} `))
    assert.ok(known, `${command} is not in the table`)
  }
})

/** All commands that do something, by their full names, as they are completed. */
async function commands(): Promise<string[]> {
  const { out } = await blockbox(['completion', 'bash'])
  const paths = /\n {6}(\S+)\) path=/.exec(out)![1]!.split('|')
  const groups = paths.filter(
    (path) => path !== '/mark' && paths.some((other) => other.startsWith(`${path}/`)),
  )
  return paths.filter((path) => !groups.includes(path)).map((path) => path.slice(1).replace('/', ' '))
}

test.run()
