/** The journal's contract over LevelDB in a folder. */

import { join } from 'node:path'
import { openJournalFolder } from '../../src/journal/folder.ts'
import { key, tables } from '../../src/journal/keys.ts'
import { levelStore } from '../../src/journal/store.ts'
import { temporaryFolder } from '../support/folder.ts'
import { journalSuite } from './contract.ts'

const folder = temporaryFolder()

const test = journalSuite({
  name: 'journal in a folder',
  async place() {
    const path = folder.fresh()
    return {
      open: () => openJournalFolder(path, { create: true }),
      async damageCheckpoint(journal) {
        const { seq } = (await journal.checkpoint())!
        await journal.close()
        const store = levelStore(join(path, 'db'))
        await store.open()
        await store.put(key(tables.part, seq, 1), new Uint8Array(299_999), { sync: true })
        await store.close()
      },
    }
  },
})

test.after(folder.remove)
test.run()
