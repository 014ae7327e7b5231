/** Kinds, operations, fates, flags and codes are stored by number: these numbers, for ever. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { advice, codeName, codes } from '../../src/events/code.ts'
import { columnWidths } from '../../src/events/columns.ts'
import { changes, fates, flag, ioKinds, isInput, kindNames, kinds, ops } from '../../src/events/kind.ts'

const test = suite('kinds and codes')

const stored: Readonly<Record<number, string>> = {
  1: 'io.read',
  2: 'io.write',
  3: 'io.zeroes',
  4: 'io.discard',
  5: 'io.flush',
  16: 'session.open',
  17: 'session.close',
  18: 'mark',
  19: 'run.begin',
  20: 'run.end',
  24: 'volume.create',
  25: 'device.create',
  26: 'volume.delete',
  27: 'volume.resize',
  32: 'backup.start',
  33: 'backup.stop',
  34: 'deadline.reached',
  35: 'fsmeta.commit',
  40: 'pair.create',
  41: 'pair.sync',
  42: 'pair.fracture',
  43: 'pair.delete',
  48: 'restore.start',
  49: 'restore.pause',
  50: 'restore.resume',
  51: 'restore.cancel',
  56: 'copy.report',
  64: 'engine.started',
  65: 'engine.recover',
  66: 'engine.stop',
  80: 'fence.raise',
  81: 'fence.update',
  82: 'fence.operate',
  83: 'fence.finish',
  84: 'fence.lower',
  85: 'fence.abort',
  86: 'fence.takeover',
  87: 'fence.force',
  88: 'fence.fail',
  89: 'fence.pattern',
  90: 'mover.request',
  91: 'mover.report',
  92: 'fence.flushed',
  104: 'tap.attach',
  105: 'tap.report',
  106: 'tap.detach',
  128: 'session.opened',
  129: 'session.closed',
  130: 'volume.created',
  131: 'device.created',
  132: 'hold.released',
  133: 'hold.dropped',
  134: 'hold.failed',
  136: 'cod.released',
  137: 'io.failed',
  138: 'io.lost',
  144: 'backup.flag_set',
  145: 'backup.started',
  146: 'backup.stopping',
  147: 'backup.stopped',
  148: 'backup.flag_cleared',
  149: 'backup.expired',
  150: 'backup.aborted',
  151: 'fsmeta.committed',
  152: 'volume.deleted',
  153: 'volume.resized',
  160: 'pair.created',
  161: 'sync.started',
  162: 'sync.finished',
  163: 'pair.fractured',
  164: 'pair.deleted',
  168: 'copy.started',
  176: 'restore.started',
  177: 'restore.completed',
  178: 'restore.resumed',
  179: 'restore.failed',
  180: 'restore.paused',
  181: 'restore.cancelled',
  182: 'restore.cancel_accepted',
  184: 'command.refused',
  185: 'command.keyed',
  186: 'command.repeated',
  190: 'engine.recovered',
  192: 'fence.requested',
  193: 'fence.saved',
  194: 'fence.pattern_written',
  195: 'fence.raised',
  196: 'fence.meta_updated',
  197: 'fence.meta_buffered',
  198: 'fence.meta_restored',
  199: 'op.started',
  200: 'op.finished',
  201: 'op.failed',
  202: 'fence.lowering',
  203: 'fence.meta_written',
  204: 'fence.lowered',
  205: 'fence.aborted',
  206: 'fence.violation',
  207: 'fence.taken_over',
  208: 'fence.forced',
  210: 'mover.requested',
  211: 'mover.dispatched',
  212: 'mover.copied',
  213: 'mover.done',
  230: 'tap.attached',
  231: 'tap.released',
  232: 'tap.detached',
}

const storedCodes = [
  ...['ok', 'E_RANGE', 'E_ALIGN', 'E_NO_VOLUME', 'E_NO_SESSION', 'E_NOT_ACTIVE', 'E_ALREADY', 'E_SIZE'],
  ...['E_BUSY_HOLD', 'E_BUSY_RESTORE', 'E_BUSY_SYNC', 'E_CLONE_PROTECTED', 'E_STATE', 'E_NO_PAIR'],
  ...['E_QUEUE_FULL', 'E_IO', 'E_NAME', 'E_UNSUPPORTED', 'E_CRASH', 'E_SESSION_CLOSED', 'E_DEADLINE'],
  ...['E_BOUND', 'E_BROKEN', 'E_READ_ONLY', 'E_STOPPED', 'E_FENCED', 'E_BUSY_FENCE', 'E_DIRTY'],
  ...['E_SHARED_META', 'E_PARTIAL', 'E_CHAIN', 'E_BUSY_OVERLAY', 'E_BUSY_MERGE', 'E_NOT_OWNER'],
  ...['E_MIXED', 'E_AGAIN', 'E_NOSPC', 'E_KEY_USED', 'E_TAPPED', 'E_TAP_ENDED'],
]

test('what is stored keeps its number', () => {
  for (const [number, name] of Object.entries(stored)) assert.is(kindNames[Number(number)], name)
  for (const [number, name] of storedCodes.entries()) assert.is(codeName(number), name)
  assert.equal(fates, ['none', 'passed', 'held', 'queued', 'refused', 'forwarded'])
  assert.equal(ops, ['none', 'read', 'write', 'zeroes', 'discard', 'flush'])
  assert.equal(flag, { fua: 1, meta: 2, sync: 4, demand: 8, noHole: 16, fastZero: 32 })
})

test('numbers of kinds are unique and fit a byte', () => {
  const numbers = Object.values(kinds).map(({ number }) => number)
  assert.is(new Set(numbers).size, numbers.length)
  assert.ok(numbers.every((number) => Number.isInteger(number) && number > 0 && number < 256))
})

test('numbers of codes have no gap, and each code has its advice', () => {
  assert.equal(Object.values(codes), [...Object.keys(codes).keys()])
  assert.is(codeName(Object.keys(codes).length), undefined)
  for (const code of Object.keys(codes))
    if (code !== 'ok') assert.match(advice[code as keyof typeof codes], /: \S/, `${code} says what to do`)
})

test('inputs are asked, outcomes have happened', () => {
  const outcomes = Object.keys(kinds).filter((kind) => !isInput(kind as keyof typeof kinds))
  const past =
    /ed$|_set$|stopping$|lost$|rebound$|merge\.block$|lowering$|written$|violation$|taken_over$|done$/
  assert.equal(
    outcomes.filter((kind) => !past.test(kind)),
    [],
  )
})

test('each kind lists columns that there are, each once', () => {
  const known = new Set([...Object.keys(columnWidths), 'digest'])
  for (const [kind, { columns }] of Object.entries(kinds)) {
    assert.is(new Set(columns).size, columns.length, kind)
    assert.equal(
      columns.filter((column) => !known.has(column)),
      [],
      kind,
    )
  }
})

test('every host request has its kind, and three of them change content', () => {
  assert.equal(
    ioKinds,
    ops.slice(1).map((op) => `io.${op}`),
  )
  assert.equal(ops.filter(changes), ['write', 'zeroes', 'discard'])
})

test.run()
