/**
 * Proofs that one head extends another: an honest one is believed without the journal; one with any byte changed, cut,
 * put together anew, or of another history, is not.
 */

// limit: 120 s

import { mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { hex, sha256 } from '../../src/core/digest.ts'
import type { Frame } from '../../src/journal/frame.ts'
import {
  type Claim,
  checkProof,
  maxProofBytes,
  type ProofHead,
  proofParts,
} from '../../src/journal/head-proof.ts'
import type { Journal } from '../../src/journal/journal.ts'
import { temporaryFolder } from '../support/folder.ts'
import { fails, forged, gathered } from '../support/frames.ts'
import { openMemory } from '../support/store.ts'
import { appendMarks } from './place.ts'

const test = suite('proof that a head extends another')
const folder = temporaryFolder()
const file = join(folder.fresh('proofs'), 'one.proof')
test.after(() => folder.remove())

const id = '0123456789abcdef0123456789abcdef'
const made: { journal: Journal; frames: Frame[] } = { journal: undefined as never, frames: [] }
const nothing: ProofHead = { seq: 0, hash: '0'.repeat(64) }
/** The head after the k-th frame. */
const head = (k: number): ProofHead => ({ seq: made.frames[k]!.last, hash: hex(made.frames[k]!.hash) })
const claim = (from: ProofHead, to: ProofHead): Claim => ({ journal: id, from, to })

test.before(async () => {
  mkdirSync(join(file, '..'))
  const { journal } = await openMemory()
  await appendMarks(journal, await journal.openWriter('one', 0n), 4)
  await appendMarks(journal, await journal.openWriter('two', 0n), 4, 2)
  made.journal = journal
  made.frames = await gathered(journal.read(1))
  assert.ok(made.frames.length > 6)
})

async function proof(from: ProofHead, to: ProofHead): Promise<Buffer> {
  return Buffer.concat(await gathered(proofParts(made.journal, claim(from, to))))
}

function checked(bytes: Uint8Array) {
  writeFileSync(file, bytes)
  return checkProof(file)
}

async function refused(bytes: Uint8Array, what: string): Promise<string> {
  try {
    checked(bytes)
  } catch (error) {
    assert.is((error as { code?: string }).code, 'PROOF_INVALID', `${what}: ${error}`)
    return (error as Error).message
  }
  return assert.unreachable(`${what}: it was believed`) as never
}

/** A proof by somebody who seals whatever they put together. */
function sealed(header: object | string, frames: readonly Uint8Array[]): Buffer {
  const parts: Uint8Array[] = [
    Buffer.from(typeof header === 'string' ? header : `${JSON.stringify(header)}\n`),
  ]
  for (const frame of [...frames, new Uint8Array(0)]) {
    const length = Buffer.alloc(4)
    length.writeUInt32LE(frame.length)
    parts.push(length, frame)
  }
  const body = Buffer.concat(parts)
  return Buffer.concat([body, sha256(body)])
}

const headerOf = ({ journal, from, to }: Claim) => ({
  ...{ format: 'blockbox-head-proof', version: 1, journal, from, to },
})

test('any two heads of one history, in order, from nothing on, and a head of itself', async () => {
  const heads = [nothing, ...made.frames.map((_, k) => head(k))]
  for (const [a, from] of heads.entries()) {
    for (const to of heads.slice(a)) {
      const bytes = await proof(from, to)
      const { frames, events, ...said } = checked(bytes)
      assert.equal(said, { ...claim(from, to), bytes: bytes.length })
      assert.is(events, to.seq - from.seq)
      assert.is(frames, heads.indexOf(to) - a)
    }
  }
})

test('it is as long as the frames between, and little more', async () => {
  const frames = made.frames.slice(2)
  const bytes = await proof(head(1), head(made.frames.length - 1))
  const net = frames.reduce((sum, frame) => sum + frame.bytes.length + 4, 0)
  assert.ok(bytes.length - net < 400, `${bytes.length} bytes for ${net}`)
})

test('each byte changed in any of three ways, each cut, anything behind: refused', async () => {
  const bytes = await proof(head(1), head(4))
  checked(bytes)
  for (let at = 0; at < bytes.length; at++) {
    for (const change of [1 << (at % 8), 0x80, 0xff]) {
      const copy = Buffer.from(bytes)
      copy[at]! ^= change
      await refused(copy, `byte ${at} of ${bytes.length}, ${change}`)
    }
    await refused(bytes.subarray(0, at), `cut to ${at}`)
  }
  await refused(Buffer.concat([bytes, Buffer.from([0])]), 'a byte behind')
})

test('frames left out, twice, in another order, or of another history, though sealed: refused', async () => {
  const all = made.frames.slice(2, 6).map(({ bytes }) => bytes)
  const header = headerOf(claim(head(1), head(5)))
  checked(sealed(header, all))
  for (let k = 0; k < all.length; k++) {
    assert.match(await refused(sealed(header, all.toSpliced(k, 1)), `without frame ${k}`), 'not proven')
    await refused(sealed(header, all.toSpliced(k, 0, all[k]!)), `frame ${k} twice`)
  }
  await refused(sealed(header, [...all].reverse()), 'reversed')
  const other = forged(made.frames[3]!, made.frames[2]!.hash, () => ({ replied: 7 }))
  assert.match(await refused(sealed(header, all.with(1, other.bytes)), 'one forged'), 'does not hang on')
  const rest: Uint8Array[] = [other.bytes]
  for (let k = 4, before = other; k < 6; k++) {
    before = forged(made.frames[k]!, before.hash, () => ({}))
    rest.push(before.bytes)
  }
  assert.match(await refused(sealed(header, [all[0]!, ...rest]), 'all behind it forged'), 'lead to')
})

test('a claim that the frames do not bear out, though sealed: refused', async () => {
  const all = made.frames.slice(2, 6).map(({ bytes }) => bytes)
  const honest = claim(head(1), head(5))
  for (const [what, wrong] of [
    ['another earlier head', { ...honest, from: { ...head(1), hash: head(0).hash } }],
    ['another later head', { ...honest, to: { ...head(5), hash: head(4).hash } }],
    ['an earlier number', { ...honest, from: { ...head(1), seq: head(1).seq - 1 } }],
    ['a later number', { ...honest, to: { ...head(5), seq: head(5).seq + 1 } }],
    ['from nothing', { ...honest, from: nothing }],
    ['nothing with a hash', { ...honest, from: { ...head(1), seq: 0 } }],
    ['backwards', claim(head(5), head(1))],
  ] as const) {
    await refused(sealed(headerOf(wrong), all), what)
  }
  await refused(sealed(headerOf(claim(head(1), { ...head(1), seq: head(1).seq + 1 })), []), 'no frames')
})

test('a first line that is none, of another version, with more or other fields: refused', async () => {
  const honest = headerOf(claim(head(1), head(1)))
  checked(sealed(honest, []))
  for (const wrong of [
    { ...honest, more: 1 },
    { ...honest, version: 2 },
    { ...honest, version: '1' },
    { ...honest, format: 'blockbox-journal' },
    { ...honest, journal: id.toUpperCase() },
    { ...honest, from: { ...honest.from, __proto__: null, constructor: 1 } },
    { ...honest, from: { hash: honest.from.hash, seq: honest.from.seq } },
    { ...honest, to: { ...honest.to, seq: 2 ** 60 } },
    { ...honest, to: { ...honest.to, seq: -0.5 } },
    [],
    `${JSON.stringify(honest)} \n`,
    `{"__proto__":{},${JSON.stringify(honest).slice(1)}\n`,
    `${'['.repeat(3000)}\n`,
    `${'x'.repeat(3000)}`,
    '',
  ]) {
    await refused(sealed(wrong, []), JSON.stringify(wrong).slice(0, 300))
  }
  assert.match(await refused(sealed({ ...honest, version: 2 }, []), 'newer'), 'newer blockbox')
})

test('a length that lies is refused before anything is read by it', async () => {
  const header = Buffer.from(`${JSON.stringify(headerOf(claim(head(1), head(5))))}\n`)
  for (const length of [0xffffffff, 0x40000000, 0x40000001, 1, 111]) {
    const four = Buffer.alloc(4)
    four.writeUInt32LE(length)
    await refused(Buffer.concat([header, four, made.frames[2]!.bytes]), `a frame of ${length} bytes`)
  }
})

test('what the journal does not hold is not proven', async () => {
  const { frames } = made
  const last = head(frames.length - 1)
  const prove = (from: ProofHead, to: ProofHead) => () => gathered(proofParts(made.journal, claim(from, to)))
  await fails('PROOF_INVALID', prove({ ...head(2), hash: head(1).hash }, last))
  await fails('PROOF_INVALID', prove(head(2), { ...last, hash: head(1).hash }))
  await fails('PROOF_INVALID', prove(head(2), { ...last, seq: last.seq + 1 }))
  await fails('PROOF_INVALID', prove(last, head(2)))
  const long = frames.findIndex(({ count }) => count > 1)
  assert.ok(long > 0, 'a frame of several events')
  const inside = { ...head(long), seq: frames[long]!.first }
  const error = await fails('PROOF_INVALID', prove(inside, last))
  assert.match(error.message, `no frame ends with event ${inside.seq}`)
  await fails('PROOF_INVALID', prove(head(0), inside))
})

test('a file longer than any proof is refused unread', async () => {
  rmSync(file, { force: true })
  writeFileSync(file, '')
  truncateSync(file, maxProofBytes + 33)
  await fails('PROOF_INVALID', () => checkProof(file))
  rmSync(file)
})

test.run()
