/** `blockbox completion SHELL`: a script with which a shell completes commands and options, made from the help. */

import { Argument, type Command } from 'commander'
import { print } from '../output.ts'

const shells = ['bash', 'zsh', 'fish'] as const

export function add(program: Command): void {
  program
    .command('completion')
    .description('print a script that completes commands and options')
    .addArgument(new Argument('<shell>', 'the shell it is for').choices(shells))
    .addHelpText('after', '\nExample:\n  source <(blockbox completion bash)\n')
    .action((shell: (typeof shells)[number]) => print(scripts[shell](nodesOf(program))))
}

/** A command with what may follow it. */
interface Node {
  /** The words that lead to it: '' for the program, `/volume/create`. */
  readonly path: string
  readonly commands: readonly Command[]
  /** Long options, with the first line of their help. */
  readonly options: readonly { readonly name: string; readonly text: string }[]
}

function nodesOf(command: Command, path = ''): Node[] {
  const options = command
    .createHelp()
    .visibleOptions(command)
    .flatMap(({ long, description }) => (long == null ? [] : [{ name: long, text: description }]))
  const below = command.commands.flatMap((one) => nodesOf(one, `${path}/${one.name()}`))
  return [{ path, commands: command.commands, options }, ...below]
}

const scripts = {
  bash: (nodes: readonly Node[]) => bash(nodes),
  zsh: (nodes: readonly Node[]) => `autoload -U +X bashcompinit && bashcompinit\n${bash(nodes)}`,
  fish,
}

/** Follows the words that lead to a command, then offers what may follow it, and files where nothing fits. */
function bash(nodes: readonly Node[]): string {
  const paths = nodes.filter(({ path }) => path !== '').map(({ path }) => path)
  const cases = nodes.map(({ path, commands, options }) => {
    const words = [...commands.map((one) => one.name()), ...options.map(({ name }) => name)]
    return `    '${path}') words='${words.join(' ')}' ;;`
  })
  return `_blockbox() {
  local path='' word words=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$path/$word" in
      ${paths.join('|')}) path="$path/$word" ;;
    esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _blockbox blockbox`
}

function fish(nodes: readonly Node[]): string {
  const lines = nodes.flatMap(({ path, commands, options }) => {
    const words = path.split('/').slice(1)
    const seen = words.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ')
    const names = commands.map((one) => one.name()).join(' ')
    const none = names === '' ? '' : `not __fish_seen_subcommand_from ${names}`
    const when = [seen, none].filter((part) => part !== '').join('; and ')
    const begin = `complete -c blockbox -n '${when}'`
    return [
      ...commands.map((one) => `${begin} -f -a ${one.name()} -d ${quoted(one.description())}`),
      ...options.map(({ name, text }) => `${begin} -l ${name.slice(2)} -d ${quoted(text)}`),
    ]
  })
  return lines.join('\n')
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, (char) => `\\${char}`)}'`
}
