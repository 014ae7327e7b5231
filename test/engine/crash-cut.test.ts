/**
 * The crash table: for every kind of event a run in which it happens is cut right before and right after the frame that
 * carries it, opened by the real recovery, and must be what a run that was never cut is there (support/cut.ts). A kind
 * without a run fails.
 */

// limit: 240 s

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Kind, kinds } from '../../src/events/kind.ts'
import type { Frame } from '../../src/journal/frame.ts'
import type { KvStore } from '../../src/journal/store.ts'
import { eventsOf, judgeRecovery } from '../support/cut.ts'
import { temporaryFolder } from '../support/folder.ts'
import { stage } from '../support/stage.ts'
import { copyOf, cutAfter, openMemory } from '../support/store.ts'
import { type Story, stories } from './crash-stories.ts'

const test = suite('crash table')

const folder = temporaryFolder()
test.after(() => folder.remove())

/** A story that was told, and the cuts of it that were judged. */
interface Told {
  readonly story: Story
  readonly frames: readonly Frame[]
  readonly store: KvStore
  readonly judged: Map<number, Promise<void>>
}

let all: Promise<readonly Told[]> | undefined

function everything(): Promise<readonly Told[]> {
  all ??= Promise.all(
    stories(folder.fresh('outside')).map(async (story): Promise<Told> => {
      const on = await stage()
      await on.play(story.acts)
      const frames = await on.frames()
      const store = await copyOf(on.run.opened.store)
      await on.run.engine.close()
      return { story, frames, store, judged: new Map() }
    }),
  )
  return all
}

/** What a crash leaves after `count` frames: the head knows of the last one, or of the one before. */
function cutAt(told: Told, count: number): Promise<void> {
  let judged = told.judged.get(count)
  if (judged === undefined) {
    judged = cut(told, count)
    told.judged.set(count, judged)
  }
  return judged
}

async function cut({ story, frames, store }: Told, count: number): Promise<void> {
  const left = frames.slice(0, count)
  const opened = count === 0 ? {} : await cutAfter(store, left.at(-1)!, left.at(-1 - (count % 2)))
  await judgeRecovery(await openMemory(opened), left, story.outside)
}

for (const kind of Object.keys(kinds) as Kind[]) {
  test(`${kind}: cut right before it and right after it`, async () => {
    let runs = 0
    for (const told of await everything()) {
      const at = told.frames.findLastIndex((frame) => eventsOf([frame]).some((event) => event.kind === kind))
      if (at < 0) continue
      runs++
      for (const count of [at, at + 1]) {
        try {
          await cutAt(told, count)
        } catch (error) {
          const { message } = error as Error
          throw new Error(`${told.story.name}, cut after frame ${count}: ${message}`, { cause: error })
        }
      }
    }
    assert.ok(runs > 0, `${kind} happens in no story`)
  })
}

test.run()
