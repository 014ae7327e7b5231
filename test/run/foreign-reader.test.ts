/**
 * Logs that come out here, taken by the programs they are for: QEMU opens a dm-log-writes log and appends to it, fio
 * plays an I/O log.
 */
// needs: program qemu-io
// needs: program fio

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { convert } from '../../src/run/conversion.ts'
import { traceOutput } from '../../src/trace/output-format.ts'
import { readTrace } from '../../src/trace/source.ts'
import type { WriterOptions } from '../../src/trace/writer.ts'
import { replayedLog } from './replayed-log.ts'

const test = suite('foreign-reader')

const traces = fileURLToPath(new URL('../../../traces', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'blockbox-foreign-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))

async function converted(trace: string, format: string, options: WriterOptions = {}): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  const batches = readTrace(join(traces, trace))
  const { head } = await convert(batches, { output: traceOutput(format), options }, async (bytes) => {
    pieces.push(Uint8Array.from(bytes))
  })
  const all = Buffer.concat(pieces)
  if (head !== undefined) all.set(head)
  return all
}

function run(program: string, args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: folder, timeout: 60_000 })
  return { code: status, out: stdout.toString(), said: `${stdout}${stderr}` }
}

/** Has QEMU append a write and a flush to the log `name`. */
function appended(name: string) {
  const volume = join(folder, 'volume.img')
  writeFileSync(volume, '')
  truncateSync(volume, 32 * 2 ** 20)
  const log = `log.driver=file,log.filename=${join(folder, name)},log-append=on`
  const options = `driver=blklogwrites,file.driver=file,file.filename=${volume},${log}`
  return run('qemu-io', ['-c', 'write -P 7 4096 8192', '-c', 'flush', '--image-opts', options])
}

test('QEMU appends to a log, and the whole replays', async () => {
  const log = await converted('ext4life.dmlog.gz', 'dm-log-writes')
  writeFileSync(join(folder, 'a.dmlog'), log)
  const { code, said } = appended('a.dmlog')
  assert.is(code, 0, said)
  const both = readFileSync(join(folder, 'a.dmlog'))
  assert.ok(both.subarray(512, log.length).equals(log.subarray(512)))
  const replayed = replayedLog(both, 24 * 2 ** 20)
  assert.is(replayed.entries, 316)
  assert.is(replayed.imageAfter(314), '60fa2b550430d2e228f399b718608954bfe5d9fd83ee7a2318a4c4f0c544935a')
  assert.is.not(replayed.imageAfter(316), replayed.imageAfter(314))
})

test('the METADATA bit is left out unless it is asked for, since QEMU refuses it', async () => {
  writeFileSync(join(folder, 'plain.dmlog'), await converted('blkext4.blktrace.gz', 'dm-log-writes'))
  assert.is(appended('plain.dmlog').code, 0)
  const marked = await converted('blkext4.blktrace.gz', 'dm-log-writes', { metadata: true })
  writeFileSync(join(folder, 'marked.dmlog'), marked)
  const { code, said } = appended('marked.dmlog')
  assert.is.not(code, 0, said)
})

test('fio plays an I/O log to its end', async () => {
  writeFileSync(join(folder, 'a.iolog'), await converted('fio_randrw.v3.iolog', 'fio-iolog'))
  writeFileSync(join(folder, 'b.iolog'), await converted('ext4life.dmlog.gz', 'fio-iolog'))
  for (const [log, reads, writes] of [
    ['a.iolog', 2111, 1423],
    ['b.iolog', 0, 195],
  ] as const) {
    const volume = join(folder, `${log}.img`)
    writeFileSync(volume, '')
    truncateSync(volume, 64 * 2 ** 20)
    const { code, out, said } = run('fio', [
      ...['--name=play', '--ioengine=psync', `--read_iolog=${log}`, '--replay_no_stall=1'],
      ...[`--replay_redirect=${volume}`, '--output-format=json', '--thread'],
    ])
    assert.is(code, 0, said)
    const report = JSON.parse(out.slice(out.indexOf('{'))).jobs[0]
    assert.equal([report.error, report.read.total_ios, report.write.total_ios], [0, reads, writes], log)
  }
})

test.run()
