/**
 * Copies of volumes over the API: made while hosts go on, watched, cancelled, cut off by the far side and gone on with
 * from the same moment. What is called whole is the image of the moment, byte by byte.
 */

// limit: 120 s

import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ControlledEngine, controlled } from '../support/controlled.ts'
import { serve, until } from '../support/served.ts'

const test = suite('copies')

const mib = 2 ** 20
const size = 48 * mib
const content = randomBytes(size)
content.fill(0, 10 * mib, 12 * mib)
let api: ControlledEngine
let session = 0

test.before(async () => {
  api = await controlled()
  await api.engine.submit({ kind: 'volume.create', detail: { name: 'disk', size, block: 4096 } })
  session = (await api.engine.submit({ kind: 'session.open', detail: { name: 'host' } })).made
  await write(content)
})
test.after(() => api.close())

/** Writes all of the volume. */
async function write(bytes: Uint8Array): Promise<void> {
  for (let offset = 0; offset < size; offset += mib) {
    const data = new Uint8Array(bytes.subarray(offset, offset + mib))
    const at = { session, volume: 1, offset }
    const empty = data.every((byte) => byte === 0)
    await api.engine.submit(
      empty ? { kind: 'io.zeroes', ...at, length: mib } : { kind: 'io.write', ...at, data },
    )
  }
}

/** A way to another socket that is cut when so many bytes went there. */
async function lineTo(path: string, to: string, most: number) {
  let sent = 0
  const line = createServer((near) => {
    const far = connect(to)
    const cut = () => {
      near.destroy()
      far.destroy()
    }
    for (const end of [near, far]) end.on('error', cut).on('close', cut)
    near.on('data', (bytes) => {
      sent += bytes.length
      if (sent > most) cut()
      else if (!far.write(bytes)) near.pause()
    })
    far.on('drain', () => near.resume())
    far.pipe(near)
  })
  await new Promise<void>((resolve) => line.listen(path, resolve))
  return { sent: () => sent, close: () => new Promise((resolve) => line.close(resolve)) }
}

test('a copy that the far side cut off is gone on with: the rest alone, from the same moment, compared at the end', async () => {
  const far = await serve({ size })
  const path = join(api.root, 'line')
  const target = `nbd+unix:///vol?socket=${path}`
  try {
    const first = await lineTo(path, far.socket, 40 * mib)
    const body = { volume: 'disk', target, name: 'night', wait: true }
    const cut = await api.ask('POST /copies', { body })
    await first.close()
    assert.is(cut.status, 500, cut.text)
    assert.match(cut.json.error.code, /^NBD_/)
    const [told] = (await api.ask('GET /copies')).json.copies
    assert.equal([told.state, told.backup, told.copied_bytes < size], ['failed', 'night', true])
    assert.equal((await api.ask('GET /backups')).json.backups, [], 'it holds nobody')

    await write(Buffer.alloc(size, 0xee))
    const second = await lineTo(path, far.socket, Number.POSITIVE_INFINITY)
    const again = await api.ask('POST /copies', { body })
    assert.equal([again.status, again.json.error.code], [400, 'USAGE'])
    assert.match(again.json.error.message, /resume/)
    const before = second.sent()
    const done = await api.ask('POST /copies', { body: { ...body, resume: true } })
    assert.is(done.status, 200, done.text)
    const { copy } = done.json
    assert.equal([copy.state, copy.resumed, copy.verified, copy.seq], ['done', true, true, told.seq])
    const sent = second.sent() - before
    assert.ok(sent > 10 * mib && sent < 34 * mib, `${sent} bytes of ${size} were sent again`)
    await second.close()
    const host = await far.client()
    assert.ok(
      content.equals(
        await host.read(0, 24 * mib).then(async (half) => {
          return Buffer.concat([half, await host.read(24 * mib, 24 * mib)])
        }),
      ),
    )
    assert.is((await api.ask('POST /copies', { body: { ...body, resume: true } })).status, 400, 'it is whole')
  } finally {
    await far.close()
  }
})

test('a copy to a file that was cancelled leaves its part, and is gone on with', async () => {
  const target = join(api.root, 'file')
  await write(content)
  const begun = await api.ask('POST /copies', { body: { volume: 'disk', target } })
  const { copy } = begun.json.copy
  await until(() => existsSync(`${target}.part`), 'it is being written')
  const cancelled = await api.ask(`DELETE /copies/${copy}`)
  if (cancelled.json.state === 'done') return console.log('the copy was faster')
  assert.is(cancelled.json.state, 'cancelled')
  assert.ok(!existsSync(target) && existsSync(`${target}.part`))
  assert.is(readdirSync(join(api.folder, 'copies')).length, 1)
  const resume = { volume: 'disk', target, resume: true, wait: true }
  const done = await api.ask('POST /copies', { body: resume })
  assert.is(done.status, 200, done.text)
  assert.ok(readFileSync(target).equals(content))
  assert.equal(readdirSync(join(api.folder, 'copies')), [])
})

test('a target that lost what it had is not believed', async () => {
  const target = join(api.root, 'lossy')
  const far = await serve({ size })
  const path = join(api.root, 'line2')
  const uri = `nbd+unix:///vol?socket=${path}`
  try {
    const first = await lineTo(path, far.socket, 40 * mib)
    const body = { volume: 'disk', target: uri, wait: true }
    assert.is((await api.ask('POST /copies', { body })).status, 500)
    await first.close()
    const host = await far.client()
    await host.write(5 * mib, new Uint8Array(100))
    const second = await lineTo(path, far.socket, Number.POSITIVE_INFINITY)
    const { status, json } = await api.ask('POST /copies', { body: { ...body, resume: true } })
    assert.equal([status, json.error.code], [500, 'COPY_DIFFERS'])
    assert.match(json.error.message, /something else in bytes 5242880 to 6291456/)
    const fresh = await api.ask('POST /copies', { body: { ...body, force: true, verify: true } })
    assert.equal([fresh.status, fresh.json.copy.verified], [200, true])
    await second.close()
  } finally {
    await far.close()
  }
  writeFileSync(target, 'x')
  const refused = await api.ask('POST /copies', { body: { volume: 'disk', target } })
  assert.equal([refused.status, readFileSync(target, 'utf8')], [400, 'x'])
})

test('who watches is told how far it is, and when it has ended', async () => {
  const target = join(api.root, 'watched')
  const { json } = await api.ask('POST /copies', { body: { volume: 'disk', target, digest: true } })
  const { text, headers } = await api.ask(`GET /copies/${json.copy.copy}/progress`)
  assert.match(headers['content-type'] ?? '', /^text\/event-stream/)
  const events = text.trimEnd().split('\n\n')
  assert.match(events.at(-1)!, /^event: end\ndata: /)
  const last = JSON.parse(events.at(-1)!.split('data: ')[1]!)
  assert.equal([last.state, last.copied_bytes, last.verified], ['done', size, false])
  assert.match(last.sha256, /^[0-9a-f]{64}$/)
  assert.ok(readFileSync(target).equals(content))
})

test('a copy whose reader hangs up is cut off; so is every copy when the server stops', async () => {
  const target = join(api.root, 'left')
  const body = { volume: 'disk', target, wait: true, verify: true }
  const asking = api.open('POST /copies', { body })
  await until(() => existsSync(`${target}.part`), 'it is being written')
  await api.server.close()
  const ended = await asking.then(
    (response) => response.statusCode,
    () => 0,
  )
  assert.is.not(ended, 200)
  assert.ok(!existsSync(target))
})

test.run()
