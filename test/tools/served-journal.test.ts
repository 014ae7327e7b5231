/** The commands of the program on a journal that a server has open: the same words and exit codes as on one that is free. */

// limit: 300 s

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openClient } from '../../src/nbd/client/client.ts'
import { type Serving, serveProgram } from '../support/serve-program.ts'
import { blockbox } from './commands/blockbox.ts'

const test = suite('a journal that is served')

const root = mkdtempSync(join(tmpdir(), 'blockbox-served-'))
const served = join(root, 'served.journal')
const free = join(root, 'free.journal')
const socket = join(root, 'nbd.sock')
let serving: Serving

test.before(async () => {
  for (const journal of [served, free]) {
    const { code, err } = await run('volume create disk --size 64K', journal)
    assert.is(code, 0, err)
  }
  writeFileSync(join(root, 'image.raw'), new Uint8Array(65_536).fill(9))
  writeFileSync(join(root, 'blocks.bin'), new Uint8Array(8192).fill(4))
  serving = await serveProgram(['-j', served, '--socket', socket])
})

test.after(async () => {
  await serving.end('SIGTERM')
  rmSync(root, { recursive: true, force: true })
})

/** Runs a command on a journal; `@` before the name of a file stands for the folder. */
const run = (line: string, journal = served) =>
  blockbox([...line.replaceAll(' @', ` ${root}/`).split(' '), '-j', journal])

/** What differs between two journals that saw the same commands: numbers of events, instants, identities. */
function likened(text: string): string {
  return text
    .replaceAll(/event \d+/g, 'event N')
    .replaceAll(/"(seq|repeats|at_us)":\d+/g, '"$1":N')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'INSTANT')
    .replaceAll(/^ +\d+ /gm, 'N ')
    .replaceAll(/held for \d+ ms/g, 'held for N ms')
    .replaceAll(/"held_ms":\d+/g, '"held_ms":N')
    .replaceAll(/"(journal|hash)":"[0-9a-f]+"/g, '"$1":H')
    .replaceAll(/\d+ bytes over the control/g, 'N bytes over the control')
}

const script = [
  'volume ls',
  'volume create twin --size 64K --json',
  'volume create twin --size 64K',
  'volume create x --size 5000',
  'volume resize none --size 8K',
  'device create d1',
  'device ls --json',
  'mark disk here --key one --json',
  'mark disk here --key one',
  'mark ls',
  'mark none here',
  'preserve create disk view',
  'preserve ls',
  'preserve drop view',
  'backup start night --volume disk --deadline-ms 60000',
  'backup ls',
  'backup start night --volume disk',
  'backup stop night --json',
  'backup stop night',
  'clone create mirror --source disk --clone twin --extent 4K',
  'clone sync mirror',
  'clone fracture mirror --json',
  'clone rm mirror',
  'clone create golden --source disk --clone-file @image.raw --extent 16K',
  'clone create lost --source disk --clone-file @none.raw',
  'restore start golden',
  'restore resume golden',
  'clone ls',
  'clone verify golden',
  'clone verify none',
  'clone rm golden',
  'volume create from --from @image.raw --copy --json',
  'volume create from --from @image.raw',
  'volume create none --from @none.raw',
  'clone verify from --clone-file @blocks.bin',
  'volume create late --from @image.raw',
  'restore resume late --clone-file @none.raw',
  'restore resume late --clone-file @image.raw --json',
  'backup run disk -o @copy.img --name first --force --digest --verify',
  'backup run disk -o @copy.img --name second',
  'backup run disk -o @copy.img --name first --force --json',
  'backup run disk -o @copy.img --resume',
  'backup run none -o @copy.img --force',
  'head --json',
  'fence raise guard --volume disk --ranges 0+4096',
  'fence write guard --from @blocks.bin --at 0',
  'fence write guard --from @none.bin --at 0',
  'fence ls',
  'fence abort guard --owner other',
  'fence restore guard --from @image.raw --lower --json',
  'fence lower guard',
  'image disk --digest',
  'image disk@mark:none --digest',
  'image none --digest',
  'log --volume none',
  'log --volume disk --kind backup. --kind mark --json',
]

