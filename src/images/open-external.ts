/** Content outside by its name on the record: a raw file by its path, an export of an NBD server by its URI. */

import { resolve } from 'node:path'
import { isNbdUri, withFullPaths } from '../nbd/client/uri.ts'
import { type OpenImage, openRawFile } from './external.ts'
import { openNbdImage } from './nbd-image.ts'

/** Opens an image to be read. Throws what `openRawFile` or `openNbdImage` does. */
export const openExternal: OpenImage = (name) => (isNbdUri(name) ? openNbdImage(name) : openRawFile(name))

/** The name by which a journal remembers an image: a URI, or the path of a file, with full paths. */
export function recordedName(name: string): string {
  return isNbdUri(name) ? withFullPaths(name, (path) => resolve(path)) : resolve(name)
}
