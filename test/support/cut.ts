/**
 * A journal cut after one of its frames, opened by the real recovery, and held against a run that was never cut: the
 * events of the record folded to there, and the recovery entered by hand. The bytes are those of places that logic
 * alone says (contents.ts), each payload is that of its digest, and the history, crash included, breaks no rule.
 */

import * as assert from 'uvu/assert'
import { checks } from '../../src/check/all.ts'
import { hex, sha256 } from '../../src/core/digest.ts'
import { openEngine, recoverWorld } from '../../src/engine/open-engine.ts'
import { changes } from '../../src/events/kind.ts'
import { readContent } from '../../src/images/content.ts'
import type { Frame } from '../../src/journal/frame.ts'
import type { Journal } from '../../src/journal/journal.ts'
import { inFlightOf } from '../../src/layers/in-flight.ts'
import type { World } from '../../src/layers/layer.ts'
import { pairsOf } from '../../src/layers/pair-state.ts'
import { baseOf } from '../../src/layers/preserve-state.ts'
import type { PayloadStore } from '../../src/payload/payload.ts'
import { worldAt } from '../../src/replay/at.ts'
import { replay } from '../../src/replay/replay.ts'
import { verify } from '../../src/replay/verify.ts'
import { isKnown } from '../../src/volume/content.ts'
import { isEpoch, stateHash, stateHashText } from '../../src/volume/snapshot.ts'
import { evolve } from '../../src/volume.ts'
import { branchesMade } from './branching.ts'
import { manualClock } from './clock.ts'
import { Contents } from './contents.ts'
import { History } from './history.ts'
import { type Kept, kept } from './ledger.ts'
import type { Opened } from './store.ts'

/** Opens what a crash left, whose last frame is `frames.at(-1)`, and judges the recovery. */
export async function judgeRecovery(
  opened: Pick<Opened, 'journal' | 'payload'>,
  frames: readonly Frame[],
  outside = false,
): Promise<void> {
  const cut = frames.at(-1)?.last ?? 0
  const sound = folded(frames, outside)
  const recovered = await recoverWorld(opened.journal)
  assert.is(recovered.seq, cut, 'nothing but whole frames')
  assert.is(stateHashText(recovered), stateHashText(sound.world), `the state after event ${cut}`)
  const before = contentsOf(sound.world, opened.payload)
  assert.equal(contentsOf(recovered, opened.payload), before)
  const { held, queued } = inFlightOf(recovered)
  const waiting = [...held.keys(), ...queued.keys()]

  const never = () => new Promise<never>(() => undefined)
  const engine = await openEngine({ ...opened, clock: manualClock(), copier: never, worldAt })
  const after = await framesIn(opened.journal)
  const told = eventsOf(after).filter(({ seq }) => seq > cut)
  sound.enter({ kind: 'engine.started', detail: told[0]!.detail! })
  sound.enter({ kind: 'engine.recover' })
  const expected = sound.ledger.from(cut + 1)
  assert.equal(told.slice(0, expected.length), expected, 'the recovery says what it has to')
  const frame = after.find(({ last }) => last === sound.world.seq)
  assert.ok(frame !== undefined, 'the recovery is a frame of its own')
  const { low, high } = stateHash(sound.world)
  assert.equal([frame!.stateLow, frame!.stateHigh], [low, high], 'the state after the recovery')
  endOnce(waiting, expected, sound.world)
  const now = contentsOf(sound.world, opened.payload)
  const touched = touchedBy(expected, sound.world)
  for (const [volume, digest] of before) {
    if (!touched.has(volume) && now.has(volume)) assert.is(now.get(volume), digest, `volume ${volume}`)
  }
  await branchesMade(engine)
  await engine.settled()
  assert.equal((await replay(opened.journal, { checks })).findings, [], `a crash after event ${cut}`)
  assert.equal((await verify(opened.journal, opened.payload)).findings, [])
  await engine.close()
}

/** A run that was never cut: the events of whole frames, whose recorded state it has after each. */
function folded(frames: readonly Frame[], outside: boolean): History {
  const contents = new Contents()
  const history = new History()
  for (const frame of frames) {
    const row = frame.open()
    for (row.index = 0; row.index < frame.count; row.index++) {
      if (!outside) contents.before(row, history.world)
      evolve(history.world, row)
    }
    if (isEpoch(row)) continue
    const { low, high } = stateHash(history.world)
    assert.equal([low, high], [frame.stateLow, frame.stateHigh], `the state after event ${frame.last}`)
  }
  if (!outside) contents.compare(history.world)
  return new History(undefined, history.world)
}

/** Whoever waited at the cut is dropped or lost, once, or is held on; nobody is let through. */
function endOnce(waiting: readonly number[], told: readonly Kept[], world: World): void {
  const { held, queued } = inFlightOf(world)
  assert.is(queued.size, 0, 'nobody waits for a copy')
  for (const io of waiting) {
    const ends = told.filter(({ about }) => about === io).map(({ kind }) => kind)
    const isEnded = ends.length === 1 && (ends[0] === 'hold.dropped' || ends[0] === 'io.lost')
    const isHeldOn = ends.length === 0 && held.has(io)
    assert.ok(isEnded || isHeldOn, `request ${io}: ${ends.join(' ') || 'no word'}`)
  }
}

/** A digest of what readers see of each volume whose content is known. */
function contentsOf(world: World, payload: PayloadStore): Map<number, string> {
  const digests = new Map<number, string>()
  for (const volume of world.volumes) {
    if (volume.gone === true || !isKnown(world, volume.id)) continue
    digests.set(volume.id, hex(sha256(readContent(world, volume, payload, 0, volume.size))))
  }
  return digests
}

/** Volumes whose content events change, by writes or because a restore was cancelled, and the views of them. */
function touchedBy(events: readonly Kept[], world: World): Set<number> {
  const written = new Set<number>()
  for (const event of events) {
    const { kind, fate = 'none', op = 'none', tag = 0, volume = 0 } = event
    if (fate === 'passed' && changes(op)) written.add(volume)
    if (kind === 'restore.cancelled') written.add(pairsOf(world).byTag.get(tag)!.source)
  }
  const all = world.volumes.map(({ id }) => id).filter((id) => written.has(baseOf(world, id)))
  return new Set([...written, ...all])
}

export async function framesIn(journal: Journal): Promise<Frame[]> {
  const frames: Frame[] = []
  for await (const frame of journal.read(journal.bounds().first)) frames.push(frame)
  return frames
}

export function eventsOf(frames: readonly Frame[]): Kept[] {
  return frames.flatMap((frame) => {
    const row = frame.open()
    return Array.from({ length: frame.count }, (_, index) => {
      row.index = index
      return kept(row)
    })
  })
}
