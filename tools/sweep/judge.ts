/**
 * What becomes of a damaged journal folder, held against what was whole: as `verify` looks at it, with a scrub, or as it
 * is read by everything else.
 *
 *     scrubbed ─▶ opened ─▶ read, frame by frame, and the content of its volumes ─▶ verified
 *        │           └─ refused, with the first bad event                │             └─ findings
 *        └─ a file's checksum                                            └─ not as recorded, and no error: SILENT
 */

import { hex } from '../../src/core/digest.ts'
import { BlockboxError } from '../../src/core/errors.ts'
import { type OpenFolder, openToRead } from '../../src/engine/open-folder.ts'
import { type StoreFault, scrub } from '../../src/journal/scrub.ts'
import { salvage } from '../../src/replay/salvage.ts'
import { survey } from '../../src/replay/survey.ts'
import { verify } from '../../src/replay/verify.ts'
import { contentOf, type Whole } from './whole.ts'

/**
 * `open` and `verify`: said, with the first bad event. `store`: said of a database file; history and content are whole.
 * `identity`: refused because the folder no longer says that it is a journal. `harmless`: nothing said, and every
 * frame, the content and the head are the recorded ones. `silent`: something else, and nothing said.
 */
export const verdicts = ['open', 'verify', 'store', 'identity', 'harmless', 'silent'] as const

export interface Judged {
  readonly verdict: (typeof verdicts)[number]
  readonly code?: string
  /** The first event that cannot be trusted. */
  readonly seq?: number
  readonly why?: string
  /** True when a scrub found damage in the database's files: LevelDB did not open them. */
  readonly isScrubbed?: boolean
}

const damageCodes = new Set(['JOURNAL_LOST_TAIL', 'JOURNAL_GAP', 'JOURNAL_CORRUPT', 'PAYLOAD_CORRUPT'])
const identityCodes = new Set(['JOURNAL_FOREIGN', 'JOURNAL_VERSION', 'JOURNAL_MISSING'])

/**
 * Judges the folder, which LevelDB changes when it opens it: where a scrub found nothing, or without one.
 * Throws what is no answer to damage.
 */
export async function judge(path: string, whole: Whole, { scrubs = true } = {}): Promise<Judged> {
  let fault: StoreFault | undefined
  const onFound = async (folder: string) => {
    const faults = await scrub(folder)
    fault = faults[0]
    return faults
  }
  let judged = await judgeOpened(() => openToRead(path, scrubs ? { onFound } : {}), whole)
  if (scrubs && judged.verdict === 'open') judged = await surveyed(path, judged, whole)
  if (fault === undefined) return judged
  const verdict =
    judged.verdict === 'harmless' ? ({ verdict: 'store', code: 'STORE_CORRUPT' } as const) : judged
  return { ...verdict, isScrubbed: true }
}

/** Where a journal does not open, `verify` looks how much of it verifies all the same. */
async function surveyed(path: string, judged: Judged, whole: Whole): Promise<Judged> {
  const found = await survey(path).catch(() => undefined)
  const { fault } = found ?? {}
  await found?.store.close()
  if (fault === undefined || fault.seq >= judged.seq!) return judged
  return checked('open', fault.rule, fault.seq, whole)
}

async function judgeOpened(open: () => Promise<OpenFolder>, whole: Whole): Promise<Judged> {
  let opened: OpenFolder
  try {
    opened = await open()
  } catch (error) {
    return refusal(error, whole)
  }
  try {
    const wrong = await differing(opened, whole)
    const { findings, events, head } = await verify(opened.journal, opened.payload)
    const isWhole = events === whole.events && head.hash === whole.frames.at(-1)!.hash
    if (wrong !== undefined) return { verdict: 'silent', why: wrong }
    const said = findings.find(({ rule }) => damageCodes.has(rule))
    if (said !== undefined) return checked('verify', said.rule, said.seq, whole)
    if (!isWhole) return { verdict: 'silent', why: `${events} of ${whole.events} events, and no finding` }
    const beside = findings[0]?.rule
    return beside === undefined ? { verdict: 'harmless' } : { verdict: 'store', code: beside }
  } finally {
    await opened.journal.close()
  }
}

/** What is returned without an error and is not as recorded; undefined when there is no such thing. */
async function differing(opened: OpenFolder, whole: Whole): Promise<string | undefined> {
  const { journal } = opened
  let seen = 0
  try {
    for await (const { first, hash } of journal.read(journal.bounds().first)) {
      const recorded = whole.frames[seen++]
      if (recorded?.first !== first || recorded.hash !== hex(hash))
        return `the frame of event ${first} is another`
    }
  } catch (error) {
    if (!isSaid(error)) throw error
  }
  try {
    if ((await contentOf(opened)) !== whole.content) return 'the content is another'
  } catch (error) {
    const isSaidSomehow = error instanceof BlockboxError && damageCodes.has(error.code)
    if (!isSaidSomehow) throw error
  }
  return undefined
}

function isSaid(error: unknown): error is BlockboxError & { readonly seq: number } {
  return error instanceof BlockboxError && error.seq !== undefined && damageCodes.has(error.code)
}

function refusal(error: unknown, whole: Whole): Judged {
  if (isSaid(error)) return checked('open', error.code, error.seq, whole)
  if (error instanceof BlockboxError && identityCodes.has(error.code)) {
    return { verdict: 'identity', code: error.code }
  }
  throw error
}

function checked(verdict: 'open' | 'verify', code: string, seq: number, whole: Whole): Judged {
  if (seq >= 1 && seq <= whole.events + 1) return { verdict, code, seq }
  return { verdict: 'silent', why: `${code} names event ${seq} of ${whole.events}` }
}

/**
 * Salvages the damaged folder to `to` and says what is wrong with what it kept: it has to be the beginning of what was
 * whole, all in front of the event that `judged` names, and sound. Undefined when nothing is.
 */
export async function salvageFault(
  path: string,
  to: string,
  whole: Whole,
  judged: Judged,
): Promise<string | undefined> {
  const { last } = await salvage(path, to)
  const inFront = judged.seq === undefined ? whole.events : judged.seq - 1
  if (last < inFront) return `salvage kept ${last} events, ${inFront} lie in front of the damage`
  const { journal, payload } = await openToRead(to)
  try {
    let k = 0
    for await (const { first, hash } of journal.read(1)) {
      const recorded = whole.frames[k++]
      if (recorded?.first !== first || recorded.hash !== hex(hash)) return `salvage altered event ${first}`
    }
    const [finding] = (await verify(journal, payload)).findings
    return finding === undefined ? undefined : `what salvage made is damaged: ${finding.detail}`
  } finally {
    await journal.close()
  }
}
