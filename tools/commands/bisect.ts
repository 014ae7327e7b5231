/**
 * `blockbox bisect`: the first event after which a command of the user fails on the content of a volume.
 *
 *     events that change the content ─▶ the good end is good, the bad end is bad ─▶ image, command, halve ─▶ the event
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { Command } from 'commander'
import { BlockboxError } from '../../src/core/errors.ts'
import type { OpenFolder } from '../../src/engine/open-folder.ts'
import { imagePieces } from '../../src/images/export.ts'
import { writeImageFile } from '../../src/images/image-file.ts'
import { eventText } from '../../src/inspect/event-record.ts'
import { worldAt } from '../../src/replay/at.ts'
import { bisect, type Trial } from '../../src/replay/bisect.ts'
import { contentChanges, madeAt } from '../../src/replay/content-changes.ts'
import { type Point, parsePoint, seqOf } from '../../src/replay/point.ts'
import { volumeNamed } from '../../src/replay/volume-at.ts'
import { imageOf } from '../../src/volume/content.ts'
import { eventAt } from '../event-at.ts'
import { interrupt } from '../interrupt.ts'
import { type JournalOption, journalDir, journalOption } from '../journal-option.ts'
import { wholeNumber } from '../number.ts'
import { escaped, print } from '../output.ts'
import { remarkOutside } from '../outside-time.ts'
import { withSource } from '../recording-use.ts'
import { runTrial } from '../trial.ts'

interface BisectOptions extends JournalOption {
  readonly volume: string
  readonly good?: Point
  readonly bad?: Point
  readonly timeout: number
  readonly json?: boolean
}

/** One trial as it is printed. */
interface Step {
  readonly seq: number
  readonly says: Trial
  readonly how: string
  readonly seconds: number
}

export function add(program: Command): void {
  journalOption(program.command('bisect'))
    .description('find the first event after which a command fails on the content of a volume')
    .argument('<command...>', 'after --: run on an image in place of {}, or given as its last argument')
    .requiredOption('--volume <name>', 'the volume')
    .option(
      '--good <point>',
      'where it is known to be good; where the volume was made when left out',
      parsePoint,
    )
    .option('--bad <point>', 'where it is known to be bad; the last event when left out', parsePoint)
    .option(
      '--timeout <seconds>',
      'a command that takes longer is ended, and counts as failed',
      wholeNumber(1, 86_400),
      300,
    )
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nExamples:\n  blockbox bisect -j prod.journal --volume disk0 --good mark:formatted -- e2fsck -fn {}\n' +
        "  blockbox bisect -j prod.journal --volume disk0 -- sh -c 'cmp -n 512 golden.img {}'\n" +
        '  blockbox bisect -j prod.trace.jsonl.gz --volume disk0 -- e2fsck -fn {}\n' +
        '\n-j names a journal, or a recording that holds its payloads. The command exits with 0: good, 1 to 127: bad,\n' +
        '125: cannot tell. BLOCKBOX_IMAGE and BLOCKBOX_SEQ name the image and its event. The image is the command’s\n' +
        'own: it may write to it. While it runs the journal is in use.\n',
    )
    .action(act)
}

async function act(command: readonly string[], options: BisectOptions): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'blockbox-bisect-'))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  process.once('exit', remove)
  try {
    const bisect = (open: OpenFolder) => new Bisection(open, options, command, join(folder, 'image')).run()
    await withSource(journalDir(options), options, true, bisect)
  } finally {
    remove()
    process.off('exit', remove)
  }
}

class Bisection {
  readonly #open: OpenFolder
  readonly #options: BisectOptions
  readonly #command: readonly string[]
  readonly #image: string
  readonly #steps: Step[] = []
  #said = ''
  #builds = 0

  constructor(open: OpenFolder, options: BisectOptions, command: readonly string[], image: string) {
    this.#open = open
    this.#options = options
    this.#command = command
    this.#image = image
  }

  async run(): Promise<void> {
    const { journal } = this.#open
    const { volume: name, good, bad, json = false } = this.#options
    const { last } = journal.bounds()
    const { id } = volumeNamed(await worldAt(journal, last, interrupt), name)
    await remarkOutside(journal, good, bad)
    const low =
      good === undefined ? await madeAt(journal, id, interrupt) : await seqOf(journal, good, id, interrupt)
    const high = bad === undefined ? last : await seqOf(journal, bad, id, interrupt)
    const changes = await contentChanges(journal, id, low, high, interrupt)
    const points = [low, ...changes]
    if (!json)
      await print(
        escaped(
          `volume ${name}: its content changes ${changes.length} times between event ${low} and event ${high}`,
        ),
      )
    if (changes.length === 0 || low >= high) {
      const message = `the content of ${name} does not change between event ${low} and event ${high}: choose other points with --good and --bad`
      throw new BlockboxError('USAGE', message)
    }
    const trial = (index: number) => this.#trial(id, points[index]!)
    await this.#expect('good', low, await trial(0))
    await this.#expect('bad', points.at(-1)!, await trial(changes.length))
    const { firstBad, lastGood } = await bisect(0, changes.length, trial)
    await this.#report(points[lastGood]!, points[firstBad]!, firstBad - lastGood - 1, changes.length)
  }

