/**
 * Real processes killed for nights: `npm run kills [-- --rounds N] [-- --seed S]`.
 *
 * A process that writes to a journal on disk with several hosts is killed (SIGKILL) at random moments, again and again;
 * each time the journal has to hold all that was acknowledged, verify and replay clean. A journal is given up after 20
 * rounds for a new one. Ends with 12 at the first fault, and leaves that journal where it is; after Ctrl-C it says what
 * was done so far.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Prng } from '../src/core/prng.ts'
import { exitCodes } from './exit-code.ts'
import { faultsOf, killOne, Told } from './kills/round.ts'
import { wholeNumber } from './number.ts'
import { escaped, print, progress } from './output.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false },
  },
})
/** Rounds that one journal lives: reading all of it again takes longer each time. */
const life = 20
const longestMs = 400

if (values.help) {
  await print('usage: npm run kills [-- --rounds N] [-- --seed S]\n\nexample: npm run kills -- --rounds 1000')
} else await run(wholeNumber(1, 10_000_000)(values.rounds), wholeNumber(0, 2 ** 31)(values.seed))

async function run(rounds: number, seed: number): Promise<void> {
  const random = new Prng(seed)
  const started = Date.now()
  let done = 0
  let isStopped = false
  process.once('SIGINT', () => {
    isStopped = true
  })
  let acknowledged = 0
  let opening = 0
  while (done < rounds && !isStopped) {
    const root = mkdtempSync(join(tmpdir(), 'blockbox-kills-'))
    const path = join(root, 'killed.journal')
    const told = new Told()
    for (let k = 0; k < life && done < rounds && !isStopped; k++, done++) {
      const ready = random.below(4) > 0
      await killOne(path, told, { ready, ms: random.below(longestMs) })
      if (!ready) opening++
      const faults = await faultsOf(path, told)
      progress(`${done + 1} of ${rounds} rounds, ${acknowledged + told.acknowledged} writes acknowledged`)
      if (faults.length === 0) continue
      progress('')
      for (const fault of faults.slice(0, 20)) await print(escaped(`round ${done + 1}: ${fault}`))
      await print(`seed ${seed}; the journal is kept in ${path}`)
      process.exitCode = exitCodes.verification
      return
    }
    acknowledged += told.acknowledged
    rmSync(root, { recursive: true, force: true })
  }
  progress('')
  const seconds = ((Date.now() - started) / 1000).toFixed(0)
  const count = (number: number) => number.toLocaleString('en-US')
  await print(
    `${count(done)} kills (${count(opening)} of them timed from the start of the process), ` +
      `${count(acknowledged)} writes acknowledged, none lost, in ${seconds} s`,
  )
}
