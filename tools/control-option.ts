/** The options that every control command has, besides the journal: --json and --key. */

import type { Command } from 'commander'
import { BlockboxError } from '../src/core/errors.ts'
import { isKey } from '../src/events/detail.ts'
import { type JournalOption, journalOption } from './journal-option.ts'

/** What a control command receives among its options. */
export interface ControlOptions extends JournalOption {
  readonly json?: boolean
  /** Idempotency key: the same command with the same key is done once. */
  readonly key?: string
}

/** Adds the options to a command. */
export function controlOption(command: Command): Command {
  return journalOption(command)
    .option('--key <key>', 'do this once: asked again with this key, it is answered as the first time', key)
    .option('--json', 'as one JSON object')
}

function key(text: string): string {
  if (isKey(text)) return text
  throw new BlockboxError('USAGE', 'a key is 1 to 128 visible ASCII characters without spaces')
}
