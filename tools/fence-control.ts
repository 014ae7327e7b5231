/** Commands about one fence: asked in the name of its owner, and what happened to it told, event by event. */

import type { Answer, CommandAsk } from '../src/engine/ask.ts'
import type { Engine } from '../src/engine/engine.ts'
import type { OpenFolder } from '../src/engine/open-folder.ts'
import { contentsOf, type FenceContents } from '../src/inspect/contents.ts'
import type { Frame } from '../src/journal/frame.ts'
import { atRest } from './at-rest.ts'
import { refused } from './control.ts'
import type { ControlOptions } from './control-option.ts'
import { withOldEngine } from './journal-use.ts'
import { escaped, print } from './output.ts'
import { asOwner } from './owner.ts'
import { remark } from './remark.ts'
import { formatSize } from './size.ts'

export interface FenceOptions extends ControlOptions {
  readonly owner: string
}

/** What a fence command works with. */
export interface FenceUse {
  readonly engine: Engine
  readonly open: OpenFolder
  /** The owner's session. */
  readonly session: number
  /** Asks a command as the owner, and waits for all that follows. */
  ask(asked: CommandAsk): Promise<Answer>
}

/** How it ended: the command that was the last, its answer, and more for --json. */
export interface FenceAnswer {
  readonly command: string
  readonly answer: Answer
  readonly told?: Readonly<Record<string, unknown>>
}

/** What the other events of a fence are called here: those that come once for each piece are counted. */
const isAbout = /^(?:fence|op|mover)\./

/** Does something about fence `name` and prints what became of it. */
export async function fenceControl(
  name: string,
  options: FenceOptions,
  act: (use: FenceUse) => Promise<FenceAnswer>,
): Promise<void> {
  await withOldEngine(options, async (engine, open) => {
    const happened = new Happened()
    const session = await asOwner(engine, options.owner)
    const frames = engine.frames$.subscribe({ next: (frame) => happened.note(frame), error: () => undefined })
    const use: FenceUse = {
      engine,
      open,
      session,
      async ask(asked) {
        const answer = await engine.submit({ ...asked, session })
        if (answer.code === 'ok') await atRest(engine)
        return answer
      },
    }
    const { command, answer, told = {} } = await act(use)
    frames.unsubscribe()
    const fence = contentsOf(engine.world).fences.find((one) => one.name === name)
    const { code, seq, made, repeats } = answer
    if (options.json === true) {
      const repeated = repeats === undefined ? {} : { repeats }
      const result = { version: 1, command, code, seq, made, ...repeated, ...told }
      await print(JSON.stringify({ ...result, events: happened.counts(), fence: fence ?? null }))
    } else if (code === 'ok') {
      await print([happened.text(), fenceText(name, fence)].filter((line) => line !== '').join('\n'))
    }
    if (code !== 'ok') refused(command, answer)
    else if (repeats !== undefined) remark(`nothing was done: event ${repeats} had this key and did it`)
  })
}

function fenceText(name: string, fence: FenceContents | undefined): string {
  if (fence === undefined) return escaped(`fence ${name}: down`)
  const { volume, phase, owner, full, advisory, meta_bytes, covered_bytes } = fence
  const scope = `${full ? 'full' : 'partial'}${advisory ? ', advisory' : ''}`
  const sizes = `${formatSize(meta_bytes)} of metadata, ${formatSize(covered_bytes)} of data`
  return escaped(`fence ${name} on ${volume}: ${phase}, ${scope}, owner ${owner}; ${sizes}`)
}

/** The outcomes about fences in the order they first came, and how many of each. */
class Happened {
  readonly #counts = new Map<string, number>()

  note(frame: Frame): void {
    const row = frame.open()
    for (row.index = 0; row.index < frame.count; row.index++) {
      if (row.isInput || !isAbout.test(row.kind)) continue
      this.#counts.set(row.kind, (this.#counts.get(row.kind) ?? 0) + 1)
    }
  }

  counts(): Record<string, number> {
    return Object.fromEntries(this.#counts)
  }

  text(): string {
    return [...this.#counts].map(([kind, count]) => (count === 1 ? kind : `${kind} (${count})`)).join(', ')
  }
}
