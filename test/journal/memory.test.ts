/** The journal's contract over a store in memory. */

import { memoryHead } from '../../src/journal/head.ts'
import { key, tables } from '../../src/journal/keys.ts'
import { memoryStore, openMemory } from '../support/store.ts'
import { journalSuite } from './contract.ts'

const test = journalSuite({
  name: 'journal in memory',
  async place() {
    const store = memoryStore()
    const head = memoryHead()
    return {
      open: async () => (await openMemory({ store, head })).journal,
      async damageCheckpoint(journal) {
        const { seq } = (await journal.checkpoint())!
        const part = (await store.get(key(tables.part, seq, 1)))!.slice()
        part[77]! ^= 1
        await store.put(key(tables.part, seq, 1), part, { sync: true })
        await journal.close()
      },
    }
  },
})

test.run()
