/**
 * A full disk: a small file system of memory in a name space of its own, and a limit on the size of files. Appends are
 * refused, nothing that was acknowledged is lost, the journal can be read while the disk is still full, because the
 * reserve makes room for opening it; and when there is room again, writes go on.
 */

// needs: program unshare
// needs: program mount

import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { mayMount } from '../support/ability.ts'
import { temporaryFolder } from '../support/folder.ts'

const test = suite('full disk')
const folder = temporaryFolder()

const module = (name: string) => JSON.stringify(new URL(`../../src/${name}.js`, import.meta.url).href)

/** What every program below begins with: asking until there is no room, reading all back, filling what is left. */
function program(path: string, body: string): string {
  return `
    import { writeSync, openSync, closeSync, rmSync, existsSync, statSync } from 'node:fs'
    const { openToRead, openToWrite } = await import(${module('engine/open-folder')})
    const { verify } = await import(${module('replay/verify')})
    const { replay } = await import(${module('replay/replay')})
    const { worldAt } = await import(${module('replay/at')})
    const { readContent } = await import(${module('images/content')})
    const path = ${JSON.stringify(path)}
    const filler = ${JSON.stringify(`${path}-filler`)}
    const say = (line) => console.log(JSON.stringify(line))
    const size = 32768
    const codeOf = (error) => error.code ?? String(error)
    const writeUntilFull = async (engine, session, from, most) => {
      for (let k = from; k < most; k++) {
        try {
          const data = new Uint8Array(size).fill(1 + (k % 250))
          await engine.submit({ kind: 'io.write', session, volume: 1, offset: k * size, data })
        } catch (error) {
          return { acked: k, code: codeOf(error) }
        }
      }
      return { acked: most, code: 'ok' }
    }
    const fill = () => {
      const file = openSync(filler, 'a')
      const page = new Uint8Array(4096)
      try { for (;;) if (writeSync(file, page) < 4096) break } catch (error) { if (error.code !== 'ENOSPC') throw error }
      closeSync(file)
    }
    const look = async (acked) => {
      const { journal, payload } = await openToRead(path)
      const { findings } = await verify(journal, payload)
      const world = await worldAt(journal, journal.bounds().last)
      let right = 0
      for (let k = 0; k < acked; k++) {
        const bytes = readContent(world, world.volumes[0], payload, k * size, size)
        if (bytes.every((byte) => byte === 1 + (k % 250))) right++
      }
      const rules = (await replay(journal)).findings
      await journal.close()
      return { findings: findings.length + rules.length, right }
    }
    const begin = async () => {
      const { engine } = await openToWrite(path, { create: true })
      await engine.submit({ kind: 'volume.create', detail: { name: 'disk', size: 1024 * size, block: 4096 } })
      await engine.submit({ kind: 'session.open', detail: { name: 'host' } })
      return engine
    }
    ${body}`
}

/** What goes in front of a command that may mount. */
const apart = ['unshare', '-rm']

/** The lines that a program said; the shell does something first. */
function run(first: string, script: string, prefix: readonly string[] = []): Record<string, unknown>[] {
  const command = `${first} && exec "$0" --input-type=module -e "$1"`
  const [name, ...args] = [...prefix, 'sh', '-c', command, process.execPath, script]
  const { stdout, stderr, status } = spawnSync(name!, args, { encoding: 'utf8', timeout: 60_000 })
  assert.is(status, 0, `${stderr}${stdout}`)
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

test('a file system without room: refused, nothing lost, readable, and on again when there is room', () => {
  if (!mayMount()) return
  const mount = folder.fresh('mount')
  mkdirSync(mount)
  const body = `
    const engine = await begin()
    const full = await writeUntilFull(engine, 1, 0, 1024)
    say(full)
    await engine.close().catch((error) => say({ close: codeOf(error) }))
    fill()
    say(await look(full.acked))
    fill()
    say(await look(full.acked))
    const late = await openToWrite(path).then(
      async ({ engine }) => { await engine.close().catch(() => undefined); return 'ok' },
      codeOf,
    )
    say({ late })
    say(await look(full.acked))
    rmSync(filler)
    const again = await openToWrite(path)
    const { made } = await again.engine.submit({ kind: 'session.open', detail: { name: 'host' } })
    say(await writeUntilFull(again.engine, made, full.acked, full.acked + 3))
    await again.engine.close()
    say(await look(full.acked + 3))`
  const said = run(`mount -t tmpfs -o size=14m none ${mount}`, program(`${mount}/run.journal`, body), apart)
  const full = said.shift()! as { acked: number; code: string }
  assert.is(full.code, 'JOURNAL_FULL')
  assert.ok(full.acked > 30, `${full.acked} writes were acknowledged`)
  const whole = { findings: 0, right: full.acked }
  assert.equal(said.slice(0, 2), [whole, whole])
  assert.ok(['ok', 'JOURNAL_FULL'].includes(said[2]!.late as string), String(said[2]!.late))
  assert.equal(said.slice(3), [
    whole,
    { acked: full.acked + 3, code: 'ok' },
    { findings: 0, right: full.acked + 3 },
  ])
})

test('files that may not grow: refused, nothing lost, and on again without the limit', () => {
  const path = folder.fresh()
  const limited = program(
    path,
    `
    const engine = await begin()
    say(await writeUntilFull(engine, 1, 0, 1024))
    await engine.close().catch((error) => say({ close: codeOf(error) }))`,
  )
  const [full] = run('ulimit -f 4096', limited) as { acked: number; code: string }[]
  assert.is(full!.code, 'JOURNAL_FULL')
  assert.ok(full!.acked > 30, `${full!.acked} writes were acknowledged`)
  const free = program(
    path,
    `
    say(await look(${full!.acked}))
    const again = await openToWrite(path)
    const { made } = await again.engine.submit({ kind: 'session.open', detail: { name: 'host' } })
    say(await writeUntilFull(again.engine, made, ${full!.acked}, ${full!.acked + 3}))
    await again.engine.close()
    say(await look(${full!.acked + 3}))`,
  )
  assert.equal(run('true', free), [
    { findings: 0, right: full!.acked },
    { acked: full!.acked + 3, code: 'ok' },
    { findings: 0, right: full!.acked + 3 },
  ])
})

test.after(folder.remove)
test.run()
