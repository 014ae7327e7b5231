/**
 * Every command of the program that has a journal, and how it reaches one that another process has open: by the routes
 * named here, which exist, or not at all, for the reason given. A command that is in neither list fails this test.
 */

import { readdirSync } from 'node:fs'
import { Command } from 'commander'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { routes } from '../../src/control/routes.ts'
import type { AddCommand } from '../../tools/program.ts'

const test = suite('commands and routes')

/** The routes that each command takes, as the table of routes has them. */
const reached: Readonly<Record<string, readonly string[]>> = {
  info: ['GET /info'],
  head: ['GET /info'],
  log: ['GET /log'],
  image: ['GET /image'],
  'volume create': ['POST /volumes', 'POST /volumes/from'],
  'volume rm': ['DELETE /volumes/{volume}'],
  'volume resize': ['POST /volumes/{volume}/resize'],
  'volume ls': ['GET /volumes'],
  branch: ['POST /branches'],
  'device create': ['POST /devices'],
  'device ls': ['GET /devices'],
  'clone create': ['POST /clones'],
  'clone sync': ['POST /clones/{pair}/sync'],
  'clone fracture': ['POST /clones/{pair}/fracture'],
  'clone rm': ['DELETE /clones/{pair}'],
  'clone verify': ['GET /clones/{pair}/verify'],
  'clone ls': ['GET /clones'],
  'backup start': ['POST /backups'],
  'backup stop': ['POST /backups/{backup}/stop'],
  'backup run': ['POST /copies'],
  'backup ls': ['GET /backups'],
  'restore start': ['POST /restores'],
  'restore pause': ['POST /restores/{pair}/pause'],
  'restore resume': ['POST /restores/{pair}/resume'],
  'restore cancel': ['POST /restores/{pair}/cancel'],
  'restore ls': ['GET /restores'],
  'preserve create': ['POST /views'],
  'preserve drop': ['DELETE /views/{view}'],
  'preserve merge': ['POST /views/{view}/merge'],
  'preserve ls': ['GET /views'],
  'fence raise': ['POST /fences'],
  'fence write': [
    'POST /fences/{fence}/operate',
    'PUT /fences/{fence}/content',
    'POST /fences/{fence}/finish',
  ],
  'fence restore': ['POST /fences/{fence}/restore'],
  'fence lower': ['POST /fences/{fence}/lower'],
  'fence abort': ['POST /fences/{fence}/abort'],
  'fence force': ['POST /fences/{fence}/force'],
  'fence takeover': ['POST /fences/{fence}/takeover'],
  'fence ls': ['GET /fences'],
  reopen: ['POST /reopen'],
  mark: ['POST /marks'],
  'mark ls': ['GET /marks'],
}

const records = 'records a trace or a scenario with an engine of its own, under terms of its own'
const judges = 'judges the files of a journal, which nobody may change meanwhile'
const asks = 'reads the whole history at once, which would hold up the hosts of a server'

/** Why a command has no route. */
const apart: Readonly<Record<string, string>> = {
  import: records,
  run: records,
  serve: 'is the process that has the journal open',
  verify: judges,
  replay: judges,
  bisect: judges,
  export: asks,
  'inspect timeline': asks,
  'inspect restore': asks,
  'inspect block': asks,
  'inspect extent': asks,
  'inspect session': asks,
  'inspect queue': asks,
  'inspect changed': asks,
}

/** The commands that have the option --journal, by their words. */
async function commandsWithJournal(): Promise<string[]> {
  const program = new Command('blockbox')
  const folder = new URL('../../tools/commands/', import.meta.url)
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.js'))) {
    const { add } = (await import(new URL(file, folder).href)) as { add?: AddCommand }
    add?.(program)
  }
  const found: string[] = []
  const visit = (command: Command, words: readonly string[]) => {
    if (command.options.some(({ long }) => long === '--journal')) found.push(words.join(' '))
    for (const below of command.commands) visit(below, [...words, below.name()])
  }
  visit(program, [])
  return found
}

const commands = await commandsWithJournal()

test('every command that has a journal takes routes, or has a reason why not', () => {
  assert.ok(commands.length > 40, `${commands.length} commands`)
  const known = [...Object.keys(reached), ...Object.keys(apart)]
  assert.equal(
    commands.filter((command) => !known.includes(command)),
    [],
    'neither a route nor a reason',
  )
  assert.equal(
    known.filter((command) => !commands.includes(command)),
    [],
    'no such command',
  )
  assert.equal(
    Object.keys(reached).filter((command) => command in apart),
    [],
    'in both lists',
  )
})

test('the routes that are named are there; those that no command takes are known', () => {
  const there = routes.map(({ method, path }) => `${method} ${path}`)
  const taken = new Set(Object.values(reached).flat())
  assert.equal(
    [...taken].filter((route) => !there.includes(route)),
    [],
  )
  assert.equal(
    there.filter((route) => !taken.has(route)),
    [
      'GET /state',
      'GET /sessions',
      'GET /queues',
      'GET /copies',
      'GET /copies/{copy}',
      'GET /copies/{copy}/progress',
      'DELETE /copies/{copy}',
      'POST /fences/{fence}/fail',
      'POST /sessions',
      'DELETE /sessions/{session}',
      'POST /sessions/{session}/rebind',
      'GET /events',
      'GET /metrics',
      'GET /openapi.json',
    ],
  )
})

test.run()
