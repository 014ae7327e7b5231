/**
 * What a command looks at: the journal that -j names, or a journal folder or recording given as an argument. The
 * command need not know which.
 */

import { stat } from 'node:fs/promises'
import type { OpenFolder } from '../src/engine/open-folder.ts'
import { openRecordedJournal } from '../src/recording/recorded-journal.ts'
import type { RemoteControl } from './control-client.ts'
import { interrupt } from './interrupt.ts'
import { withReading } from './journal-link.ts'
import { type JournalOption, refuseTwo } from './journal-option.ts'
import { withJournal } from './journal-use.ts'
import { remark } from './remark.ts'

/**
 * Opens what is named to look at it. @param payload whether payloads will be read; @param path the argument, which
 * goes before the option. A recording that is damaged is refused as a journal would be, with the first bad event.
 */
export async function withSource<T>(
  path: string | undefined,
  options: JournalOption,
  payload: boolean,
  use: (open: OpenFolder) => Promise<T>,
  look: Parameters<typeof withJournal>[2] = {},
): Promise<T> {
  refuseTwo(path, options)
  if (path === undefined) return withJournal(options, use, look)
  if (await isFolder(path)) return withJournal({ journal: path }, use, look)
  return withRecording(path, payload, use)
}

/** The same; a journal that another process has open and serves is read through it. */
export async function withSourceOrServer<T>(
  path: string | undefined,
  options: JournalOption,
  payload: boolean,
  use: (open: OpenFolder) => Promise<T>,
  remote: (remote: RemoteControl) => Promise<T>,
): Promise<T> {
  refuseTwo(path, options)
  if (path === undefined) return withReading(options, use, remote)
  if (await isFolder(path)) return withReading({ journal: path }, use, remote)
  return withRecording(path, payload, use)
}

function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
}

async function withRecording<T>(
  path: string,
  payload: boolean,
  use: (open: OpenFolder) => Promise<T>,
): Promise<T> {
  const open = await openRecordedJournal(path, { payload, signal: interrupt })
  const { header } = open
  if (header.first > 1) remark(`${path} begins with event ${header.first}, from the state recorded before it`)
  if (header.redacted === 'names')
    remark(`${path} was redacted: chain and state hashes are those of the new names`)
  return use(open)
}
