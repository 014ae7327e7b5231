/** What a host did, counted by hand. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { SessionStory } from '../../src/inspect/session-story.ts'
import { leave } from '../support/asked.ts'
import { backup, block, close, crash, flush, read, session, stop, volume, write } from '../support/given.ts'
import { answers, tapped } from '../support/given-tap.ts'
import { told } from '../support/told.ts'

const test = suite('session story')

test('requests by operation and fate, waits, latencies, the way it left', () => {
  const story = new SessionStory(1)
  const other = new SessionStory(2)
  told(
    [
      ...[volume('disk'), session('one'), session('two')],
      ...[write(1), read(2, { count: 3 }), flush(3), write(4, { at: 99 })],
      ...[write(5, { session: 2 }), backup('b'), write(6), stop('b'), leave(1), close(2)],
    ],
    story,
    other,
  )
  assert.is(story.name, 'one')
  const part = (op: string) => {
    const { count, bytes, passed, held, refused } = story.ops.get(op)!
    return [count, bytes, passed, held, refused]
  }
  assert.equal(part('write'), [3, 3 * block, 1, 1, 1])
  assert.equal(part('read'), [1, 3 * block, 1, 0, 0])
  assert.equal(part('flush'), [1, 0, 1, 0, 0])
  assert.equal([...story.refusals], [['E_RANGE', 1]])
  assert.is(story.held.count, 1)
  assert.is(story.toDurable.count, 3)
  assert.is(story.toDurable.min, 500)
  assert.ok(story.held.max < story.toDurable.max)
  assert.is(story.closed?.orderly, true)
  assert.is(other.closed?.orderly, false)
  assert.is(other.ops.get('write')!.count, 1)
  assert.is(other.toDurable.count, 1)
})

test('a crash cuts it off, and what waited is told', () => {
  const story = new SessionStory(1)
  told([volume('disk'), session('one'), backup('b'), write(1), crash], story)
  assert.ok(story.cutOff !== undefined)
  assert.is(story.waiting, 0)
  assert.equal([...story.ends], [['hold.dropped E_CRASH', 1]])
  assert.is(story.ops.get('write')!.ended, 1)
})

test('what a far server answered took the time until it did', () => {
  const story = new SessionStory(1)
  told([...tapped, write(1), answers(), read(2), answers(), write(3), answers('E_IO')], story)
  assert.is(story.forwarded.count, 2)
  assert.is(story.ops.get('write')!.forwarded, 2)
  assert.equal([...story.ends], [['io.failed E_IO', 1]])
  assert.is(story.toDurable.count, 1)
})

test.run()
