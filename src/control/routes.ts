/** The table of the API: every route, in the order the document shows them. */

import { closeSession, openSession, rebindSession, startBackup, stopBackup } from './backup-routes.ts'
import { createBranch } from './branch-routes.ts'
import {
  cancelRestore,
  createClone,
  deleteClone,
  fractureClone,
  pauseRestore,
  resumeRestore,
  startRestore,
  syncClone,
} from './clone-routes.ts'
import { cancelCopy, copies, copyProgress, oneCopy, startCopy } from './copy-routes.ts'
import { failFence, fenceVerbs, raiseFence, restoreFence, writeFence } from './fence-routes.ts'
import { openApi } from './openapi.ts'
import { createVolumeFrom, verifyClone } from './outside-routes.ts'
import { httpProblem } from './problem.ts'
import { type Route, streamRoute } from './route.ts'
import { info, lists, marks, queues, reopen, sessions, state } from './state-routes.ts'
import { events, image, log } from './stream-routes.ts'
import {
  createDevice,
  createMark,
  createView,
  createVolume,
  deleteVolume,
  dropView,
  mergeView,
  resizeVolume,
} from './volume-routes.ts'

const metrics = streamRoute({
  method: 'GET',
  path: '/metrics',
  summary: 'Metrics, in the text format of Prometheus',
  media: 'text/plain',
  described: 'counters begin when the server begins',
  input: {},
  async act({ metrics: counted }) {
    if (counted === undefined) throw httpProblem('NO_SUCH_ROUTE', 'nobody counts here')
    return new Response(await counted.text(), { headers: { 'content-type': counted.contentType } })
  },
})

const document = streamRoute({
  method: 'GET',
  path: '/openapi.json',
  summary: 'This document',
  media: 'application/json',
  described: 'an OpenAPI 3.1 document',
  input: {},
  act: async () => Response.json(openApi(routes)),
})

export const routes: readonly Route[] = [
  ...[info, state, reopen, sessions, queues, marks, createMark],
  ...[lists.volumes, createVolume, createVolumeFrom, deleteVolume, resizeVolume, createBranch],
  ...[lists.devices, createDevice],
  ...[lists.views, createView, dropView, mergeView],
  ...[lists.backups, startBackup, stopBackup],
  ...[copies, startCopy, oneCopy, copyProgress, cancelCopy],
  ...[lists.pairs, createClone, syncClone, fractureClone, verifyClone, deleteClone],
  ...[lists.restores, startRestore, pauseRestore, resumeRestore, cancelRestore],
  ...[lists.fences, raiseFence, ...Object.values(fenceVerbs), failFence, writeFence, restoreFence],
  ...[openSession, closeSession, rebindSession],
  ...[events, log, image, metrics, document],
]
