/*
 * manifest_state: an edit makes the next state beside the present one, so that
 * a failure anywhere leaves the present one alone and taking the next one over
 * cannot fail.
 *
 * The encoding is walked several times: to parse all of it and count what it
 * changes, then for removals, for runs and levels, and for additions. So the
 * order of its records matters among those of one of these groups only.
 */
#include <inttypes.h>

#include "tree/draft.h"

/* ---- life ----------------------------------------------------------------- */

gs_status
gs_manifest_state_init(gs_manifest_state *state, gs_alloc *alloc, gs_error *err)
{
  *state = (gs_manifest_state){.alloc = alloc};
  gs_buffer_init(&state->note, alloc);
  state->version = gs_version_new_empty(alloc);
  return state->version == NULL ? GS_FAIL_NOMEM(err) : GS_OK;
}

void
gs_manifest_state_deinit(gs_manifest_state *state)
{
  gs_version_unref(state->version);
  gs_alloc_free(state->alloc, state->segments,
                state->segment_capacity * sizeof *state->segments);
  gs_buffer_deinit(&state->note);
  *state = (gs_manifest_state){0};
}

void
gs_manifest_state_adopt(gs_manifest_state *state, gs_manifest_state *next)
{
  gs_manifest_state_deinit(state);
  *state = *next;
  *next = (gs_manifest_state){0};
}

/* ---- parsing -------------------------------------------------------------- */

/* How much an edit changes. */
typedef struct extent {
  gs_draft_room room;
  size_t segments; /* added */
  bool changes_tree;
} extent;

static gs_status
parse(gs_slice encoding, extent *out, gs_error *err)
{
  gs_edit_record record;
  gs_status status;
  *out = (extent){0};
  while ((status = gs_edit_next(&encoding, &record, err)) == GS_OK) {
    out->room.runs += record.tag == GS_EDIT_ADD_RUN;
    out->room.removals += record.tag == GS_EDIT_REMOVE_TABLE;
    out->room.additions += record.tag == GS_EDIT_ADD_TABLE;
    out->segments += record.tag == GS_EDIT_ADD_SEGMENT;
    out->changes_tree =
        out->changes_tree ||
        (record.tag >= GS_EDIT_ADD_RUN && record.tag <= GS_EDIT_REMOVE_TABLE);
  }
  return status == GS_ABSENT ? GS_OK : status;
}

/* One kind of change, done to whatever `target` is. */
typedef gs_status (*change)(void *target, const gs_edit_record *record,
                            gs_error *err);

/* Requires: the encoding parses. */
static gs_status
walk(gs_slice encoding, change apply_one, void *target, gs_error *err)
{
  gs_edit_record record;
  gs_status status = GS_OK;
  while (status == GS_OK &&
         (status = gs_edit_next(&encoding, &record, err)) == GS_OK) {
    status = apply_one(target, &record, err);
  }
  return status == GS_ABSENT ? GS_OK : status;
}

/* ---- the tree ------------------------------------------------------------- */

static gs_status
remove_table(void *target, const gs_edit_record *record, gs_error *err)
{
  gs_draft *draft = target;
  return record->tag == GS_EDIT_REMOVE_TABLE
             ? gs_draft_remove(draft, record->id, record->other, err)
             : GS_OK;
}

static gs_status
change_run(void *target, const gs_edit_record *record, gs_error *err)
{
  gs_draft *draft = target;
  if (record->tag == GS_EDIT_ADD_RUN) {
    return gs_draft_add_run(draft, record, err);
  }
  return record->tag == GS_EDIT_SET_LEVEL
             ? gs_draft_set_level(draft, record->id, record->level, err)
             : GS_OK;
}

static gs_status
add_table(void *target, const gs_edit_record *record, gs_error *err)
{
  gs_draft *draft = target;
  return record->tag == GS_EDIT_ADD_TABLE
             ? gs_draft_add(draft, record->id, &record->meta, err)
             : GS_OK;
}

static gs_status
build_version(gs_draft *draft, gs_slice encoding, gs_version **out,
              gs_error *err)
{
  gs_status status = walk(encoding, remove_table, draft, err);
  if (status == GS_OK) {
    status = walk(encoding, change_run, draft, err);
  }
  if (status == GS_OK) {
    status = walk(encoding, add_table, draft, err);
  }
  return status == GS_OK ? gs_draft_finish(draft, out, err) : status;
}

