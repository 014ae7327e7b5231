/**
 * A process that restores while a host writes, until it is killed. The lines of BLOCKBOX_RESTORE are the journal, the
 * mode (protected or unprotected) and, where the clone lives outside, its raw file. It prints `BLOCK FILL` for each block
 * of a write that was acknowledged.
 */

import { openToWrite } from '../../src/engine/open-folder.ts'

const [folder, mode, path] = (process.env.BLOCKBOX_RESTORE ?? '').split('\n')
const block = 4096
const blocks = 512
const size = blocks * block
const extent = 4 * block

const copier = () => new Promise<'ok'>((resolve) => setTimeout(() => resolve('ok'), 3))
const { engine } = await openToWrite(folder!, { create: true, copier, checkpointEvery: 200 })

async function must(
  kind: 'volume.create' | 'session.open' | 'pair.create' | 'restore.start',
  detail: object,
) {
  const { code } = await engine.submit({ kind, detail: detail as Record<string, number | string | boolean> })
  if (code !== 'ok') throw new Error(`${kind}: ${code}`)
}

function write(volume: number, at: number, count: number, fill: number) {
  const data = new Uint8Array(count * block).fill(fill)
  return engine.submit({ kind: 'io.write', session: 1, volume, offset: at * block, data })
}

await must('volume.create', { name: 'disk', size, block })
await must('volume.create', { name: 'clone', size, block })
await must('session.open', { name: 'host' })
await write(1, 0, blocks, 1)
await write(2, 0, blocks, 2)
const clone = path === undefined ? { clone: 2 } : { clone: 0, path, size }
await must('pair.create', { name: 'p', source: 1, extent, ...clone })
await must('restore.start', { pair: 'p', protected: mode === 'protected' })
process.stdout.write('begun\n')
for (let k = 0; k < 100_000; k++) {
  const at = (k * 37) % blocks
  const count = k % 3 === 0 && at % 4 === 0 ? 4 : 1
  const fill = 3 + (k % 200)
  const { code } = await write(1, at, count, fill)
  for (let n = 0; n < count && code === 'ok'; n++) process.stdout.write(`${at + n} ${fill}\n`)
  await new Promise((resolve) => setTimeout(resolve, 4))
}
