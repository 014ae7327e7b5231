/** Both folders of segments keep the same contract. */

import { segmentFolder } from '../../src/journal/segment-folder.ts'
import { FaultyFolder } from '../../src/sim/faulty-folder.ts'
import { Files } from '../../src/sim/files.ts'
import { temporaryFolder } from '../support/folder.ts'
import { segmentSuite } from './segment-contract.ts'

const folder = temporaryFolder()
const real = segmentSuite('of files', () => {
  const path = folder.fresh('payload')
  return () => segmentFolder(path)
})
real.after(() => folder.remove())
real.run()

segmentSuite('simulated', () => {
  const files = new Files()
  return () => new FaultyFolder(files)
}).run()