  /** The end that is said to be good or bad must be that. */
  async #expect(says: 'good' | 'bad', seq: number, found: Trial): Promise<void> {
    if (found === says) return
    const how = this.#steps.at(-1)!.how
    const point = `the content after event ${seq}, which should be ${says}`
    const message = `${point}, is ${found === 'skip' ? 'one the command cannot tell' : found} (${how}): name another point with --${says}`
    throw new BlockboxError(
      'USAGE',
      this.#said === '' ? message : `${message}. The command said: ${lastLines(this.#said).join('; ')}`,
    )
  }

  /** Makes the image at an event and runs the command on it. Where the content is not known, nothing can be told. */
  async #trial(id: number, seq: number): Promise<Trial> {
    const started = performance.now()
    const built = await this.#build(id, seq)
    const timeoutMs = this.#options.timeout * 1000
    const ask = { command: this.#command, image: this.#image, seq, timeoutMs, signal: interrupt }
    const { says, how, said } = built
      ? await runTrial(ask)
      : { says: 'skip' as const, how: 'content not known', said: '' }
    const step = { seq, says, how, seconds: (performance.now() - started) / 1000 }
    this.#steps.push(step)
    if (says === 'bad' || this.#steps.length === 1) this.#said = said
    if (this.#options.json !== true) await print(stepText(step))
    return says
  }

  /** False where what is shown had not been copied from a clone outside. */
  async #build(id: number, seq: number): Promise<boolean> {
    const { journal, payload } = this.#open
    const world = await worldAt(journal, seq, interrupt)
    const found = world.volumes[id - 1]
    if (found === undefined || found.gone === true) {
      throw new BlockboxError(
        'NO_SUCH_POINT',
        `volume ${this.#options.volume} is not there after event ${seq}`,
      )
    }
    let volume: typeof found
    try {
      volume = imageOf(world, found)
    } catch (error) {
      if (error instanceof BlockboxError && error.code === 'NO_SUCH_POINT') return false
      throw error
    }
    const file = { path: this.#image, size: volume.size, force: true }
    await writeImageFile(file, imagePieces(volume, payload), async () => {
      await setImmediate()
      interrupt.throwIfAborted()
    })
    this.#builds++
    return true
  }

  async #report(lastGood: number, firstBad: number, skipped: number, changes: number): Promise<void> {
    const { journal } = this.#open
    const culprit = await eventAt(journal, firstBad, interrupt)
    const { about } = culprit.record
    const asked = about === undefined ? undefined : await eventAt(journal, about, interrupt)
    const host = culprit.host ?? asked?.host
    const { volume, json = false } = this.#options
    if (json) {
      const found = { first_bad: culprit.record, asked: asked?.record ?? null, host: host ?? null }
      const counted = { last_good: lastGood, skipped_between: skipped, changes, images_built: this.#builds }
      const said = this.#said
      await print(
        JSON.stringify({ version: 1, volume, ...found, ...counted, command_said: said, steps: this.#steps }),
      )
      return
    }
    const lines = [
      `the first bad event is ${firstBad}; after event ${lastGood} the content was good`,
      eventText(culprit.record),
      ...(asked === undefined ? [] : [`asked for by`, eventText(asked.record)]),
      ...(host === undefined ? [] : [`host ${host}, session ${culprit.record.session}`]),
      ...(skipped === 0
        ? []
        : [`${skipped} changes between the two could not be told: it may be one of them`]),
      ...(this.#said === ''
        ? []
        : ['the command said at last:', ...lastLines(this.#said).map((line) => `  ${line}`)]),
      `${this.#builds} images were built for ${changes} changes`,
    ]
    await print(lines.map(escaped).join('\n'))
  }
}

/** The last few lines of what a command said. */
function lastLines(said: string): string[] {
  return said
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-5)
}

function stepText({ seq, says, how, seconds }: Step): string {
  return escaped(`  event ${String(seq).padStart(9)}  ${says.padEnd(4)}  ${how}, ${seconds.toFixed(2)} s`)
}
