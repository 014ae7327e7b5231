/** Fences as a shell raises, uses and lowers them, on a real ext4 file system that was recorded. */

import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { content, run } from '../support/ext4-image.ts'
import { Shell } from '../support/shell.ts'

const test = suite('fence commands')

const shell = new Shell()
test.after(() => shell.remove())

const trace = fileURLToPath(new URL('../../../traces/ext4life.dmlog.gz', import.meta.url))
const image = (name: string) => {
  shell.must(`image fs -o ${name} --force`)
  return readFileSync(shell.file(name))
}
const phase = (line: string) => (shell.json(line).fence as { phase: string } | null)?.phase

test('a full fence by layout: no file system is found, an image comes behind it, then it is one again', () => {
  shell.must(`import ${trace} --volume fs --size 24M`)
  const before = image('before.img')
  const raise = 'fence raise guard --volume fs --layout ext4 --key k'
  assert.match(
    shell.must(raise),
    /^fence\.requested, fence\.saved, fence\.pattern_written \(9\), fence\.raised\n/,
  )
  const again = shell.run(raise)
  assert.is(again.code, 0, again.err)
  assert.match(again.err, /nothing was done/)
  image('fenced.img')
  assert.is.not(run('blkid', '-p', shell.file('fenced.img')).code, 0)
  assert.match(shell.must('fence ls'), /guard +fs +operator +fenced +full +1552K +23024K +no/)
  const restored = shell.json('fence restore guard --from before.img')
  assert.equal([restored.code, restored.data_bytes], ['ok', before.length])
  assert.ok(Number(restored.control_bytes) > 0 && Number(restored.control_bytes) < 4096)
  assert.is(
    shell.must('fence lower guard'),
    'fence.lowering, fence.meta_written (6), fence.lowered\nfence guard: down\n',
  )
  assert.ok(image('after.img').equals(before))
  assert.is(run('e2fsck', '-fn', shell.file('after.img')).code, 0)
})

test('another owner has to take a fence over; what it wrote decides how it ends', () => {
  const before = readFileSync(shell.file('before.img'))
  assert.is(phase('fence raise g --volume fs --ranges 0+4096 --covered 1048576+65536'), 'fenced')
  const refused = shell.run('fence lower g --owner other')
  assert.is(refused.code, 1)
  assert.match(refused.err, /E_NOT_OWNER: .*take it over first/)
  assert.match(shell.must('fence takeover g --owner other'), /owner other/)
  const two = content(5, 8192)
  writeFileSync(shell.file('two'), two)
  assert.is(shell.run('fence write g --owner other --from two --at 100').code, 2)
  assert.is(phase('fence write g --owner other --from two --at 1M'), 'ready')
  const dirty = shell.run('fence abort g --owner other')
  assert.match(dirty.err, /E_DIRTY/)
  shell.must('fence lower g --owner other')
  const after = image('after.img')
  before.set(two, 2 ** 20)
  assert.ok(after.equals(before))
  assert.match(shell.run('fence lower g').err, /E_NOT_ACTIVE: no backup, restore or fence/)
})

test('metadata first, the literal order of the claims, in one command', () => {
  const raised = shell.json('fence raise m --volume fs --ranges 0+4096 --meta-first before.img')
  const events = Object.keys(raised.events as object)
  assert.ok(events.indexOf('fence.meta_restored') < events.indexOf('fence.pattern_written'))
  assert.ok(events.indexOf('fence.raised') < events.indexOf('mover.copied'))
  shell.must('fence lower m')
  assert.ok(image('after.img').equals(readFileSync(shell.file('before.img'))))
})

test("a restore from a raw file behind a fence is its owner's; cancelled, the fence is stuck", () => {
  shell.must('clone create golden --source fs --clone-file before.img')
  shell.must('fence raise guard --volume fs --layout ext4')
  const other = shell.run('restore start golden')
  assert.is(other.code, 1)
  assert.match(other.err, /E_FENCED: .*--owner/)
  assert.match(shell.must('restore start golden --owner operator'), /^pair golden: fractured/)
  assert.match(shell.must('fence ls'), /guard +fs +operator +ready/)
  shell.must('fence lower guard')
  assert.ok(image('after.img').equals(readFileSync(shell.file('before.img'))))
})

test('what is said wrongly is a usage error', () => {
  const usage = [
    'fence raise x --volume fs',
    'fence raise x --volume fs --layout ext4 --ranges 0+4096',
    'fence raise x --volume fs --layout ntfs',
    'fence raise x --volume fs --ranges 0-4096',
    'fence raise x --volume fs --layout ext4 --covered 0+4096',
    'fence raise x --volume fs --ranges 0+4096 --owner -x',
  ]
  for (const line of usage) assert.is(shell.run(line).code, 2, line)
  assert.is(shell.run('fence raise x --volume none --ranges 0+4096').code, 1)
  assert.match(shell.must('replay'), /^sound: /)
})

test.run()
