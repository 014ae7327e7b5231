/** Content outside by its name on the record: a raw file by its path, an export of an NBD server by its URI. */

import { resolve } from 'node:path'
import { isNbdUri } from '../nbd/client/uri.ts'
import { type OpenImage, openRawFile } from './external.ts'
import { openNbdImage } from './nbd-image.ts'

/** Opens an image to be read. Throws what `openRawFile` or `openNbdImage` does. */
export const openExternal: OpenImage = (name) => (isNbdUri(name) ? openNbdImage(name) : openRawFile(name))

/** The name by which a journal remembers an image: a URI as it is, the full path of a file. */
export function recordedName(name: string): string {
  return isNbdUri(name) ? name : resolve(name)
}
