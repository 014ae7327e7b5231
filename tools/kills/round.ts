/**
 * A round of kills: a writer is killed (SIGKILL) at some moment, and what it left is held against what it said.
 *
 *     started ─▶ ready ─▶ writing ─▶ killed ─▶ opened: verified, replayed with every check, each block read
 *        └── killed while it opens (some rounds)      a block holds what was acknowledged last, or was sent since
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { checks } from '../../src/check/all.ts'
import { recoverWorld } from '../../src/engine/open-engine.ts'
import { openToRead } from '../../src/engine/open-folder.ts'
import { readContent } from '../../src/images/content.ts'
import { replay } from '../../src/replay/replay.ts'
import { verify } from '../../src/replay/verify.ts'
import { blockBytes, blocks, stampOf } from './stamp.ts'

const writer = fileURLToPath(new URL('writer.js', import.meta.url))

/** What is known of a journal from the lines of its writers. */
export class Told {
  /** By block: the last stamp that was acknowledged, and those sent since. */
  readonly #acknowledged = new Map<number, number>()
  readonly #sent = new Map<number, Set<number>>()
  acknowledged = 0
  lastStamp = 0

  take(line: string): void {
    const [word, ...numbers] = line.split(' ')
    const [first, count, stamp] = numbers.map(Number) as [number, number, number]
    const each = Array.from({ length: word === 's' || word === 'a' ? count : 0 }, (_, k) => first + k)
    if (word === 's') {
      for (const at of each) this.#sent.set(at, (this.#sent.get(at) ?? new Set()).add(stamp))
      this.lastStamp = Math.max(this.lastStamp, stamp)
    } else if (word === 'a') {
      this.acknowledged++
      for (const at of each) this.#acknowledged.set(at, stamp)
    }
  }

  /** What is wrong with block `at` as it was found; what is there now counts as acknowledged. */
  fault(at: number, block: Uint8Array): string | undefined {
    const least = this.#acknowledged.get(at) ?? 0
    const stamp = stampOf(block)
    if (stamp === undefined) return `block ${at} is torn`
    if (stamp < least) return `block ${at} holds ${stamp}, ${least} was acknowledged`
    if (stamp > least && this.#sent.get(at)?.has(stamp) !== true) return `block ${at}: nobody wrote ${stamp}`
    this.#acknowledged.set(at, stamp)
    this.#sent.delete(at)
    return undefined
  }
}

/** Runs a writer on the journal at `path` and kills it so long after it was ready, or after it was started. */
export async function killOne(
  path: string,
  told: Told,
  after: { readonly ms: number; readonly ready: boolean },
): Promise<void> {
  const stdio = ['ignore', 'pipe', 'pipe'] as const
  const child = spawn(process.execPath, [writer, path, String(told.lastStamp + 1)], {
    stdio: [...stdio],
  })
  const closed = once(child, 'close') as Promise<[number | null, string | null]>
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4000)
  })
  const kill = () => setTimeout(() => child.kill('SIGKILL'), after.ms)
  if (!after.ready) kill()
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'ready' && after.ready) kill()
    else told.take(line)
  }
  const [code, signal] = await closed
  if (signal !== 'SIGKILL') throw new Error(`the writer ended by itself with ${code ?? signal}: ${said}`)
}

/** What is wrong with the journal that a killed writer left; empty when nothing is. */
export async function faultsOf(path: string, told: Told): Promise<string[]> {
  if (!existsSync(join(path, 'journal.json'))) {
    return told.acknowledged === 0 ? [] : ['there is no journal, and writes were acknowledged']
  }
  const { journal, payload } = await openToRead(path)
  try {
    const found = [
      ...(await verify(journal, payload)).findings,
      ...(await replay(journal, { checks })).findings,
    ]
    const faults = found.map(({ seq, rule, detail }) => `event ${seq}: ${rule}: ${detail}`)
    const world = await recoverWorld(journal)
    const volume = world.volumes[0]
    if (volume === undefined) {
      return told.acknowledged === 0
        ? faults
        : [...faults, 'the volume is gone, and writes were acknowledged']
    }
    for (let at = 0; at < blocks; at++) {
      const fault = told.fault(at, readContent(world, volume, payload, at * blockBytes, blockBytes))
      if (fault !== undefined) faults.push(fault)
    }
    return faults
  } finally {
    await journal.close()
  }
}
