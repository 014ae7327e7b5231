/** Control messages: there and back, what is refused, and that no message is large enough for an image. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeReply, decodeRequest, encodeMessage, maxMessageBytes } from '../../src/mover/message.ts'

const test = suite('control message')

const line = (text: string) => new TextEncoder().encode(text)

test('requests and replies come out as they went in', () => {
  const restore = { ask: 'restore', fence: 'f', session: 3, image: 'disk.img' } as const
  assert.equal(decodeRequest(encodeMessage(restore)), restore)
  const status = { ask: 'status', fence: 'f' } as const
  assert.equal(decodeRequest(encodeMessage(status)), status)
  const reply = { code: 'ok', moved: 5, total: 10, phase: 'operating' }
  assert.equal(decodeReply(encodeMessage(reply)), reply)
})

test('what is no request is refused', () => {
  const wrong = [
    '',
    'x',
    'null',
    '[]',
    '{}',
    '{"ask":"restore","fence":"f"}',
    '{"ask":"restore","fence":"f","session":0,"image":"i"}',
    '{"ask":"restore","fence":"f","session":1.5,"image":"i"}',
    '{"ask":"format","fence":"f"}',
  ]
  for (const text of wrong) assert.throws(() => decodeRequest(line(text)), /message/, text)
  assert.throws(() => decodeReply(line('{"moved":1}')), /code/)
  assert.throws(() => decodeRequest(new Uint8Array([0xff, 0xfe])), /JSON/)
})

test('a message longer than the bound is neither made nor read', () => {
  assert.throws(() => encodeMessage({ ask: 'status', fence: 'f'.repeat(maxMessageBytes) }), /more than/)
  assert.throws(
    () => decodeRequest(line(`{"ask":"status","fence":"${'f'.repeat(maxMessageBytes)}"}`)),
    /too long/,
  )
})

test.run()