/* ---- facts, segments, note ------------------------------------------------ */

static gs_status
check_same_store(const gs_store_facts *old, const gs_store_facts *facts,
                 gs_error *err)
{
  if (facts->store_kind == 0) {
    return GS_FAIL(err, GS_CORRUPT, "a manifest edit names no kind of store");
  }
  if (old->store_kind != 0 &&
      (old->store_kind != facts->store_kind || old->salt != facts->salt ||
       memcmp(&old->store_id, &facts->store_id, sizeof old->store_id) != 0)) {
    return GS_FAIL(err, GS_CORRUPT, "a manifest edit is one of another store");
  }
  return GS_OK;
}

static gs_status
check_forward(const gs_store_facts *old, const gs_store_facts *facts,
              gs_error *err)
{
  const struct {
    const char *name;
    uint64_t before;
    uint64_t now;
  } numbers[] = {
      {"incarnation", old->incarnation, facts->incarnation},
      {"flushed sequence", old->flushed_seq, facts->flushed_seq},
      {"last sequence", old->last_seq, facts->last_seq},
      {"next id", old->next_id, facts->next_id},
      {"clock floor", old->clock_floor_ms, facts->clock_floor_ms},
      {"safe clock", old->safe_clock_ms, facts->safe_clock_ms},
  };
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
    if (numbers[i].now < numbers[i].before) {
      return GS_FAIL(err, GS_CORRUPT,
                     "a manifest edit takes the %s back from %" PRIu64
                     " to %" PRIu64,
                     numbers[i].name, numbers[i].before, numbers[i].now);
    }
  }
  return GS_OK;
}

static gs_status
add_segment(gs_manifest_state *next, const gs_edit_record *record,
            gs_error *err)
{
  size_t count = next->segment_count;
  if (count > 0 && next->segments[count - 1].number >= record->id) {
    return GS_FAIL(err, GS_CORRUPT,
                   "a manifest edit adds segment %" PRIu64
                   " behind segment %" PRIu64,
                   record->id, next->segments[count - 1].number);
  }
  next->segments[next->segment_count++] =
      (gs_segment){record->id, record->other, record->salt};
  return GS_OK;
}

static gs_status
remove_segment(gs_manifest_state *next, uint64_t number, gs_error *err)
{
  for (size_t i = 0; i < next->segment_count; i++) {
    if (next->segments[i].number == number) {
      next->segment_count--;
      memmove(&next->segments[i], &next->segments[i + 1],
              (next->segment_count - i) * sizeof *next->segments);
      return GS_OK;
    }
  }
  return GS_FAIL(err, GS_CORRUPT,
                 "a manifest edit removes segment %" PRIu64
                 ", which is not listed",
                 number);
}

static gs_status
set_note(gs_manifest_state *next, const gs_edit_record *record, gs_error *err)
{
  gs_buffer_clear(&next->note);
  gs_buffer_append_slice(&next->note, record->note);
  next->note_seq = record->id;
  return gs_buffer_status(&next->note, err);
}

static gs_status
change_rest(void *target, const gs_edit_record *record, gs_error *err)
{
  gs_manifest_state *next = target;
  gs_status status = GS_OK;
  switch (record->tag) {
  case GS_EDIT_FACTS:
    status = check_same_store(&next->facts, &record->facts, err);
    if (status == GS_OK) {
      status = check_forward(&next->facts, &record->facts, err);
    }
    next->facts = record->facts;
    return status;
  case GS_EDIT_ADD_SEGMENT:
    return add_segment(next, record, err);
  case GS_EDIT_REMOVE_SEGMENT:
    return remove_segment(next, record->id, err);
  case GS_EDIT_NOTE:
    return set_note(next, record, err);
  default:
    return GS_OK;
  }
}

