/**
 * A process that plays a story on a journal on disk, and kills itself when so many frames are durable. The lines of
 * BLOCKBOX_CRASH are the journal, the name of the story, the count of frames and a folder for what lives outside.
 */

import { openToWrite } from '../../src/engine/open-folder.ts'
import { manualClock } from '../support/clock.ts'
import { type OpenCopy, Run } from '../support/run.ts'
import { Stage } from '../support/stage.ts'
import type { Opened } from '../support/store.ts'
import { stories } from './crash-stories.ts'

const [folder, name, count, home] = (process.env.BLOCKBOX_CRASH ?? '').split('\n')
const story = stories(home!).find((one) => one.name === name)
const clock = manualClock()
const copies: OpenCopy[] = []
const { engine, journal, payload } = await openToWrite(folder!, {
  ...{ create: true, clock, checkpointEvery: 7 },
  copier: (copy) => new Promise((resolve) => copies.push({ ...copy, end: resolve })),
})
let frames = 0
engine.frames$.subscribe(() => {
  if (++frames === Number(count)) process.kill(process.pid, 'SIGKILL')
})
await new Stage(new Run(engine, clock, { journal, payload } as unknown as Opened, copies)).play(story!.acts)
