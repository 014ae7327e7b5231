/** Control commands as a shell sees them: what they print, their codes, keys, lists, and clones in files. */

import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { content } from '../support/ext4-image.ts'
import { Shell } from '../support/shell.ts'

const test = suite('control commands')

const shell = new Shell()
test.after(() => shell.remove())

test('volumes are made once with a key, changed, and listed; refusals say what to do next', () => {
  const made = 'volume create disk --size 128K --key first'
  assert.is(shell.must(made), 'volume disk: 128K in blocks of 4K\n')
  const again = shell.run(made)
  assert.is(again.code, 0)
  assert.match(again.err, /nothing was done: event \d+ had this key and did it/)
  const other = shell.run('volume create other --size 128K --key first')
  assert.is(other.code, 1)
  assert.match(other.err, /E_KEY_USED: .*take a new key/)
  assert.is(shell.run(['volume', 'create', 'x', '--size', '4K', '--key', 'a b']).code, 2)
  shell.must('device create d1')
  shell.must('device create d2')
  shell.must('volume create wide --size 256K --device d1 --device d2 --stripe 64K')
  shell.must('volume create gone --size 64K')
  assert.is(shell.must('volume resize gone --size 32K'), 'volume gone: 32K\n')
  assert.is(shell.must('volume rm gone'), 'volume gone: deleted\n')
  assert.is(
    shell.must('volume ls'),
    'volume  size  block  mapped\ndisk    128K     4K       0\nwide    256K     4K       0\n',
  )
  assert.equal(shell.json('device ls'), {
    version: 1,
    devices: [
      { name: 'd1', volumes: ['wide'] },
      { name: 'd2', volumes: ['wide'] },
    ],
  })
  assert.is(shell.run('volume create y --size 4K --device d9').code, 2)
})

test('backups and views are listed as they are', () => {
  shell.must('backup start night --device d2 --deadline-ms 60000')
  assert.match(shell.must('backup ls'), /^running backup\s+phase .*\nnight\s+holding\s+wide\s+0\n$/)
  shell.must('backup stop night')
  assert.equal(shell.json('backup ls'), { version: 1, backups: [] })
  shell.must('preserve create disk view')
  const [view] = shell.json('preserve ls').views as [{ name: string; base: string }]
  assert.equal([view.name, view.base], ['view', 'disk'])
  shell.must('preserve drop view')
})

test('marks are listed, and named when one is not there', () => {
  assert.match(shell.run('image disk@mark:none --digest').err, /mark none; it has no mark/)
  const { seq } = shell.json('mark disk here --key m')
  assert.is(shell.json('mark disk here --key m').repeats, seq)
  assert.match(shell.must('mark ls'), /\n +\d+ {2}\S+ {2}disk +here\n$/)
  const none = shell.run('image disk@mark:none --digest')
  assert.is(none.code, 1)
  assert.match(none.err, /mark none; its marks are here/)
})

test('a restore from a raw file, by commands alone; the file may move', () => {
  const bytes = content(3, 131_072)
  writeFileSync(shell.file('golden.raw'), bytes)
  const create = shell.must('clone create golden --source disk --clone-file golden.raw --extent 16K')
  assert.is(create, 'pair golden: fractured, 8 extents differ\n')
  assert.match(shell.must('clone ls'), /golden {2}disk {4}\/.*\/golden\.raw +16K {2}fractured/)
  renameSync(shell.file('golden.raw'), shell.file('moved.raw'))
  const failed = shell.run('restore start golden')
  assert.is(failed.code, 1)
  assert.match(failed.err, /gave up after errors: .*restore resume golden/)
  assert.match(shell.must('restore ls'), /golden +yes +8 +gave up/)
  assert.is(
    shell.must('restore resume golden --clone-file moved.raw'),
    'pair golden: fractured, 0 extents differ\n',
  )
  shell.must('image disk -o disk.raw')
  assert.ok(readFileSync(shell.file('disk.raw')).equals(bytes))
  assert.match(
    shell.must('clone verify golden --clone-file moved.raw'),
    /is what it was: 8 extents of 131072 bytes/,
  )
  writeFileSync(shell.file('moved.raw'), bytes.fill(1, 0, 1))
  const found = shell.run('clone verify golden --clone-file moved.raw')
  assert.is(found.code, 12)
  assert.match(found.out, /event \d+: S4-I1/)
  assert.is(shell.run('volume rm disk').code, 1)
  shell.must('clone rm golden')
  assert.match(shell.run('clone rm golden').err, /E_NO_PAIR/)
  assert.is(shell.run('clone create p --source disk').code, 2)
  const wrong = shell.run('clone create p --source wide --clone-file moved.raw')
  assert.match(wrong.err, /E_SIZE/)
})

test('the log is cut by kind, block and point', () => {
  const lines = (line: string) => shell.must(line).trimEnd().split('\n')
  const copies = lines('log --volume disk --block 4 --kind copy.')
  assert.ok(copies.length > 0 && copies.every((line) => line.includes('16384+16384')))
  assert.equal(lines('log --volume disk --offset 20K --kind copy.'), copies)
  assert.match(lines('log --to mark:here').at(-1)!, /mark +disk label=here/)
  assert.is(shell.run('log --block 4').code, 2)
  assert.is(shell.run('log --from mark:here --to 3').code, 2)
})

test('all of it is sound when it is decided again', () => {
  assert.match(shell.must('replay'), /^sound: /)
  assert.match(shell.must('verify'), /^sound: /)
})

test('a scenario that is malformed is a usage error that says where', () => {
  const bad = (text: string) => {
    writeFileSync(shell.file('bad.scenario.toml'), text)
    const { code, err } = shell.run('run bad.scenario.toml -j bad.journal')
    assert.is(code, 2, err)
    return err
  }
  const head = 'name = "x"\n[[volume]]\nname = "a"\n'
  assert.match(bad(`${head}size = "4KB"\n`), /\[\[volume\]\] number 1: size: .*powers of 1000/)
  assert.match(
    bad(`${head}size = "5000"\n`),
    /\[\[volume\]\] number 1: volume a: size 5000 is not whole blocks/,
  )
  assert.match(bad(`${head}size = "8K"\ndevices = ["d"]\n`), /volume a lies on device d, which is not there/)
  assert.match(
    bad(`${head}size = "8K"\n[[step]]\nat = "begin"\ndo = "fence.hop"\n`),
    /there is no step "fence.hop"/,
  )
  const pair = 'do = "pair.create"\nname = "p"\nsource = "a"\nextent = "4K"\n'
  assert.match(
    bad(`${head}size = "8K"\n[[step]]\nat = "begin"\n${pair}`),
    /a clone, which is a volume, or a clone_file/,
  )
})

test.run()