/* An id that is not below the next one would be given out again. */
static gs_status
check_id(void *target, const gs_edit_record *record, gs_error *err)
{
  const gs_manifest_state *next = target;
  uint64_t id = record->tag == GS_EDIT_ADD_RUN     ? record->id
                : record->tag == GS_EDIT_ADD_TABLE ? record->meta.id
                                                   : 0;
  if (id != 0 && id >= next->facts.next_id) {
    return GS_FAIL(err, GS_CORRUPT,
                   "a manifest edit uses number %" PRIu64 ", and %" PRIu64
                   " is said to be the next",
                   id, next->facts.next_id);
  }
  return GS_OK;
}

/* ---- the next state ------------------------------------------------------- */

/* A copy of all but the version, with room for more segments. */
static gs_status
copy_rest(const gs_manifest_state *state, size_t more, gs_manifest_state *next,
          gs_error *err)
{
  size_t room = state->segment_count + more;
  next->facts = state->facts;
  next->note_seq = state->note_seq;
  if (room > 0) {
    next->segments = gs_alloc_array(next->alloc, room, sizeof *next->segments);
    if (next->segments == NULL) {
      return GS_FAIL_NOMEM(err);
    }
    next->segment_capacity = room;
  }
  if (state->segment_count > 0) {
    memcpy(next->segments, state->segments,
           state->segment_count * sizeof *next->segments);
  }
  next->segment_count = state->segment_count;
  gs_buffer_append_slice(&next->note, gs_buffer_slice(&state->note));
  return gs_buffer_status(&next->note, err);
}

static gs_status
next_version(const gs_manifest_state *state, gs_slice encoding,
             const extent *size, gs_tree_table *const *known,
             size_t known_count, gs_version **out, gs_error *err)
{
  if (!size->changes_tree) {
    gs_version_ref(state->version);
    *out = state->version;
    return GS_OK;
  }
  gs_draft draft;
  gs_status status =
      gs_draft_init(&draft, state->alloc, state->version, &size->room, err);
  if (status != GS_OK) {
    return status;
  }
  gs_draft_set_known(&draft, known, known_count);
  status = build_version(&draft, encoding, out, err);
  gs_draft_deinit(&draft);
  return status;
}

gs_status
gs_manifest_state_prepare(const gs_manifest_state *state, gs_slice encoding,
                          gs_tree_table *const *known, size_t known_count,
                          gs_manifest_state *next, gs_error *err)
{
  extent size;
  gs_status status = parse(encoding, &size, err);
  if (status != GS_OK) {
    return status;
  }
  *next = (gs_manifest_state){.alloc = state->alloc};
  gs_buffer_init(&next->note, state->alloc);
  status = copy_rest(state, size.segments, next, err);
  if (status == GS_OK) {
    status = walk(encoding, change_rest, next, err);
  }
  if (status == GS_OK) {
    status = walk(encoding, check_id, next, err);
  }
  if (status == GS_OK) {
    status = next_version(state, encoding, &size, known, known_count,
                          &next->version, err);
  }
  if (status != GS_OK) {
    gs_manifest_state_deinit(next);
  }
  return status;
}

gs_status
gs_manifest_state_apply(gs_manifest_state *state, gs_slice encoding,
                        gs_tree_table *const *known, size_t known_count,
                        gs_error *err)
{
  gs_manifest_state next;
  gs_status status = gs_manifest_state_prepare(state, encoding, known,
                                               known_count, &next, err);
  if (status == GS_OK) {
    gs_manifest_state_adopt(state, &next);
  }
  return status;
}

/* ---- the base ------------------------------------------------------------- */

gs_status
gs_manifest_state_base(const gs_manifest_state *state, gs_edit *edit,
                       gs_error *err)
{
  gs_edit_set_facts(edit, &state->facts);
  for (size_t i = 0; i < state->version->run_count; i++) {
    const gs_run *run = state->version->runs[i];
    gs_edit_add_run(edit, run->id, run->level, GS_PLACE_BOTTOM, 0);
    for (size_t t = 0; t < run->table_count; t++) {
      gs_edit_add_table(edit, run->id, &run->tables[t]->meta);
    }
  }
  for (size_t i = 0; i < state->segment_count; i++) {
    gs_edit_add_segment(edit, &state->segments[i]);
  }
  if (state->note.size > 0 || state->note_seq > 0) {
    gs_edit_set_note(edit, gs_buffer_slice(&state->note), state->note_seq);
  }
  return gs_edit_status(edit, err);
}
