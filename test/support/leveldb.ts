/** LevelDB's files of a journal folder, to be damaged by tests, and verdicts from a process that LevelDB may end. */

import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openToWrite } from '../../src/engine/open-folder.ts'
import type { Judged } from '../../tools/sweep/judge.ts'
import type { Whole } from '../../tools/sweep/whole.ts'

export const block = 4096

/** The database's files of one kind that are not empty, in order. */
export function filesOf(path: string, kind: 'log' | 'table' | 'manifest'): string[] {
  const form = { log: /\.log$/, table: /\.(?:ldb|sst)$/, manifest: /^MANIFEST-/ }[kind]
  return readdirSync(join(path, 'db'))
    .filter((name) => form.test(name))
    .map((name) => join(path, 'db', name))
    .filter((file) => statSync(file).size > 0)
    .sort()
}

/** The largest file of a kind. */
export function biggest(path: string, kind: 'log' | 'table' | 'manifest'): string {
  return filesOf(path, kind).sort((a, b) => statSync(b).size - statSync(a).size)[0]!
}

/** Flips a bit of each of `count` bytes; a negative offset counts from the end, as in LevelDB's own tests. */
export function corrupt(file: string, offset: number, count: number): void {
  const bytes = readFileSync(file)
  const from = Math.min(bytes.length - 1, offset < 0 ? Math.max(0, bytes.length + offset) : offset)
  for (let at = from; at < Math.min(bytes.length, from + count); at++) bytes[at]! ^= 0x80
  writeFileSync(file, bytes)
}

/** Fills a new journal: a volume of `writes` blocks and a write of each, the block of write k filled with k + 1. */
export async function fill(path: string, writes: number, checkpointEvery = 1_000_000) {
  const opened = await openToWrite(path, { create: true, checkpointEvery })
  const { engine } = opened
  await engine.submit({ kind: 'volume.create', detail: { name: 'disk', size: writes * block, block } })
  await engine.submit({ kind: 'session.open', detail: { name: 'host' } })
  for (let k = 0; k < writes; k++) await write(engine, 1, k, k + 1)
  return opened
}

/** Writes one block. */
export async function write(
  engine: Awaited<ReturnType<typeof openToWrite>>['engine'],
  session: number,
  at: number,
  value: number,
): Promise<void> {
  const data = new Uint8Array(block).fill(value)
  await engine.submit({ kind: 'io.write', session, volume: 1, offset: at * block, data })
}

const module = (name: string) => JSON.stringify(new URL(`../../${name}.js`, import.meta.url).href)

/** What judge says of each folder, from processes of their own; `aborted` where LevelDB ended the process. */
export function judgeApart(
  paths: readonly string[],
  { frames, events, content }: Whole,
): (Judged | 'aborted')[] {
  const script = (left: readonly string[]) => `
    const { judge } = await import(${module('tools/sweep/judge')})
    const whole = ${JSON.stringify({ frames, events, content })}
    for (const path of ${JSON.stringify(left)}) console.log(JSON.stringify(await judge(path, whole)))`
  const verdicts: (Judged | 'aborted')[] = []
  while (verdicts.length < paths.length) {
    const args = ['--input-type=module', '-e', script(paths.slice(verdicts.length))]
    const { stdout, stderr, signal, status } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    for (const line of stdout.split('\n')) if (line !== '') verdicts.push(JSON.parse(line) as Judged)
    if (signal !== null) verdicts.push('aborted')
    else if (status !== 0) throw new Error(stderr)
  }
  return verdicts
}

/** Has LevelDB compact all of a database, in a process of its own; the signal that ended it, if one did. */
export function compactApart(path: string): string | null {
  const script = `
    const { Level } = await import(${JSON.stringify(import.meta.resolve('level'))})
    const level = new Level(${JSON.stringify(join(path, 'db'))}, { keyEncoding: 'view', valueEncoding: 'view', compression: false })
    await level.open()
    await level.compactRange(new Uint8Array([0]), new Uint8Array([255])).catch((error) => console.log(String(error)))
    await level.close()`
  const { signal, status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  })
  if (status !== 0 && signal === null) throw new Error(stderr)
  return signal
}
