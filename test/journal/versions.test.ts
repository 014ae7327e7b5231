/**
 * Journals of earlier format versions, kept as they were recorded: this program opens each, believes it, and comes to
 * the state that was reached then. DO NOT RECORD THEM ANEW: they are what users have on their disks.
 */

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { hex } from '../../src/core/digest.ts'
import { openToRead, openToWrite } from '../../src/engine/open-folder.ts'
import { restoreJournal } from '../../src/recording/restore.ts'
import { replay } from '../../src/replay/replay.ts'
import { verify } from '../../src/replay/verify.ts'
import { stateHashText } from '../../src/volume/snapshot.ts'
import { temporaryFolder } from '../support/folder.ts'
import { ofRepository } from '../tools/commands/blockbox.ts'

const test = suite('journals of every version')

const folder = temporaryFolder()
test.after(() => folder.remove())

/** What each came to when it was recorded. */
const versions: Readonly<
  Record<string, { readonly state: string; readonly head: string; readonly events: number }>
> = {
  'journal-v1': {
    state: '89402f026baf90b2',
    head: '5b0eac7c8291e8c55b6243cb7204af1fbe1d770376c05dacc29c0006eca2e447',
    events: 505,
  },
}

test('none is forgotten', () => {
  const kept = readdirSync(ofRepository('traces')).filter((name) => name.startsWith('journal-v'))
  assert.equal(kept.sort(), Object.keys(versions).sort())
})

for (const [name, { state, head, events }] of Object.entries(versions)) {
  test(`${name} opens, is sound, folds to its state, and goes on`, async () => {
    const place = folder.fresh(name)
    const end = await restoreJournal(join(ofRepository('traces', name), 'journal.trace.gz'), place)
    assert.equal([hex(end.head), end.events], [head, events])
    const { journal, payload } = await openToRead(place)
    const verified = await verify(journal, payload, { heads: [{ seq: events, hash: head }] })
    assert.equal([verified.findings, verified.events], [[], events])
    assert.ok(verified.payloads > 100)
    const folded = await replay(journal, { decide: false })
    assert.equal([folded.findings, folded.stateHash], [[], state])
    const kinds = new Set<string>()
    for await (const frame of journal.read(1)) {
      const row = frame.open()
      for (row.index = 0; row.index < frame.count; row.index++) kinds.add(row.kind)
    }
    for (const kind of [
      'fence.lowered',
      'hold.released',
      'session.rebound',
      'cod.released',
      'restore.completed',
    ]) {
      assert.ok(kinds.has(kind), kind)
    }
    await journal.close()
    const { engine } = await openToWrite(place)
    assert.is(engine.world.volumes.length, 4)
    assert.is((await engine.submit({ kind: 'session.open', detail: { name: 'later' } })).code, 'ok')
    const last = stateHashText(engine.world)
    await engine.close()
    const after = await openToRead(place)
    const again = await replay(after.journal, { decide: false })
    assert.equal(again.findings, [])
    assert.is.not(last, state)
    await after.journal.close()
  })
}

test.run()
