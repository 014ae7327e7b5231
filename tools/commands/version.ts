/** `blockbox version`: what to name in a report of a fault. */

import type { Command } from 'commander'
import { print } from '../output.ts'

export function add(program: Command): void {
  program
    .command('version')
    .description('print the versions of blockbox, Node and the system')
    .option('--json', 'as one JSON object')
    .action(async ({ json = false }: { json?: boolean }) => {
      const versions = {
        blockbox: program.version() ?? '',
        node: process.versions.node,
        system: `${process.platform} ${process.arch}`,
      }
      if (json) await print(JSON.stringify({ version: 1, ...versions }))
      else await print(`blockbox ${versions.blockbox} (Node ${versions.node}, ${versions.system})`)
    })
}
