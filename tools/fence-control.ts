/** Commands about one fence: asked in the name of its owner, and what happened to it told, event by event. */

import { eventRecords, type Wanted } from '../src/control/event-log.ts'
import type { CommandRoute, Done } from '../src/control/route.ts'
import { lists } from '../src/control/state-routes.ts'
import { kindsOf, log } from '../src/control/stream-routes.ts'
import type { Answer } from '../src/engine/ask.ts'
import { isInput } from '../src/events/kind.ts'
import { type Contents, contentsOf, type FenceContents } from '../src/inspect/contents.ts'
import { refused, repeated } from './control.ts'
import { lineRecords } from './control-client.ts'
import type { ControlOptions } from './control-option.ts'
import { interrupt } from './interrupt.ts'
import { type Linked, withControl } from './journal-link.ts'
import { escaped, print } from './output.ts'
import { formatSize } from './size.ts'

export interface FenceOptions extends ControlOptions {
  readonly owner: string
}

/** What a fence command works with. */
export interface FenceUse {
  /** Asks a command as the owner. */
  ask<I>(route: CommandRoute<I>, input: Partial<I>, bytes?: Uint8Array): Promise<Done>
  /** Asks it with the key of the options. */
  once<I>(route: CommandRoute<I>, input: Partial<I>): Promise<Done>
  /** The volumes and fences of the journal. */
  contents(): Promise<Pick<Contents, 'volumes' | 'fences'>>
}

/** How it ended: the last command with its answer, and more for --json. */
export interface FenceAnswer {
  readonly command: string
  readonly answer: Answer
  readonly told?: Readonly<Record<string, unknown>>
}

/** Does something about fence `name` and prints what became of it. */
export async function fenceControl(
  name: string,
  options: FenceOptions,
  act: (use: FenceUse) => Promise<FenceAnswer>,
): Promise<void> {
  await withControl(options, async (linked) => {
    let since = Number.POSITIVE_INFINITY
    const noted = (done: Done) => {
      since = Math.min(since, Number(done.about?.since ?? done.answer.seq))
      return done
    }
    const { owner, key } = options
    const use: FenceUse = {
      ask: async (route, input, bytes) =>
        noted(await linked.link.command(route, { ...input, owner }, bytes && { bytes })),
      once: async (route, input) => noted(await linked.link.command(route, { ...input, owner }, { key })),
      contents: () => contents(linked),
    }
    const { command, answer, told = {} } = await act(use)
    const happened = await happenedTo(name, linked, since)
    const fence = (await contents(linked)).fences.find((one) => one.name === name)
    const { code, seq, made, repeats } = answer
    if (options.json === true) {
      const repeating = repeats === undefined ? {} : { repeats }
      const result = { version: 1, command, code, seq, made, ...repeating, ...told }
      await print(JSON.stringify({ ...result, events: Object.fromEntries(happened), fence: fence ?? null }))
    } else if (code === 'ok') {
      await print([happenedText(happened), fenceText(name, fence)].filter((line) => line !== '').join('\n'))
    }
    if (code !== 'ok') refused(command, answer)
    else repeated(answer)
  })
}

async function contents({ remote, local }: Linked): Promise<Pick<Contents, 'volumes' | 'fences'>> {
  if (local !== undefined) return contentsOf(local.engine.world)
  const { volumes } = await remote.read(lists.volumes, {})
  const { fences } = await remote.read(lists.fences, {})
  return { volumes, fences } as Pick<Contents, 'volumes' | 'fences'>
}

/** The outcomes about a fence in the order they first came, and how many of each. */
async function happenedTo(
  name: string,
  { remote, local }: Linked,
  since: number,
): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  if (!Number.isFinite(since) || since === 0) return counts
  const kind = ['fence', 'op', 'mover']
  const wanted: Wanted = { from: { by: 'seq', number: since }, kinds: kindsOf(kind) }
  const records =
    local === undefined
      ? lineRecords(await remote.stream(log, { from: String(since), kind }))
      : await eventRecords(local.journal, wanted, { signal: interrupt })
  for await (const list of records) {
    for (const record of list) {
      if (isInput(record.kind) || (record.fence !== undefined && record.fence !== name)) continue
      counts.set(record.kind, (counts.get(record.kind) ?? 0) + 1)
    }
  }
  return counts
}

function happenedText(happened: ReadonlyMap<string, number>): string {
  return [...happened].map(([kind, count]) => (count === 1 ? kind : `${kind} (${count})`)).join(', ')
}

function fenceText(name: string, fence: FenceContents | undefined): string {
  if (fence === undefined) return escaped(`fence ${name}: down`)
  const { volume, phase, owner, full, advisory, meta_bytes, covered_bytes } = fence
  const scope = `${full ? 'full' : 'partial'}${advisory ? ', advisory' : ''}`
  const sizes = `${formatSize(meta_bytes)} of metadata, ${formatSize(covered_bytes)} of data`
  return escaped(`fence ${name} on ${volume}: ${phase}, ${scope}, owner ${owner}; ${sizes}`)
}
