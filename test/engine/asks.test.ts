/**
 * Asks that make no sense: those that have no place in the record are turned away with an error and leave no event;
 * the others are refused, on record. None of them ends the engine, and whatever was recorded replays.
 */

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Ask, askFault, maxIoBytes } from '../../src/engine/ask.ts'
import { recoverWorld } from '../../src/engine/open-engine.ts'
import { kinds } from '../../src/events/kind.ts'
import { key, tables } from '../../src/journal/keys.ts'
import { replay } from '../../src/replay/replay.ts'
import { stateHashText } from '../../src/volume/snapshot.ts'
import { prepare } from '../support/busy.ts'
import { fails } from '../support/frames.ts'
import { type Run, startRun } from '../support/run.ts'
import { copyOf, entriesOf, framesOf, headAt, openMemory } from '../support/store.ts'

const test = suite('asks')

const io = { kind: 'io.read', session: 1, volume: 1, offset: 0, length: 512 } as const

/** What nobody may ask, whatever its type says. */
const impossible: readonly Record<string, unknown>[] = [
  { ...io, offset: Number.NaN },
  { ...io, length: Number.POSITIVE_INFINITY },
  { ...io, offset: '0' },
  { ...io, session: -1 },
  { ...io, session: 2 ** 32 + 1 },
  { ...io, session: 1.5 },
  { ...io, volume: 65_537 },
  { ...io, volume: Number.NaN },
  { ...io, request: 2 ** 32 },
  { ...io, flags: 256 },
  { ...io, length: maxIoBytes + 1 },
  { ...io, data: new Uint8Array(512) },
  { ...io, kind: 'io.write' },
  { ...io, kind: 'io.write', data: 'text' },
  { ...io, kind: 'io.write', data: new Uint8Array(maxIoBytes + 512) },
  { kind: 'io.erase', session: 1, volume: 1 },
  { kind: 'toString' },
  { kind: '__proto__' },
  { kind: 'hold.released', about: 1 },
  { kind: 'volume.created', volume: 9 },
  { kind: 'engine.started', detail: { writer: 'x', epoch: 9, program: 'x' } },
  { kind: 'session.open' },
  { kind: 'session.open', detail: { name: 5 } },
  { kind: 'session.open', detail: { name: 'x', more: 1 } },
  { kind: 'session.open', detail: { name: 'x'.repeat(5000) } },
  { kind: 'session.open', tag: 5, detail: { name: 'x' } },
  { kind: 'session.open', code: 'E_IO', detail: { name: 'x' } },
  { kind: 'mark', detail: { label: 'x' }, code: 'nonsense' },
  { kind: 'mark', detail: { label: 'x' }, volume: -1 },
  { kind: 'volume.create', detail: { name: 'x', size: -4096, block: 4096 } },
  { kind: 'volume.create', detail: { name: 'x', size: 4096.5, block: 4096 } },
  { kind: 'volume.create', detail: { name: 'x', size: Number.NaN, block: 4096 } },
  { kind: 'volume.create', detail: { name: 'x', size: -0, block: 4096 } },
  { kind: 'volume.create', detail: Object.create({ name: 'x', size: 4096, block: 4096 }) },
  { kind: 'deadline.reached', tag: 2 ** 32 },
  { kind: 'copy.report', tag: 1, volume: 1, offset: 0, length: 512, about: 10_000 },
  { kind: 'copy.report', tag: 1, volume: 1, offset: 0, length: Number.NaN, about: 1 },
]

