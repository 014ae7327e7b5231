/** `blockbox log -f` on a journal that a server has open: how it ends when the server does. */

// limit: 240 s

import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { serveProgram } from '../support/serve-program.ts'
import { blockbox, json, scratch } from './commands/blockbox.ts'

const test = suite('a log that is followed')
const folder = scratch()
const journal = join(folder, 'served.journal')

test.before(async () => {
  await json('volume', 'create', 'disk', '--size', '64K', '-j', journal)
})

for (const [signal, code, said] of [
  ['SIGTERM', 0, /the server that has the journal open stopped: nothing more comes from it\n$/],
  ['SIGKILL', 1, /went away in the middle/],
] as const) {
  test(`a server that ends by ${signal}: exit code ${code}`, async () => {
    const serving = await serveProgram(['-j', journal, '--socket', join(folder, 'nbd.sock')])
    let ended: Promise<unknown> | undefined
    const following = await blockbox(['log', '-f', '-j', journal], (child) => {
      child.stdout!.once('data', () => {
        ended = serving.end(signal)
      })
    })
    await ended
    assert.is(following.code, code, following.err)
    assert.match(following.err, said)
    assert.match(following.out, /^ +1 .*engine\.started/)
  })
}

test.run()
