/*
 * checkpoint: a copy of an open store, at the cost of a flush and some names.
 *
 * After a flush everything committed stands in tables, and tables never change:
 * another name for each is a copy. What the tree is at one moment is a prefix
 * of what was written, since memory is flushed oldest first; so the log need
 * not be copied, and writers wait for nothing but the two locks under which the
 * moment is taken.
 *
 * The copy keeps the salt, which seeds the tables' checksums, and the count of
 * ids and of sequence numbers; its store id is new. From then on the two go
 * their own ways: a log or manifest of one is refused by the other by its store
 * id, and a table, should both have given the same number away, by the checksum
 * of its footer, which the manifest keeps.
 */
#include "store/build.h"
#include "store/flush.h"
#include "store/paths.h"

/* The store at one moment. */
typedef struct moment {
  gs_version *version;
  gs_store_facts facts;
  gs_buffer note; /* at first the one that counted before the flush */
  uint64_t note_seq;
  uint64_t note_number; /* of that one */
} moment;

static gs_status
set_note(moment *m, gs_slice text, uint64_t seq, gs_error *err)
{
  gs_buffer_clear(&m->note);
  gs_buffer_append_slice(&m->note, text);
  m->note_seq = seq;
  return gs_buffer_status(&m->note, err);
}

/* What was acknowledged before the checkpoint is in it. */
static gs_status
begin_note(gs_store *store, moment *m, gs_error *err)
{
  gs_mutex_lock(store->commit);
  gs_note_text note = gs_note_read(&store->note, store->wal.durable_frame);
  m->note_number = note.number;
  gs_status status = set_note(m, note.text, note.seq, err);
  gs_mutex_unlock(store->commit);
  return status;
}

/* The newest note that came with or before what is in tables. Where the newest
 * of all is beyond them, it is that of the tables or the one at first. */
static gs_status
take_note(gs_store *store, moment *m, gs_error *err)
{
  gs_note_text note = gs_note_read(&store->note, store->wal.durable_frame);
  if (note.seq <= m->facts.flushed_seq) {
    return set_note(m, note.text, note.seq, err);
  }
  if (store->tree_note_number > m->note_number) {
    return set_note(m, gs_buffer_slice(&store->tree.note), store->tree.note_seq,
                    err);
  }
  return GS_OK;
}

static gs_status
take_moment(gs_store *store, moment *m, gs_error *err)
{
  gs_mutex_lock(store->commit);
  gs_mutex_lock(store->install);
  m->facts = store->tree.facts;
  m->version = store->tree.version;
  gs_version_ref(m->version);
  gs_status status = take_note(store, m, err);
  gs_mutex_unlock(store->install);
  gs_mutex_unlock(store->commit);
  return status;
}

static gs_status
link_run(gs_store *store, gs_build *build, const gs_run *run, gs_error *err)
{
  gs_buffer from;
  gs_buffer_init(&from, store->alloc);
  gs_status status = GS_OK;
  gs_edit_add_run(build->edit, run->id, run->level, GS_PLACE_BOTTOM, 0);
  for (size_t i = 0; status == GS_OK && i < run->table_count; i++) {
    const gs_table_meta *meta = &run->tables[i]->meta;
    const char *path = gs_path_table(&from, store->path, meta->id);
    status = path == NULL ? GS_FAIL_NOMEM(err)
                          : gs_build_link(build, path, meta->id, err);
    gs_edit_add_table(build->edit, run->id, meta);
  }
  gs_buffer_deinit(&from);
  return status;
}

static gs_status
build_copy(gs_store *store, gs_build *build, moment *m, gs_error *err)
{
  gs_status status = GS_OK;
  for (size_t i = 0; status == GS_OK && i < m->version->run_count; i++) {
    status = link_run(store, build, m->version->runs[i], err);
  }
  if (status != GS_OK) {
    return status;
  }
  gs_store_facts *facts = &m->facts;
  for (size_t i = 0; i < sizeof facts->store_id.bytes; i += 8) {
    uint64_t word = gs_env_random64(store->env);
    memcpy(facts->store_id.bytes + i, &word, sizeof word);
  }
  facts->is_clean = true;
  return gs_build_commit(build, facts, gs_buffer_slice(&m->note), m->note_seq,
                         err);
}

gs_status
gs_checkpoint(gs_store *store, const char *into, uint64_t *seq, gs_error *err)
{
  moment m = {.version = NULL};
  gs_buffer_init(&m.note, store->alloc);
  gs_status status = gs_store_check_writable(store, err);
  if (status == GS_OK) {
    status = begin_note(store, &m, err);
  }
  if (status == GS_OK) {
    status = gs_flush_all(store, err);
  }
  if (status != GS_OK) {
    gs_buffer_deinit(&m.note);
    return status;
  }
  gs_build build;
  status = gs_build_begin(&build, store->env, into, store->path, err);
  if (status == GS_OK) {
    status = take_moment(store, &m, err);
  }
  if (status == GS_OK) {
    status = build_copy(store, &build, &m, err);
  }
  gs_build_end(&build);
  if (status == GS_OK && seq != NULL) {
    *seq = m.facts.flushed_seq;
  }
  if (m.version != NULL) {
    gs_version_unref(m.version);
  }
  gs_buffer_deinit(&m.note);
  return status;
}
