/** `blockbox preserve create|drop|merge|ls`: views of a volume that keep their own writes to themselves. */

import type { Command } from 'commander'
import { createView, dropView, mergeView } from '../../src/control/volume-routes.ts'
import { control } from '../control.ts'
import { type ControlOptions, controlOption } from '../control-option.ts'
import { addList } from '../list-command.ts'
import { parseSize } from '../size.ts'

interface CreateOptions extends ControlOptions {
  readonly maxBytes?: number
}

const verbs = {
  drop: 'give the view up, and what was written to it',
  merge: 'make what was written to the view the content of its base',
} as const

export function add(program: Command): void {
  const preserve = program.command('preserve').description('make, drop and merge views of a volume')
  controlOption(preserve.command('create'))
    .description('make a view: it shows the volume, and keeps its own writes to itself')
    .argument('<volume>', 'the volume it is a view of')
    .argument('<view>', 'what the view is to be called')
    .option(
      '--max-bytes <size>',
      'how much of its own it may keep; writes beyond are refused E_NOSPC',
      parseSize,
    )
    .addHelpText('after', '\nExample:\n  blockbox preserve create vol trial --max-bytes 1G -j DIR\n')
    .action((volume: string, view: string, options: CreateOptions) =>
      control(
        options,
        createView,
        { base: volume, name: view, ...(options.maxBytes !== undefined && { max_bytes: options.maxBytes }) },
        () => `view ${view} of volume ${volume}`,
      ),
    )
  for (const verb of ['drop', 'merge'] as const) {
    controlOption(preserve.command(verb))
      .description(verbs[verb])
      .argument('<view>', 'the name of the view')
      .addHelpText('after', `\nExample:\n  blockbox preserve ${verb} trial -j DIR\n`)
      .action((view: string, options: ControlOptions) =>
        control(
          options,
          verb === 'drop' ? dropView : mergeView,
          { view },
          () => `view ${view}: ${verb === 'drop' ? 'dropped' : 'merged into its base'}`,
        ),
      )
  }
  addList(preserve, 'views', 'list the views')
}
