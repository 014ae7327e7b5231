/** Backups and the sessions of hosts: commands. */

import * as v from 'valibot'
import { contentsOf } from '../inspect/contents.ts'
import { crashes, modes, policies, scopes } from '../layers/backup.ts'
import { volumeNamed } from '../replay/volume-at.ts'
import { deviceId } from './device-name.ts'
import { ask, commandRoute } from './route.ts'
import { bytes, count, flag, name, names, owner, session } from './schema.ts'
import { newName } from './volume-routes.ts'

const orDefault = v.optional(count, 0)

export const startBackup = commandRoute({
  method: 'POST',
  path: '/backups',
  summary: 'Hold the writes of volumes and fix a point in time; 0 is the default of a bound or deadline',
  input: {
    name,
    volumes: names,
    devices: names,
    deadline_ms: orDefault,
    max_entries: orDefault,
    max_bytes: v.optional(bytes, 0),
    scope: v.optional(v.picklist(scopes), scopes[0]),
    mode: v.optional(v.picklist(modes), modes[0]),
    policy: v.optional(v.picklist(policies), policies[0]),
    crash: v.optional(v.picklist(crashes), crashes[0]),
    owner: v.optional(owner),
  },
  async act(controlled, input, call) {
    const { world } = controlled.engine
    const { deadline_ms: deadlineMs, max_entries: maxEntries, max_bytes: maxBytes } = input
    const { scope, mode, policy, crash } = input
    const volumes = input.volumes.map((one) => volumeNamed(world, one).id)
    const devices = input.devices.map((one) => deviceId(world, one))
    const terms = { deadlineMs, maxEntries, maxBytes, scope, mode, policy, crash, devices }
    const detail = { name: newName(input.name), volumes, ...terms }
    const by = input.owner === undefined ? {} : { session: await controlled.owners.session(input.owner) }
    const done = await ask(controlled, call, { kind: 'backup.start', ...by, detail })
    const backup = contentsOf(world).backups.find((one) => one.name === input.name)
    return { ...done, about: { backup: backup ?? null } }
  },
})

export const stopBackup = commandRoute({
  method: 'POST',
  path: '/backups/{backup}/stop',
  summary: 'Release what a backup holds, in order',
  input: { backup: name },
  act(controlled, { backup }, call) {
    return ask(controlled, call, { kind: 'backup.stop', detail: { name: backup } })
  },
})

export const openSession = commandRoute({
  method: 'POST',
  path: '/sessions',
  summary: 'Open a session; it stays open until it is closed or the engine starts again',
  input: { name },
  act(controlled, input, call) {
    return ask(controlled, call, { kind: 'session.open', detail: { name: input.name } })
  },
})

export const closeSession = commandRoute({
  method: 'DELETE',
  path: '/sessions/{session}',
  summary: 'Close a session; orderly: what it submitted is still handled',
  input: { session, orderly: flag },
  act(controlled, { session: closing, orderly }, call) {
    return ask(controlled, call, { kind: 'session.close', session: closing, detail: { orderly } })
  },
})

export const rebindSession = commandRoute({
  method: 'POST',
  path: '/sessions/{session}/rebind',
  summary: 'Let requests of a session that name a volume reach a view of it',
  input: { session, from: name, to: name },
  async act(controlled, { session: bound, from, to }, call) {
    const { world } = controlled.engine
    const detail = { from: volumeNamed(world, from).id, to: volumeNamed(world, to).id }
    return ask(controlled, call, { kind: 'session.rebind', session: bound, detail })
  },
})
