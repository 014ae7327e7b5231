/** Why the file system refused a file that somebody named, in words that say where to look. */

const ofAll: Readonly<Record<string, string>> = {
  EACCES: 'permission is missing',
  EPERM: 'permission is missing',
  EISDIR: 'it is a directory',
  ELOOP: 'its links go round in a circle',
  ENAMETOOLONG: 'its name is too long',
  EROFS: 'the file system is read-only',
}

const toRead: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'a part of its path is no folder',
  ENXIO: 'it is a socket',
}

const toWrite: Readonly<Record<string, string>> = {
  ENOENT: 'its folder does not exist',
  ENOTDIR: 'its folder is none',
  ENXIO: 'it is a pipe that nobody reads, or a socket',
  EAGAIN: 'it is a pipe that nobody empties',
}

/** The reason in what the system threw; undefined where its own words say it best. */
export function fileReason(error: unknown, doing: 'read' | 'write'): string | undefined {
  const { code } = error instanceof Error ? (error as { readonly code?: unknown }) : {}
  if (typeof code !== 'string') return undefined
  return (doing === 'read' ? toRead : toWrite)[code] ?? ofAll[code]
}

/** What the system threw over a file that somebody named, in such words; undefined where it named none. */
export function fileRefusal(error: unknown): string | undefined {
  const { path } = error instanceof Error ? (error as { readonly path?: unknown }) : {}
  const reason = fileReason(error, 'read')
  return typeof path !== 'string' || reason === undefined ? undefined : `cannot use ${path}: ${reason}`
}
