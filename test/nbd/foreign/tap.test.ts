/**
 * A tap between the tools of other people: nbdkit has the disk, qemu-io, nbdcopy and fio use it through the tap. At the
 * end the record's image is the far disk, and the log that is exported from it makes the same image again.
 */

// needs: program nbdkit
// needs: program nbdcopy
// needs: program nbdinfo
// needs: program qemu-io
// needs: program fio
// limit: 180 s

import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type FarSide, farSide } from '../../support/far-side.ts'
import { run, runs } from '../../support/foreign.ts'
import { type Serving, serveProgram } from '../../support/serve-program.ts'
import { blockbox } from '../../tools/commands/blockbox.ts'

const test = suite('a tap between others')

const size = 8 * 2 ** 20

interface Its {
  readonly folder: string
  readonly journal: string
  /** The tapped volume, and the disk behind it. */
  readonly uri: string
  readonly farUri: string
  readonly far: FarSide
  readonly serving: Serving
}

/** nbdkit with a plugin, and the program as a tap before it. */
async function withTap(plugin: readonly string[], use: (its: Its) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'blockbox-between-'))
  const [journal, socket, farSocket] = [join(folder, 'a.journal'), join(folder, 's'), join(folder, 'far')]
  const disk = plugin.map((word) => word.replace('FOLDER', folder))
  if (plugin[0] === 'file') writeFileSync(join(folder, 'disk'), new Uint8Array(size))
  const far = await farSide('nbdkit', ['-f', '-U', farSocket, ...disk], farSocket)
  const farUri = `nbd+unix:///?socket=${farSocket}`
  const serving = await serveProgram(['-j', journal, '--socket', socket, '--tap', farUri, '--as', 'disk0'])
  try {
    await use({ folder, journal, farUri, far, serving, uri: serving.uri })
  } finally {
    await serving.end('SIGKILL').catch(() => undefined)
    await far.kill()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Stops the tap and compares: the far disk, the image of the record, and the image of its exported log. */
async function agrees({ folder, journal, farUri, serving }: Its): Promise<void> {
  const [there, here, log, again] = ['there', 'here', 'log', 'again'].map((name) => join(folder, name))
  await runs('nbdcopy', farUri, there!)
  assert.is(await serving.end('SIGTERM'), 0)
  const must = async (...args: string[]) => {
    const { code, err, out } = await blockbox(args)
    assert.is(code, 0, `${args.join(' ')}: ${err}${out}`)
    return out
  }
  await must('image', 'disk0', '-j', journal, '-o', here!)
  assert.ok(readFileSync(here!).equals(readFileSync(there!)), 'the image of the record is the far disk')
  assert.match(await must('replay', '-j', journal), 'sound')
  assert.match(await must('verify', '-j', journal), 'sound')
  await must('export', 'disk0', '-j', journal, '--format', 'dm-log-writes', '-o', log!)
  await must('import', log!, '-j', `${journal}.2`, '--volume', 'disk0', '--size', String(size))
  await must('image', 'disk0', '-j', `${journal}.2`, '-o', again!)
  assert.ok(readFileSync(again!).equals(readFileSync(there!)), 'so is that of the exported log')
}

const plugins: readonly (readonly string[])[] = [
  ['memory', '8M'],
  ['file', 'file=FOLDER/disk'],
]
for (const plugin of plugins) {
  test(`nbdkit ${plugin[0]}: nbdcopy and qemu-io`, () =>
    withTap(plugin, async (its) => {
      const image = join(its.folder, 'image')
      writeFileSync(image, randomBytes(size))
      await runs('nbdcopy', '--flush', '--requests=16', image, its.uri)
      await runs(
        'qemu-io',
        ...['-f', 'raw', '-c', 'write -P 0xab 0 1M', '-c', 'read -P 0xab 0 1M'],
        ...['-c', 'write -z -u 64k 64k', '-c', 'discard 256k 64k', '-c', 'write -f -P 1 4k 4k'],
        ...['-c', 'write -P 7 5001 3001', '-c', 'read -P 7 5001 3001', '-c', 'flush', its.uri],
      )
      const out = join(its.folder, 'out')
      await runs('nbdcopy', its.uri, out)
      await runs('nbdcopy', its.farUri, `${out}.2`)
      assert.ok(readFileSync(out).equals(readFileSync(`${out}.2`)))
      await agrees(its)
    }))
}

test('fio checks what it wrote through the tap, many requests at once', () =>
  withTap(plugins[0]!, async (its) => {
    await runs(
      'fio',
      ...['--name=v', '--ioengine=nbd', `--uri=${its.uri}`, '--rw=randrw', '--bs=4k', '--size=8M'],
      ...['--io_size=6M', '--iodepth=16', '--verify=crc32c', '--verify_backlog=64', '--verify_fatal=1'],
      ...['--randseed=1', '--fsync=64', '--verify_state_save=0'],
    )
    await agrees(its)
  }))

test('its flags and errors are those of nbdkit', () =>
  withTap(
    ['--filter=error', 'memory', '8M', 'error-pwrite=ENOSPC', 'error-pwrite-rate=100%'],
    async (its) => {
      const [far, near] = await Promise.all(
        [its.farUri, its.uri].map(async (uri) => JSON.parse(await runs('nbdinfo', '--json', uri)).exports[0]),
      )
      for (const what of ['is_read_only', 'can_flush', 'can_fua', 'can_trim', 'can_zero', 'can_fast_zero']) {
        assert.is(near[what], far[what], what)
      }
      assert.is(near['export-size'], far['export-size'])
      assert.is(near.block_size_minimum, far.block_size_minimum ?? 1)
      const { code, out, err } = await run('qemu-io', ['-f', 'raw', '-c', 'write 0 4k', its.uri])
      assert.is.not(code, 0)
      assert.match(out + err, 'No space left on device')
      assert.is(await its.serving.end('SIGTERM'), 0)
      assert.match(
        (await blockbox(['log', '-j', its.journal])).out,
        /tap\.report\s+disk0 E_NOSPC .*errno=ENOSPC/,
      )
    },
  ))

test('nbdkit is killed while fio writes: fio fails, the tap says why, the record is sound', () =>
  withTap(['--filter=delay', 'memory', '8M', 'wdelay=20ms'], async (its) => {
    const writing = run('fio', [
      ...['--name=v', '--ioengine=nbd', `--uri=${its.uri}`, '--rw=randwrite', '--bs=4k', '--size=8M'],
      ...['--iodepth=8', '--time_based', '--runtime=60'],
    ])
    const ended = new Promise((resolve) => its.serving.child.once('exit', resolve))
    await underWay(its.journal)
    await its.far.kill()
    assert.is.not((await writing).code, 0)
    assert.is(await ended, 1)
    const { code, out } = await blockbox(['replay', '-j', its.journal])
    assert.is(code, 0, out)
    assert.match((await blockbox(['log', '-j', its.journal])).out, /io\.lost .*E_TAP_ENDED/)
  }))

/** Resolves when fio has been writing through the tap for a while: some events are on the record. */
async function underWay(journal: string): Promise<void> {
  for (let k = 0; k < 50; k++) {
    const { out } = await blockbox(['info', '--json', '-j', journal])
    if ((JSON.parse(out) as { events: number }).events > 100) return
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  assert.unreachable('fio writes nothing')
}

test.run()
