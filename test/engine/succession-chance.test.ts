/** Engines that take over from each other, whatever fails when: nothing that was answered is lost. */

import * as fc from 'fast-check'
import { suite, type Test } from 'uvu'
import * as assert from 'uvu/assert'
import { onDisk, reigns, write } from '../support/reigns.ts'

const test: Test = suite('succession of engines by chance')

const fates = fc.constantFrom('ok', 'ok', 'ok', 'full', 'doubt', 'refused')

test('whatever fails when: nothing answered is lost, and what a host saw fail is there whole or not at all', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(15), fates), { minLength: 1, maxLength: 30 }),
      async (steps) => {
        const run = await reigns()
        const { succession, ill } = run
        const sure = new Map<number, number>()
        const maybe = new Map<number, number[]>()
        let session = 1
        for (const [k, [block, fate]] of steps.entries()) {
          if (succession.state === 'failed') {
            await succession.reopen()
            session = (await succession.engine.submit({ kind: 'session.open', detail: { name: 'h' } })).made
          }
          ill.fault = fate === 'ok' ? undefined : fate
          const code = await write(succession.engine, block, k + 1, session).then(
            (answer) => answer.code,
            () => undefined,
          )
          ill.fault = undefined
          assert.is(code, fate === 'ok' ? 'ok' : undefined)
          if (fate === 'ok') {
            sure.set(block, k + 1)
            maybe.delete(block)
          } else maybe.set(block, [...(maybe.get(block) ?? []), k + 1])
        }
        if (succession.state === 'failed') await succession.reopen()
        await succession.close()
        const { bytes } = await onDisk(run)
        for (const [block, byte] of bytes.entries()) {
          const may = [sure.get(block) ?? 0, ...(maybe.get(block) ?? [])]
          assert.ok(may.includes(byte!), `block ${block} holds ${byte}, not one of ${may.join(', ')}`)
        }
      },
    ),
    { numRuns: 40 },
  ))

test.run()
