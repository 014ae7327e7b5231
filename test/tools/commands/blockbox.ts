/** The real program in a process of its own, as a shell runs it, and a folder for what it makes. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../../../tools/blockbox.js', import.meta.url))

export interface Result {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Runs `blockbox ...args` to its end, with `variables` set, as user `uid`. `meddle` is given the process once it runs. */
export async function blockbox(
  args: readonly string[],
  meddle: (child: ChildProcess) => void = () => undefined,
  variables: Readonly<Record<string, string>> = {},
  uid?: number,
): Promise<Result> {
  const { BLOCKBOX_JOURNAL: _, BLOCKBOX_DEBUG: __, ...rest } = process.env
  const env = { ...rest, ...variables }
  const child = spawn(process.execPath, [program, ...args], {
    ...{ env, stdio: ['ignore', 'pipe', 'pipe'] },
    ...(uid !== undefined && { uid }),
  })
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  meddle(child)
  const [code] = await once(child, 'close')
  return { code, out, err }
}

/** Runs it, expects success and gives what it printed as JSON. */
export async function json(...args: readonly string[]): Promise<Record<string, unknown>> {
  const { code, out, err } = await blockbox([...args, '--json'])
  if (code !== 0) throw new Error(`blockbox ${args.join(' ')} ended with ${code}: ${err}`)
  return JSON.parse(out) as Record<string, unknown>
}

/** A folder that is gone when the process ends. */
export function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'blockbox-commands-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** The path of a file of the repository. */
export function ofRepository(...path: readonly string[]): string {
  return join(rootAbove(dirname(fileURLToPath(import.meta.url))), ...path)
}

function rootAbove(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : rootAbove(dirname(folder))
}

/** Flips a bit of the byte `beyond` the first place of `needle` in the journal's database; false when not found. */
export function damage(journal: string, needle: Uint8Array, beyond: number): boolean {
  const folder = join(journal, 'db')
  for (const name of readdirSync(folder).filter((one) => /\.(?:ldb|log)$/.test(one))) {
    const bytes = readFileSync(join(folder, name))
    const at = bytes.indexOf(needle)
    if (at < 0) continue
    bytes[at + beyond]! ^= 0x10
    writeFileSync(join(folder, name), bytes)
    return true
  }
  return false
}
