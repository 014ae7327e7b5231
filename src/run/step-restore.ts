/**
 * The step `fence.restore`: a raw image is restored behind a fence by client, server and data mover. It takes as long as
 * it takes, and nothing else goes on meanwhile: a mover that waits for a copy or for a backup would wait for ever.
 */

import { basename, dirname, resolve } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { BlockboxError } from '../core/errors.ts'
import type { Engine } from '../engine/engine.ts'
import { advice } from '../events/code.ts'
import { imageFolder } from '../mover/image-store.ts'
import { Network } from '../mover/network.ts'
import { StorageClient } from '../mover/storage-client.ts'
import { StorageServer } from '../mover/storage-server.ts'
import { fileDigest } from '../trace/source.ts'
import type { ScenarioStep } from './scenario-step.ts'
import type { StepContext } from './step-ask.ts'

/** So long without an event, in milliseconds, and the mover waits for something that does not come. */
const patienceMs = 5000

/** Throws SCENARIO when the image is another, when the engine refuses, or when the mover can never go on. */
export async function restoreBehind(
  { args }: ScenarioStep,
  context: StepContext,
  { engine, folder }: { readonly engine: Engine; readonly folder: string },
): Promise<void> {
  const name = String(args.name)
  const path = resolve(folder, String(args.image))
  const { sha256 } = await fileDigest(path)
  if (args.sha256 !== undefined && args.sha256 !== sha256) {
    const message = `the image ${args.image} has the SHA-256 ${sha256}, the scenario names ${args.sha256}`
    throw new BlockboxError('SCENARIO', message)
  }
  const networks = { data: new Network('data'), control: new Network('control') }
  const server = new StorageServer({ engine, images: imageFolder(dirname(path)), ...networks })
  const client = new StorageClient((message) => server.handle(message))
  const { code, message } = await client.restore(name, context.session(String(args.host)), basename(path))
  if (code !== 'ok') {
    const why = code in advice ? `${code}: ${advice[code as keyof typeof advice]}` : (message ?? code)
    throw new BlockboxError('SCENARIO', `the restore behind fence ${name} was refused: ${why}`)
  }
  let moving = true
  const moved = server.idle().finally(() => {
    moving = false
  })
  let seq = engine.world.seq
  for (let since = performance.now(); moving; ) {
    if (seq !== engine.world.seq) {
      seq = engine.world.seq
      since = performance.now()
    }
    if (performance.now() - since > patienceMs) {
      throw new BlockboxError(
        'STALLED',
        `the restore behind fence ${name} waits for a copy or a backup: end it first`,
      )
    }
    await setImmediate()
  }
  await moved
}
