/**
 * The crash table on disk: a process with a journal in LevelDB is killed (SIGKILL) when a frame of a story is durable,
 * all over the stories, and what it leaves is judged as in memory (support/cut.ts).
 */

// limit: 240 s

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openToRead } from '../../src/engine/open-folder.ts'
import { openJournalFolder } from '../../src/journal/folder.ts'
import { type LevelPayload, openLevelPayload } from '../../src/payload/level-payload.ts'
import { framesIn, judgeRecovery } from '../support/cut.ts'
import { temporaryFolder } from '../support/folder.ts'

const test = suite('crash table on disk')

const folder = temporaryFolder()
test.after(() => folder.remove())

const child = fileURLToPath(new URL('./crash-child.js', import.meta.url))

async function killedAt(story: string, count: number): Promise<void> {
  const path = folder.fresh('killed')
  const BLOCKBOX_CRASH = [path, story, count, folder.fresh('outside')].join('\n')
  const { signal, stderr } = spawnSync(process.execPath, [child], {
    env: { ...process.env, BLOCKBOX_CRASH },
    encoding: 'utf8',
    timeout: 30_000,
    killSignal: 'SIGTERM',
  })
  assert.is(signal, 'SIGKILL', `${story}, frame ${count}: ${stderr}`)
  const looked = await openToRead(path)
  const frames = await framesIn(looked.journal)
  await looked.journal.close()
  assert.ok(frames.length >= count, `${count} frames are durable, ${frames.length} are there`)
  let payload: LevelPayload | undefined
  const journal = await openJournalFolder(path, {
    attach: async (store) => {
      payload = await openLevelPayload(store)
      return payload
    },
  })
  await judgeRecovery({ journal, payload: payload! }, frames)
}

const moments: Readonly<Record<string, readonly number[]>> = {
  hosts: [9],
  backups: [8, 20],
  pairs: [11, 17],
  restores: [16, 24, 36],
  views: [9, 15],
  fences: [6, 9, 14],
  movers: [8, 10],
}

for (const [story, counts] of Object.entries(moments)) {
  test(`${story}: killed after ${counts.join(', ')} frames`, async () => {
    for (const count of counts) await killedAt(story, count)
  })
}

test.run()
