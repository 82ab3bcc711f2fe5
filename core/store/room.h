/*
 * room: what writes will take, known before they are made.
 */
#ifndef GS_STORE_ROOM_H
#define GS_STORE_ROOM_H

#include "data/batch.h"
#include "grainstore.h"

typedef struct gs_room {
  size_t payload_bytes; /* of the batch, at the most */
  uint32_t entry_count;
  uint32_t tombstone_count; /* of the entries; all of them: allowed on a full
                               disk */
  bool has_paused;          /* for too many runs; once is enough */
  uint64_t until_us;        /* how long they may wait for it; 0: they have not
                               waited yet. See gs_stall_patience_us */
} gs_room;

/* What this batch takes. */
gs_room gs_room_of(const gs_batch *batch);

/* Secures room in log and memtable and waits out stalls. Afterwards writes
 * within the room cannot lack it until commit is given up. Requires: commit
 * held; it may be given up and taken again meanwhile. */
GS_MUST_CHECK gs_status gs_store_make_room(gs_store *store, gs_room *room,
                                           gs_error *err);

#endif
