/**
 * Traces packed with Zstandard: frames as zstd makes them and frames written here, whole, cut and damaged; and the
 * bounds that hold whatever a header claims.
 */

import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BlockboxError } from '../../src/core/errors.ts'
import { readTrace } from '../../src/trace/source.ts'
import { Zstd } from '../../src/trace/zstd.ts'

const test = suite('zstd')

/** `zstd -19` of a fio log of 62 lines. */
const packed = Buffer.from(
  'KLUv/WSUBM0KAFZbOxSwaTlEDVlHlIcBRyaZZJJJ6iVzMUQALwAwALPqPTEUrmhQfYtvonhIfpmmbLzBkV78n9zI2jsAV/QQsECQ' +
    '0HBgOBCAQQDCwYHhMAADBwUHBAc5GBwQKCQEMBwOCAQC6+mT4O/OxZpYvY7xizJGC3l5wZa3Rc0WfsfaO55IRhLixOVNZry1c6wV' +
    '+kuZFQPSz0rGH+dMC6EEqWUpMj16cbylGqHXMzZnNjWeUjlhkU5rllzujUxIMSlNZdLiJyM0DdZeZfeQOEqqSJVJiqw4h/N+4+kP' +
    '2ohVXO36gybijZgGRVD6sMvCDavo9SeDAXeoETBwZHX7nwGgkxTkGBASpMk8W/DWkLZb66N+LsWZMFWK9VXKjkR6TIJBdhwSwdTv' +
    'VrgWsXGWdtOtaQ7RAj57wMxR2QdkHYw5IOZAmCOwf/DM2WLW/1kvT8ExLk8BeDLnckZ7vgH8KuEzl2Y=',
  'base64',
)
const digest = 'dd892a02364ad5d25999f3ed81e04dbd577a681a2a2d7dab1dd985c255d03586'

const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

function unpack(bytes: Uint8Array, cut = bytes.length, onPiece = (_: Uint8Array) => {}): Uint8Array {
  const engine = new Zstd()
  const pieces: Uint8Array[] = []
  const take = (some: Iterable<Uint8Array>) => {
    for (const piece of some) {
      onPiece(piece)
      pieces.push(piece)
    }
  }
  for (let at = 0; at < bytes.length; at += cut) take(engine.push(bytes.slice(at, at + cut)))
  take(engine.end())
  return Buffer.concat(pieces)
}

function refusal(bytes: Uint8Array): string {
  try {
    unpack(bytes)
  } catch (error) {
    assert.instance(error, BlockboxError)
    assert.is((error as BlockboxError).code, 'TRACE_FORMAT')
    return (error as BlockboxError).message
  }
  return assert.unreachable('it was taken') as never
}

/** A frame with a window of `2^(10 + exponent)` bytes; blocks are literal bytes, or a byte and how often it comes. */
function frame(exponent: number, ...blocks: (Uint8Array | [number, number])[]): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0, exponent << 3)]
  for (const [k, block] of blocks.entries()) {
    const last = k === blocks.length - 1 ? 1 : 0
    const [kind, size, bytes] = Array.isArray(block)
      ? [1, block[1], Uint8Array.of(block[0])]
      : [0, block.length, block]
    const head = last | (kind << 1) | (size << 3)
    parts.push(Uint8Array.of(head & 255, (head >> 8) & 255, head >> 16), bytes)
  }
  return Buffer.concat(parts)
}

const text = (line: string) => new TextEncoder().encode(line)

test('what zstd packed is unpacked, however it is cut', () => {
  for (const cut of [1, 2, 7, 64, packed.length]) assert.is(sha(unpack(packed, cut)), digest)
})

test('frames follow each other, and skippable ones are passed by', () => {
  const skippable = Buffer.concat([Uint8Array.of(0x5a, 0x2a, 0x4d, 0x18, 9, 0, 0, 0), new Uint8Array(9)])
  const all = Buffer.concat([
    frame(7, text('ab'), text('c')),
    skippable,
    frame(7, text('d'), [0x65, 3]),
    packed,
  ])
  const rest = unpack(packed)
  for (const cut of [1, 5, all.length]) {
    assert.is(Buffer.from(unpack(all, cut)).toString(), `abcdeee${Buffer.from(rest).toString()}`)
  }
  assert.is(unpack(frame(7, text(''))).length, 0)
})

test('a packed trace is read as what it holds', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'blockbox-zstd-'))
  try {
    const path = join(folder, 'log')
    writeFileSync(path, packed)
    let events = 0
    for await (const batch of readTrace(path)) {
      assert.is(batch.format, 'fio-iolog')
      events += batch.events.length
    }
    assert.is(events, 60)
    writeFileSync(path, packed.subarray(0, 200))
    try {
      for await (const _ of readTrace(path, { format: 'fio-iolog' }));
      assert.unreachable('half a file was taken')
    } catch (error) {
      assert.match((error as Error).message, 'log: the zstd data ends too early at or before byte')
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('content comes in pieces of bounded size, whatever a few bytes stand for', () => {
  const bomb = frame(7, ...Array.from({ length: 2000 }, (): [number, number] => [0, 2 ** 17]))
  const engine = new Zstd()
  let bytes = 0
  for (const piece of engine.push(bomb)) {
    assert.ok(piece.length <= 2 ** 17)
    bytes += piece.length
  }
  assert.is(bytes, 2000 * 2 ** 17)
  assert.ok(bomb.length < 10_000)
})

test('damage and demands beyond the bounds are refused with their place', () => {
  assert.match(refusal(new Uint8Array(0)), 'ends too early at or before byte 0')
  assert.match(refusal(packed.subarray(0, -1)), 'ends too early')
  assert.match(
    refusal(Buffer.concat([packed, text('tail')])),
    `no frame where one begins at or before byte ${packed.length + 4}`,
  )
  assert.match(refusal(frame(18, text('a'))), 'asks for a window of 268435456 bytes, above the limit')
  assert.match(refusal(frame(7, [0, 2 ** 17 + 1])), 'a block that makes no sense')
  assert.match(refusal(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 1, 0)), 'needs a dictionary')
  assert.match(refusal(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 8, 0)), 'of an unknown kind')
})

test('mutated bytes never bring anything but a refusal', () => {
  for (let k = 5; k < packed.length; k++) {
    for (const mask of [1, 0x80, 0xff]) {
      const bytes = Uint8Array.from(packed)
      bytes[k] = bytes[k]! ^ mask
      try {
        unpack(bytes)
      } catch (error) {
        assert.instance(error, BlockboxError, `byte ${k} ^ ${mask}: ${error}`)
      }
    }
  }
})

test.run()