test('every command says and ends as on a journal that is free', async () => {
  for (const line of script) {
    const [here, there] = [await run(line, free), await run(line, served)]
    assert.is(likened(there.out), likened(here.out), line)
    assert.is(likened(there.err), likened(here.err), line)
    assert.is(there.code, here.code, line)
  }
})

test('info tells of the journal that is open', async () => {
  const { out } = await run('info --json')
  const about = JSON.parse(out)
  assert.equal([about.version, about.journal, about.first], [1, served, 1])
  assert.equal(
    about.volumes.map(({ name }: { name: string }) => name),
    ['disk', 'twin', 'from', 'late'],
  )
  assert.match((await run('info')).out, /^journal {6}\S+\nformat/)
})

test('an image and the log are the same through the server and after it', async () => {
  const disk = await openClient({ socket }, 'disk')
  await disk.write(8192, new Uint8Array(4096).fill(3))
  await disk.close()
  await run('mark disk now')
  const point = 'disk@mark:now'
  const file = join(root, 'through.img')
  const through = await blockbox(['image', point, '-o', file, '--digest', '--json', '-j', served])
  const lines = await run('log --json --to mark:now')
  await serving.end('SIGTERM')
  assert.not(existsSync(join(served, 'control.sock')))
  const after = await blockbox(['image', point, '-o', `${file}2`, '--digest', '--json', '-j', served])
  const { file: _, ...told } = JSON.parse(through.out)
  const { file: __, ...alone } = JSON.parse(after.out)
  assert.equal(told, alone)
  assert.ok(readFileSync(file).equals(readFileSync(`${file}2`)))
  assert.is(readFileSync(file)[8192], 3)
  assert.is((await run('log --json --to mark:now')).out, lines.out)
  assert.is((await run('replay')).code, 0)
  serving = await serveProgram(['-j', served, '--socket', socket])
})

test('a log is followed from outside, until Ctrl-C', async () => {
  let seen = ''
  let asked = false
  const following = await blockbox(['log', '-f', '--kind', 'mark', '-j', served], (child) => {
    child.stdout!.on('data', (text: string) => {
      seen += text
      if (!asked) {
        asked = true
        void run('mark disk outside')
      }
      if (seen.includes('label=outside')) child.kill('SIGINT')
    })
  })
  assert.is(following.code, 130)
  assert.match(following.out, /label=outside\n$/)
})

test('what only the owner of the journal can do says that it is in use', async () => {
  for (const line of ['verify', 'replay', 'inspect timeline']) {
    const { code, err } = await run(line)
    assert.is(code, 11, err)
  }
  assert.is((await run('mark disk x --key')).code, 2)
})

test('without a control socket the journal is in use, and a socket that a killed server left is no matter', async () => {
  await serving.end('SIGKILL')
  assert.ok(existsSync(join(served, 'control.sock')))
  assert.is((await run('mark disk alone')).code, 0, 'the journal is free')
  serving = await serveProgram(['-j', served, '--socket', socket, '--no-control'])
  assert.is((await run('mark disk x')).code, 11)
  await serving.end('SIGTERM')
  serving = await serveProgram(['-j', served, '--socket', socket])
  assert.is((await run('mark disk x')).code, 0)
})

test('a server whose journal has too long a path for a socket serves without one', async () => {
  const deep = join(root, 'd'.repeat(60), 'e'.repeat(60))
  mkdirSync(deep, { recursive: true })
  const journal = join(deep, 'j')
  assert.is((await run('volume create a --size 64K', journal)).code, 0)
  const other = await serveProgram(['-j', journal, '--socket', `${socket}2`])
  assert.is((await run('mark a x', journal)).code, 11)
  assert.is(await other.end('SIGTERM'), 0)
})

test.run()
