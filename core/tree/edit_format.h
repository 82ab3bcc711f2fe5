/*
 * edit_format: the bytes of an edit.
 *
 *   edit   := record*
 *   record := tag:u16 size:u32 body[size]
 *
 *   tag                  body (little-endian)
 *   1 facts              store id 16, kind u32, is clean u32 (0 or 1), salt
 *                        u64, feature bits u64, incarnation u64, flushed
 *                        sequence u64, last sequence u64, next id u64, clock
 *                        floor u64, safe clock u64
 *   2 add run            run u64, anchor u64, level u32, place u32
 *   3 set level          run u64, level u32
 *   4 add table          run u64, table metadata (data/table_meta.h)
 *   5 remove table       run u64, table u64
 *   6 add segment        number u64, allocated bytes u64, salt u64
 *   7 remove segment     number u64
 *   8 note               sequence u64, bytes
 *
 * Sizes are exact. Unknown tags below 0x8000 refuse with GS_VERSION; those from
 * there on are passed over.
 *
 * Threads: pure.
 * Errors: GS_CORRUPT for bytes that do not parse, GS_VERSION for a tag, a
 * feature or a metadata field of a later library.
 */
#ifndef GS_TREE_EDIT_FORMAT_H
#define GS_TREE_EDIT_FORMAT_H

#include "tree/edit.h"

/* These numbers reach the disk. */
typedef enum gs_edit_tag {
  GS_EDIT_FACTS = 1,
  GS_EDIT_ADD_RUN = 2,
  GS_EDIT_SET_LEVEL = 3,
  GS_EDIT_ADD_TABLE = 4,
  GS_EDIT_REMOVE_TABLE = 5,
  GS_EDIT_ADD_SEGMENT = 6,
  GS_EDIT_REMOVE_SEGMENT = 7,
  GS_EDIT_NOTE = 8,
} gs_edit_tag;

enum {
  GS_EDIT_RECORD_BYTES = 6, /* tag and size */
  GS_EDIT_FACTS_BYTES = 88,
  GS_EDIT_MAY_BE_SKIPPED = 0x8000,
};

/* One record; which members count is the tag's to say. Slices and the keys of
 * the metadata view the encoding. */
typedef struct gs_edit_record {
  uint32_t tag;   /* a gs_edit_tag, or one that is passed over */
  gs_slice body;  /* as it stands there */
  uint64_t id;    /* run; number of a segment; sequence of a note */
  uint64_t other; /* anchor; table; allocated bytes */
  uint64_t salt;  /* of a segment */
  uint32_t level;
  gs_run_place place;
  gs_slice note;
  gs_table_meta meta;
  gs_store_facts facts;
} gs_edit_record;

/* Takes the next record off *rest: GS_OK, or GS_ABSENT at the end. */
GS_MUST_CHECK gs_status gs_edit_next(gs_slice *rest, gs_edit_record *record,
                                     gs_error *err);

#endif
