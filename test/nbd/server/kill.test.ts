/**
 * The server is killed (SIGKILL) under load, again and again on one journal: whatever it acknowledged as durable is
 * there afterwards, nothing is there that nobody wrote, and the journal replays without a finding.
 */

// limit: 240 s

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checks } from '../../../src/check/all.ts'
import { openToRead } from '../../../src/engine/open-folder.ts'
import { type NbdClient, openClient } from '../../../src/nbd/client/client.ts'
import { replay } from '../../../src/replay/replay.ts'
import { verify } from '../../../src/replay/verify.ts'
import { createVolume, serveProgram, socketIn } from '../../support/serve-program.ts'

const test = suite('a killed server')

const block = 4096
const blocks = 256

/** A block of stamp `stamp`; 0 is what was never written. */
function stamped(stamp: number): Uint8Array {
  const bytes = new Uint8Array(block)
  const view = new DataView(bytes.buffer)
  for (let at = 0; at < block; at += 8) view.setUint32(at, stamp)
  return bytes
}

function stampOf(bytes: Uint8Array): number {
  const stamp = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)
  assert.ok(Buffer.from(bytes).equals(stamped(stamp)), 'a block is torn')
  return stamp
}

/** What is known of each block: the last stamp promised, and the ones sent since. */
interface Known {
  promised: number
  readonly sent: Set<number>
}

let stamps = 0

/** Writes until the connection breaks. `buffered`: only a flush promises what was answered before it. */
async function load(
  client: NbdClient,
  known: readonly Known[],
  worker: number,
  buffered: boolean,
): Promise<number> {
  let promised = 0
  try {
    for (let round = 0; ; round++) {
      const written: [Known, number][] = []
      for (let k = 0; k < 4; k++) {
        const at = (worker + 4 * ((round * 13 + k * 29) % (blocks / 4))) % blocks
        const one = known[at]!
        const stamp = ++stamps
        one.sent.add(stamp)
        const fua = buffered && k === 3
        await client.write(at * block, stamped(stamp), { fua })
        if (buffered && !fua) written.push([one, stamp])
        else {
          one.promised = stamp
          promised++
        }
      }
      if (!buffered) continue
      await client.flush()
      for (const [one, stamp] of written) one.promised = Math.max(one.promised, stamp)
      promised += written.length
    }
  } catch (error) {
    assert.is((error as { code?: string }).code, 'NBD_CLOSED', String(error))
    return promised
  }
}

/** The block holds what was promised or something sent since; what is there now stays. */
async function isKept(reader: NbdClient, at: number, one: Known): Promise<void> {
  const stamp = stampOf(await reader.read(at * block, block))
  assert.ok(stamp >= one.promised, `block ${at}: ${stamp} is older than ${one.promised}, which was promised`)
  assert.ok(one.sent.has(stamp), `block ${at}: nobody wrote ${stamp}`)
  one.promised = stamp
}

for (const ack of ['durable', 'buffered']) {
  test(`every promise is kept (${ack})`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'blockbox-kill-'))
    const journal = join(folder, 'a.journal')
    const socket = socketIn(folder)
    const known = Array.from({ length: blocks }, (): Known => ({ promised: 0, sent: new Set([0]) }))
    try {
      await createVolume(journal, 'vol', '--size', String(blocks * block))
      let promised = 0
      for (const ms of [30, 80, 150, 220, 300, undefined]) {
        const serving = await serveProgram(['-j', journal, '--socket', socket, '--ack', ack])
        const reader = await openClient({ socket }, 'vol')
        for (const [at, one] of known.entries()) await isKept(reader, at, one)
        await reader.close()
        if (ms === undefined) {
          assert.is(await serving.end('SIGTERM'), 0)
          break
        }
        const clients = await Promise.all([0, 1, 2, 3].map(() => openClient({ socket }, 'vol')))
        const loads = clients.map((client, worker) => load(client, known, worker, ack === 'buffered'))
        await new Promise((resolve) => setTimeout(resolve, ms))
        assert.is(await serving.end('SIGKILL'), 'SIGKILL')
        for (const count of await Promise.all(loads)) promised += count
      }
      assert.ok(promised > 50, `only ${promised} writes were promised`)
      const open = await openToRead(journal)
      assert.equal((await replay(open.journal, { checks })).findings, [])
      assert.equal((await verify(open.journal, open.payload)).findings, [])
      await open.journal.close()
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
}

test.run()
