/** The payload store in the journal's database, over LevelDB. */

import { type KvStore, levelStore } from '../../src/journal/store.ts'
import { type LevelPayload, openLevelPayload } from '../../src/payload/level-payload.ts'
import { temporaryFolder } from '../support/folder.ts'
import { payloadSuite } from './contract.ts'

const folder = temporaryFolder()

const test = payloadSuite('payload in LevelDB', async () => {
  const path = folder.fresh()
  let store: KvStore
  let payload: LevelPayload
  return {
    async open() {
      store = levelStore(path)
      await store.open()
      payload = await openLevelPayload(store)
      return payload
    },
    async commit() {
      await payload.sync()
      const batch = store.batch()
      for (const [at, value] of payload.drain()) batch.put(at, value)
      await batch.write({ sync: true })
      payload.stored()
    },
    close: () => store.close(),
  }
})

test.after(folder.remove)
test.run()
