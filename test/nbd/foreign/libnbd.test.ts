/** libnbd's programs: nbdinfo sees all there is to see, nbdcopy copies both ways, over TLS too. */

// needs: program nbdinfo
// needs: program nbdcopy
// needs: program openssl
// limit: 120 s

import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { exportUri } from '../../../src/nbd/server/address.ts'
import { readCredentials } from '../../../src/nbd/server/credentials.ts'
import { NbdServer } from '../../../src/nbd/server/server.ts'
import { makeCertificates } from '../../support/certificates.ts'
import { run, runs } from '../../support/foreign.ts'
import { type Served, withServer } from '../../support/served.ts'

const test = suite('libnbd')

const size = 8 * 2 ** 20

const uriOf = ({ socket }: Served, name = 'vol') => exportUri({ socket }, name, false)

test('nbdinfo tells size, flags and block sizes, and lists volumes and marks', () =>
  withServer({ size }, async (served) => {
    await served.engine.submit({ kind: 'mark', volume: 1, detail: { label: 'm' } })
    const [vol, marked] = JSON.parse(await runs('nbdinfo', '--list', '--json', uriOf(served, ''))).exports
    assert.is(vol['export-name'], 'vol')
    assert.is(vol['export-size'], size)
    assert.is(vol.can_multi_conn && vol.can_fua && vol.can_fast_zero && vol.can_df && vol.can_cache, true)
    assert.is(vol.block_size_minimum, 1)
    assert.equal(vol.contexts, ['base:allocation'])
    assert.is(marked['export-name'], 'vol@mark:m')
    assert.is(marked.is_read_only, true)
    assert.match((await run('nbdinfo', [uriOf(served, 'nobody')])).err, 'No such file or directory')
  }))

test('nbdcopy writes and reads, in either acknowledgement, and its map is that of the volume', async () => {
  for (const ack of ['durable', 'buffered'] as const) {
    await withServer({ size, ack }, async (served) => {
      const [from, to] = [join(served.folder, 'from'), join(served.folder, 'to')]
      const content = Buffer.alloc(size)
      randomBytes(2 ** 20).copy(content, 3 * 2 ** 20 + 512)
      writeFileSync(from, content)
      await runs('nbdcopy', '--flush', '--requests=16', from, uriOf(served))
      await runs('nbdcopy', uriOf(served), to)
      assert.ok(readFileSync(to).equals(content))
      const map = JSON.parse(await runs('nbdinfo', '--map', '--json', uriOf(served)))
      const data = map.filter((one: { type: number }) => one.type === 0)
      const mapped = data.reduce((sum: number, one: { length: number }) => sum + one.length, 0)
      assert.ok(mapped >= 2 ** 20 && mapped < 2 * 2 ** 20, `${mapped} bytes are mapped`)
      assert.match(await runs('nbdinfo', '--map', '--totals', uriOf(served)), /hole,zero/)
      await runs('nbdcopy', '--destination-is-zero', '--allocated', from, uriOf(served))
    })
  }
})

test('a view of the past is copied while the volume is overwritten', () =>
  withServer({ size }, async (served) => {
    const disk = await served.client()
    await disk.write(0, new Uint8Array(2 ** 20).fill(1))
    const then = served.journal.bounds().last
    const to = join(served.folder, 'to')
    const [, ...writes] = await Promise.all([
      runs('nbdcopy', uriOf(served, `vol@seq:${then}`), to),
      ...Array.from({ length: 200 }, (_, k) => disk.write(k * 4096, new Uint8Array(4096).fill(2))),
    ])
    assert.is(writes.length, 200)
    const was = readFileSync(to)
    assert.ok(was.subarray(0, 2 ** 20).every((byte) => byte === 1))
    assert.ok(was.subarray(2 ** 20).every((byte) => byte === 0))
  }))

test('over TLS on a port, with certificates and not without', () =>
  withServer({ size }, async ({ folder, engine, journal, payload }) => {
    makeCertificates(folder)
    const { VolumeCatalog } = await import('../../../src/nbd/server/catalog.ts')
    const catalog = new VolumeCatalog({ engine, journal, payload })
    const server = new NbdServer({ catalog, credentials: await readCredentials(folder) })
    const address = await server.listen({ port: 0, host: '127.0.0.1' })
    try {
      const uri = exportUri(address, 'vol', true)
      assert.match(await runs('nbdinfo', `${uri}?tls-certificates=${folder}`), 'with TLS')
      const stranger = `${uri}?tls-certificates=${join(folder, 'stranger')}`
      assert.is.not((await run('nbdinfo', [stranger])).code, 0)
      assert.is.not((await run('nbdinfo', [exportUri(address, 'vol', false)])).code, 0)
    } finally {
      await server.close()
      catalog.close()
    }
  }))

test.run()
