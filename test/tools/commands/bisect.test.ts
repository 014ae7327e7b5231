/** `blockbox bisect` with a script as the command: the event that is found, how often it asks, and what it refuses. */

import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { blockbox, json, scratch } from './blockbox.ts'

const test = suite('bisect')

const folder = scratch()
const journal = join(folder, 'b.journal')
const writes = 200
/** The write, counted from 1, that puts something where the script looks. */
const guilty = 137
const temporary = join(folder, 'tmp')

/** Fails when the first byte of block 40 is not zero; what else it does depends on its first argument. */
const script = join(folder, 'check.mjs')
writeFileSync(
  script,
  `import { readFileSync, writeFileSync, appendFileSync } from 'node:fs'
  const [how, image] = process.argv.slice(2)
  if (image !== process.env.BLOCKBOX_IMAGE) process.exit(3)
  appendFileSync(process.env.ASKED, process.env.BLOCKBOX_SEQ + '\\n')
  const bad = readFileSync(image)[40 * 4096] !== 0
  writeFileSync(image, 'the image is ours')
  if (how === 'hang' && bad) setInterval(() => undefined, 1000)
  else if (how === 'skip' && Number(process.env.BLOCKBOX_SEQ) % 3 === 0) process.exit(125)
  else if (how === 'die' && bad) process.kill(process.pid, 'SIGSEGV')
  else {
    if (bad) console.log('block 40 is \\u001b[31mbad')
    process.exitCode = (how === 'always' || bad) ? 1 : 0
  }`,
)

const check = (how: string, ...options: readonly string[]) => [
  ...['bisect', '-j', journal, '--volume', 'v', ...options, '--', process.execPath, script, how],
]

let asked = 0
const variables = () => ({ TMPDIR: temporary, ASKED: join(folder, `asked-${++asked}`) })

test.before(async () => {
  mkdirSync(temporary)
  const lines = Array.from({ length: writes }, (_, k) => {
    const block = k + 1 === guilty ? 40 : k % 2 === 0 ? k % 39 : 41 + (k % 20)
    return k % 10 === 9 ? `${k + 1} f read 0 4096` : `${k + 1} f write ${block * 4096} 4096`
  })
  const trace = join(folder, 'v.iolog')
  writeFileSync(trace, ['fio version 3 iolog', '0 f add', '0 f open', ...lines, ''].join('\n'))
  await json('import', trace, '-j', journal, '--volume', 'v')
})

test.after.each(() => assert.equal(readdirSync(temporary), [], 'images are removed'))

test('it names the event that matters, with few images', async () => {
  const { code, out, err } = await blockbox(check('plain'), undefined, variables())
  assert.is(code, 0, err)
  assert.match(out, /^volume v: its content changes 180 times between event \d+ and event \d+\n/)
  assert.match(
    out,
    new RegExp(`\\n +\\d+ {2}\\S+ {2}io.write +s1 v ${40 * 4096}\\+4096 passed request=${guilty} `),
  )
  assert.match(out, 'host import, session 1')
  assert.match(out, 'block 40 is \\x1b[31mbad')
  assert.not.match(out, '\x1b')
  const built = Number(/(\d+) images were built for 180 changes\n$/.exec(out)?.[1])
  assert.ok(built <= Math.ceil(Math.log2(180)) + 2, `${built} images`)
})

test('as JSON: the event, the last good one before it, every trial', async () => {
  const { code, out } = await blockbox(check('plain', '--json'), undefined, variables())
  assert.is(code, 0)
  const found = JSON.parse(out)
  assert.is(found.first_bad.request, guilty)
  assert.is(found.host, 'import')
  assert.equal([found.changes, found.skipped_between], [180, 0])
  assert.is(found.steps.length, found.images_built)
  const says = (seq: number) => (seq < found.first_bad.seq ? 'good' : 'bad')
  for (const step of found.steps) assert.is(step.says, says(step.seq), JSON.stringify(step))
  assert.ok(found.last_good < found.first_bad.seq)
})

test('a recording gives the same event as its journal; one without payloads is refused', async () => {
  const recording = join(folder, 'b.trace.jsonl')
  await json('export', '-j', journal, '-o', recording)
  const of = (path: string) => check('plain', '--json').map((word) => (word === journal ? path : word))
  const { code, out, err } = await blockbox(of(recording), undefined, variables())
  assert.is(code, 0, err)
  assert.is(JSON.parse(out).first_bad.request, guilty)
  const bare = join(folder, 'bare.trace')
  await json('redact', recording, bare)
  const refused = await blockbox(of(bare), undefined, variables())
  assert.is(refused.code, 12, refused.err)
  assert.match(refused.err, /the recording does not hold the payload/)
})

test('between points that are named; a hanging command counts as failed', async () => {
  const options = ['--good', 'source:130', '--bad', 'source:141', '--timeout', '1', '--json']
  const { code, out } = await blockbox(check('hang', ...options), undefined, variables())
  assert.is(code, 0)
  const found = JSON.parse(out)
  assert.is(found.first_bad.request, guilty)
  assert.ok(found.steps.some(({ how }: { how: string }) => how === 'longer than 1 s'))
})

test('what the command cannot tell is gone around', async () => {
  const { code, out } = await blockbox(check('skip', '--json', '--bad', 'source:149'), undefined, variables())
  assert.is(code, 0)
  const found = JSON.parse(out)
  const event = found.first_bad
  assert.ok(event.request >= guilty && event.request <= guilty + 2, JSON.stringify(event))
  assert.is(event.seq % 3 === 0, false)
  assert.ok(found.steps.some(({ says }: { says: string }) => says === 'skip'))
})

test('ends that are not what they are said to be, and commands that say nothing, are refused', async () => {
  const refused = async (args: readonly string[], words: string | RegExp) => {
    const { code, err } = await blockbox(args, undefined, variables())
    assert.is(code, 2, err)
    assert.match(err, words)
  }
  await refused(check('always'), /which should be good, is bad \(exit 1\): name another point with --good/)
  await refused(check('plain', '--bad', 'source:100'), /which should be bad, is good \(exit 0\).*--bad/)
  await refused(check('die', '--good', 'source:130'), /ended with signal SIGSEGV.*sh -c 'CMD \|\| exit 1'/)
  await refused(check('plain', '--good', 'source:150', '--bad', 'source:149'), /does not change between/)
  await refused(
    ['bisect', '-j', journal, '--volume', 'v', '--', '/no/such/program'],
    /there is no such program/,
  )
  const { code } = await blockbox(
    ['bisect', '-j', journal, '--volume', 'w', '--', 'true'],
    undefined,
    variables(),
  )
  assert.is(code, 1)
})

test('Ctrl-C ends the command and all it started, removes the image and exits with 130', async () => {
  const env = variables()
  const { code, out } = await blockbox(
    check('hang', '--good', 'source:130', '--json'),
    (child) => {
      const watch = setInterval(() => {
        if (!existsSync(env.ASKED)) return
        clearInterval(watch)
        setTimeout(() => child.kill('SIGINT'), 1000)
      }, 5)
      child.once('exit', () => clearInterval(watch))
    },
    env,
  )
  assert.equal({ code, out }, { code: 130, out: '' })
})

test.run()