/** What makes sense to ask and none on these volumes. */
const refused: readonly [Ask, string][] = [
  [{ ...io, offset: -1 }, 'E_RANGE'],
  [{ ...io, offset: -0, length: 0 }, 'E_RANGE'],
  [{ ...io, offset: 2 ** 60 }, 'E_RANGE'],
  [{ ...io, offset: Number.MAX_VALUE }, 'E_RANGE'],
  [{ ...io, offset: 65_536 }, 'E_RANGE'],
  [{ ...io, offset: 65_535, length: 2 }, 'E_RANGE'],
  [{ ...io, offset: 0.5 }, 'E_RANGE'],
  [{ ...io, length: -512 }, 'E_RANGE'],
  [{ ...io, session: 77 }, 'E_NO_SESSION'],
  [{ ...io, session: 0 }, 'E_NO_SESSION'],
  [{ ...io, volume: 0 }, 'E_NO_VOLUME'],
  [{ ...io, volume: 65_535 }, 'E_NO_VOLUME'],
  [{ kind: 'io.write', session: 1, volume: 1, offset: 0, data: new Uint8Array(0) }, 'E_RANGE'],
  [{ kind: 'io.discard', session: 1, volume: 1, offset: 0, length: 2 ** 52 }, 'E_RANGE'],
  [{ kind: 'volume.create', detail: { name: 'x', size: 4096, block: 0 } }, 'E_SIZE'],
  [{ kind: 'volume.create', detail: { name: 'x', size: 2 ** 53 - 1, block: 4096 } }, 'E_SIZE'],
  [{ kind: 'volume.create', detail: { name: '__proto__', size: 4096, block: 4096 } }, 'E_NAME'],
  [{ kind: 'volume.create', detail: { name: 'a\0b', size: 4096, block: 4096 } }, 'E_NAME'],
  [{ kind: 'deadline.reached', tag: 99 }, 'E_NOT_ACTIVE'],
  [{ kind: 'engine.recover' }, 'E_STATE'],
  [{ kind: 'copy.report', tag: 9, volume: 1, offset: 0, length: 512, about: 1 }, 'E_NO_PAIR'],
  [{ kind: 'copy.report', tag: 1, volume: 1, offset: 1e300, length: -5, about: 1 }, 'E_NOT_ACTIVE'],
]

/** Everything on record can be recovered from and replayed. */
async function checkRecord(run: Run): Promise<void> {
  await run.engine.settled()
  const { store } = run.opened
  const opened = await openMemory({
    store: await copyOf(store),
    head: headAt((await framesOf(store)).at(-1)),
  })
  assert.is(stateHashText(await recoverWorld(opened.journal)), stateHashText(run.engine.world))
  assert.equal((await replay(opened.journal)).findings, [])
}

test('what cannot be recorded is turned away and leaves no event', async () => {
  const run = await startRun()
  await prepare(run)
  await run.engine.settled()
  const before = run.engine.world.seq
  for (const ask of impossible) {
    const error = await fails('USAGE', () => run.engine.submit(ask as unknown as Ask))
    assert.ok(error.message.length > 10, String(ask.kind))
  }
  await run.engine.settled()
  assert.is(run.engine.world.seq, before)
  assert.is((await run.io('io.write'))?.code, 'ok')
  await checkRecord(run)
})

test('what makes no sense on a volume is refused, on record', async () => {
  const run = await startRun()
  await prepare(run)
  for (const [ask, code] of refused) {
    const answer = await run.engine.submit(ask)
    assert.is(answer.code, code, JSON.stringify(ask))
    assert.ok(answer.seq > 0)
  }
  assert.is((await run.io('io.write'))?.code, 'ok')
  await checkRecord(run)
})

test('a flush has no range, whatever it is given', async () => {
  const run = await startRun()
  await prepare(run)
  const flush = { kind: 'io.flush', session: 1, volume: 1, offset: -1.5, length: 1e300 } as const
  assert.is((await run.engine.submit(flush)).code, 'ok')
  await checkRecord(run)
})

