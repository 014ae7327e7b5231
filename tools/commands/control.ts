/** `blockbox control openapi`: what the control API of a server takes and answers. */

import type { Command } from 'commander'
import { openApi } from '../../src/control/openapi.ts'
import { routes } from '../../src/control/routes.ts'
import { print, table } from '../output.ts'

export function add(program: Command): void {
  const control = program.command('control').description('the control API that `blockbox serve` offers')
  control
    .command('openapi')
    .description('print its OpenAPI 3.1 document')
    .option('--json', 'which it is anyway')
    .addHelpText(
      'after',
      '\nExamples:\n  blockbox control openapi > control.json\n' +
        '  curl --unix-socket nightly.journal/control.sock http://control/info\n',
    )
    .action(() => print(JSON.stringify(openApi(routes), undefined, 2)))
  control
    .command('routes')
    .description('list its routes')
    .option('--json', 'as one JSON object')
    .addHelpText('after', '\nExample:\n  blockbox control routes\n')
    .action(async ({ json = false }: { readonly json?: boolean }) => {
      const rows = routes.map(({ method, path, summary }) => ({ method, path, summary }))
      if (json) return print(JSON.stringify({ version: 1, routes: rows }))
      await print(table(rows.map(({ method, path, summary }) => [method, path, summary])))
    })
}
