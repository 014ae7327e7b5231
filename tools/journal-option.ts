/** The option that names the journal, the same for every command that has one: `-j DIR`, else BLOCKBOX_JOURNAL. */

import { type Command, Option } from 'commander'
import { BlockboxError } from '../src/core/errors.ts'

/** What a command with the option receives among its options. */
export interface JournalOption {
  readonly journal?: string
  /** True when -j was written on the command line, not taken from the environment. */
  readonly journalGiven?: boolean
}

/** Adds the option to a command. */
export function journalOption(command: Command): Command {
  return command
    .addOption(new Option('-j, --journal <dir>', 'the journal').env('BLOCKBOX_JOURNAL'))
    .hook('preAction', (_, acting) => {
      if (acting.getOptionValueSource('journal') === 'cli') acting.setOptionValue('journalGiven', true)
    })
}

/** Throws USAGE when a source was named as an argument and another one with -j: which is meant cannot be told. */
export function refuseTwo(source: string | undefined, { journal, journalGiven }: JournalOption): void {
  if (source === undefined || source === journal || journalGiven !== true) return
  throw new BlockboxError('USAGE', `${source} or -j ${journal}? Name one of them`)
}

/** The folder named. Throws USAGE when none is. */
export function journalDir({ journal = '' }: JournalOption): string {
  if (journal !== '') return journal
  throw new BlockboxError('USAGE', 'which journal? Name it with -j DIR or in BLOCKBOX_JOURNAL')
}