test('asks of any kind with any numbers end no engine, and the record replays', async () => {
  const inputs = Object.entries(kinds).flatMap(([kind, { number }]) => (number < 128 ? [kind] : []))
  const odd = fc.constantFrom<unknown>(
    0,
    1,
    2,
    3,
    4,
    512,
    4096,
    65_535,
    65_536,
    -1,
    -0,
    0.5,
    2 ** 31,
    2 ** 32,
    2 ** 53,
  )
  const value = fc.oneof(
    { weight: 12, arbitrary: odd },
    { weight: 1, arbitrary: fc.oneof(fc.double(), fc.constant(undefined), fc.string({ maxLength: 3 })) },
  )
  const some = (usual: unknown) =>
    fc.oneof({ weight: 5, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: value })
  const name = fc.constantFrom('disk', 'p', 'b', '', 'a/b', '\u001b[31m')
  const detail = fc.record(
    {
      name,
      label: name,
      scenario: name,
      digest: name,
      pair: name,
      seed: value,
      size: value,
      block: value,
      extent: value,
      source: value,
      clone: value,
      deadlineMs: value,
      maxEntries: value,
      maxBytes: value,
      volumes: fc.array(fc.constantFrom(1, 2, 3, 9), { maxLength: 3 }),
      protected: fc.boolean(),
    },
    { requiredKeys: [] },
  )
  const ask = fc.record(
    {
      kind: fc.constantFrom(...inputs, ...inputs, ...inputs, ...Object.keys(kinds)),
      session: some(1),
      volume: some(1),
      offset: value,
      length: value,
      request: some(7),
      flags: some(0),
      tag: some(0),
      about: some(0),
      code: fc.constantFrom('ok', 'ok', 'ok', 'E_IO', 'E_NONE'),
      data: fc.constantFrom(undefined, undefined, new Uint8Array(4096), new Uint8Array(5)),
      detail,
    },
    { requiredKeys: ['kind'] },
  )
  let accepted = 0
  const property = fc.asyncProperty(fc.array(ask, { minLength: 20, maxLength: 40 }), async (asks) => {
    const run = await startRun({ copier: () => 'ok' })
    await prepare(run)
    for (const one of asks) {
      const given = trimmed(one as unknown as Ask)
      if (askFault(given) === undefined) accepted++
      run.ask(given).catch(() => undefined)
    }
    await run.settled()
    assert.is((await run.engine.submit({ kind: 'mark', detail: { label: 'end' } })).code, 'ok')
    for (const error of run.errors) assert.is((error as { code?: string }).code, 'USAGE', error.message)
    await checkRecord(run)
  })
  await fc.assert(property, { numRuns: 60, seed: 3 })
  assert.ok(accepted > 300, `${accepted} asks were decided`)
})

/** The ask with only those fields of its detail that its kind has, so that some of them get past the door. */
function trimmed(ask: Ask): Ask {
  const wanted: Record<string, readonly string[]> = {
    'session.open': ['name'],
    mark: ['label'],
    'volume.create': ['name', 'size', 'block'],
    'backup.start': ['name', 'volumes', 'deadlineMs', 'maxEntries', 'maxBytes'],
    'backup.stop': ['name'],
    'pair.create': ['name', 'source', 'clone', 'extent'],
    'pair.sync': ['name'],
    'pair.fracture': ['name'],
    'restore.start': ['pair', 'protected'],
  }
  const given = { ...ask } as Record<string, unknown>
  if (ask.kind.startsWith('io.')) {
    if (ask.kind !== 'io.write') delete given.data
    return given as unknown as Ask
  }
  const used: readonly string[] = kinds[ask.kind].columns
  const own = Object.entries(given).filter(([name]) => name === 'kind' || used.includes(name))
  const fields = wanted[ask.kind]
  if (fields === undefined) return Object.fromEntries(own) as unknown as Ask
  const said = { ...(given.detail as Record<string, unknown> | undefined) }
  const usual: Record<string, unknown> = { name: 'p', label: 'p', pair: 'p', volumes: [1], protected: true }
  const detail = Object.fromEntries(fields.map((field) => [field, said[field] ?? usual[field] ?? 4096]))
  return { ...Object.fromEntries(own), detail } as unknown as Ask
}

test('damaged payload is an error to the reader alone', async () => {
  const run = await startRun()
  await prepare(run)
  await run.io('io.write', { at: 7, fill: 1 })
  const { store } = run.opened
  const copy = await copyOf(store)
  const [at, chunk] = (await entriesOf(copy)).filter(([one]) => one[0] === tables.payload).at(-1)!
  chunk[100]! ^= 1
  await copy.put(at, chunk, { sync: true })
  const again = await startRun({ on: { store: copy, head: headAt((await framesOf(store)).at(-1)) } })
  await again.must('session.open', { name: 'host' })
  const session = again.engine.world.sessionsOpened
  const error = await fails('PAYLOAD_CORRUPT', () =>
    again.engine.submit({ ...io, session, offset: 7 * 4096, length: 4096 }),
  )
  assert.match(error.message, /payload chunk \d+ is damaged/)
  assert.is((await again.io('io.read', { session, at: 1 }))?.code, 'ok')
  assert.is((await again.io('io.write', { session, at: 7, fill: 2 }))?.code, 'ok')
  assert.is((await again.io('io.read', { session, at: 7 }))!.data![0], 2)
  await checkRecord(again)
  assert.ok(await copy.get(key(tables.payload, 1)))
})

test.run()
