/** Devices by their names. */

import { BlockboxError } from '../core/errors.ts'
import { devicesOf } from '../layers/device.ts'
import type { World } from '../layers/layer.ts'

/** The number of a device. Throws USAGE, saying which ones there are. */
export function deviceId(world: World, name: string): number {
  const { names } = devicesOf(world)
  const place = names.indexOf(name)
  if (place >= 0) return place + 1
  const has = names.length === 0 ? 'the journal has none' : `the journal has ${names.slice(0, 20).join(', ')}`
  throw new BlockboxError('USAGE', `there is no device "${name}": ${has}`)
}
