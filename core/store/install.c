/*
 * install: changes of the tree, one at a time: first durable in the manifest,
 * then in memory, then visible to readers.
 *
 *   edit ─▶ frame in the manifest, synced ─▶ state applied ─▶ view published
 *
 * A manifest that failed once is not trusted again: the next change begins a
 * new one. The first change after an open also begins one, so that a store that
 * is only read is never written.
 */
#include "store/decision.h"
#include "store/reserve.h"
#include "store/store.h"

gs_status
gs_store_publish(gs_store *store, gs_memtable *const *memtables,
                 size_t memtable_count, gs_version *version, gs_error *err)
{
  gs_view *fresh =
      gs_view_new(store->alloc, memtables, memtable_count, version);
  if (fresh == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  atomic_store(&store->run_count, version->run_count);
  atomic_store(&store->sealed_count, memtable_count - 1);
  gs_view *old = atomic_exchange(&store->view, fresh);
  gs_view_retire(store->epoch, old);
  return GS_OK;
}

gs_view *
gs_store_pin_view(gs_store *store)
{
  uint32_t slot = gs_epoch_enter(store->epoch);
  gs_view *view = atomic_load_explicit(&store->view, memory_order_acquire);
  gs_view_ref(view);
  gs_epoch_leave(store->epoch, slot);
  return view;
}

/* ---- durable ---------------------------------------------------------------- */

static void
fill_facts(gs_store *store, const gs_install *change)
{
  gs_store_facts facts = store->tree.facts;
  facts.incarnation = store->incarnation;
  facts.next_id = atomic_load(&store->next_id);
  uint64_t safe_clock_ms = gs_clock_safe(store);
  if (safe_clock_ms > facts.safe_clock_ms) {
    facts.safe_clock_ms = safe_clock_ms;
  }
  facts.clock_floor_ms = gs_store_clock(store);
  facts.is_clean = change->is_clean;
  if (change->flushed_seq > facts.flushed_seq) {
    facts.flushed_seq = change->flushed_seq;
  }
  uint64_t used = atomic_load(&store->visible_seq);
  if (!change->is_clean) {
    used = gs_reserve_ahead(store, used);
  }
  if (used > facts.last_seq) {
    facts.last_seq = used;
  }
  if (facts.flushed_seq > facts.last_seq) {
    facts.last_seq = facts.flushed_seq;
  }
  gs_edit_set_facts(change->edit, &facts);
}

/* Makes the applied state durable as the base of a new manifest. */
static gs_status
begin_manifest(gs_store *store, gs_error *err)
{
  if (store->manifest != NULL) {
    gs_status status = gs_manifest_rewrite(store->manifest, &store->tree, err);
    store->manifest_number = gs_manifest_number(store->manifest);
    return status;
  }
  /* A number that was tried may have left a file: it is not tried again. */
  store->manifest_number++;
  return gs_manifest_create(store->env, store->path, store->manifest_number,
                            &store->tree, &store->manifest, err);
}

/* A manifest is begun anew when its edits have outgrown this and twice its base:
 * so rewriting costs a constant share of what is appended. */
enum { MANIFEST_EDITS_BYTES = 1024 * 1024 };

static bool
is_overgrown(const gs_manifest *manifest)
{
  uint64_t base = gs_manifest_base_bytes(manifest);
  uint64_t edits = gs_manifest_bytes(manifest) - base;
  return edits > MANIFEST_EDITS_BYTES && edits > 2 * base;
}

static gs_status
make_durable(gs_store *store, const gs_edit *edit, gs_error *err)
{
  bool begins = store->manifest == NULL ||
                gs_manifest_is_doubtful(store->manifest) ||
                is_overgrown(store->manifest);
  if (begins) {
    gs_status status = begin_manifest(store, err);
    if (status != GS_OK) {
      return status;
    }
  }
  return gs_manifest_append(store->manifest, edit, err);
}

/* ---- in memory --------------------------------------------------------------- */

/* Tables that the old version holds and the new one does not. */
static void
mark_obsolete(const gs_version *old, const gs_version *fresh)
{
  for (size_t r = 0; r < old->run_count; r++) {
    for (size_t t = 0; t < old->runs[r]->table_count; t++) {
      gs_tree_table *table = old->runs[r]->tables[t];
      size_t index;
      if (gs_version_find_table(fresh, table->meta.id, &index) == NULL) {
        atomic_store(&table->is_obsolete, true);
      }
    }
  }
}

static gs_status
publish_tree(gs_store *store, const gs_install *change, gs_error *err)
{
  gs_mutex_lock(store->state);
  gs_view *view = atomic_load(&store->view);
  gs_memtable *places[GS_SEALED_MAX + 2];
  size_t count = 0;
  for (size_t i = 0; i < view->memtable_count; i++) {
    if (view->memtables[i] != change->flushed && change->only == NULL) {
      places[count++] = view->memtables[i];
    }
  }
  if (change->only != NULL) {
    places[count++] = change->only;
  }
  gs_status status =
      gs_store_publish(store, places, count, store->tree.version, err);
  if (status == GS_OK) {
    store->reason = change->reason;
    atomic_store(&store->flushed_seq, store->tree.facts.flushed_seq);
    gs_decision_want(store, NULL);
    gs_cond_broadcast(store->progress);
  }
  gs_mutex_unlock(store->state);
  return status;
}

/* Everything that can fail comes before the edit is durable, but for the view;
 * without memory for that one the store stops taking writes, and the next open
 * reads what is durable. */
static gs_status
take_over(gs_store *store, gs_install *change, gs_manifest_state *next,
          gs_error *err)
{
  gs_version *old = store->tree.version;
  gs_version_ref(old);
  gs_manifest_state_adopt(&store->tree, next);
  atomic_store(&store->reserved_seq, store->tree.facts.last_seq);
  gs_status status = GS_OK;
  if (change->reason != NULL) {
    status = publish_tree(store, change, err);
  }
  if (status == GS_OK) {
    mark_obsolete(old, store->tree.version);
  } else {
    gs_store_fail(store, status, err);
  }
  gs_version_unref(old);
  return status;
}

gs_status
gs_store_install(gs_store *store, gs_install *change, gs_error *err)
{
  gs_error failure;
  err = err == NULL ? &failure : err;
  gs_manifest_state next;
  fill_facts(store, change);
  gs_status status = gs_edit_status(change->edit, err);
  if (status == GS_OK) {
    status = gs_manifest_state_prepare(
        &store->tree, gs_edit_encoding(change->edit), change->known,
        change->known_count, &next, err);
  }
  if (status != GS_OK) {
    return status;
  }
  gs_store_adopt_tables(store, next.version);
  gs_env_point(store->env, "install.edit");
  status = make_durable(store, change->edit, err);
  if (status != GS_OK) {
    gs_manifest_state_deinit(&next);
    return status;
  }
  gs_env_point(store->env, "install.synced");
  change->is_durable = true;
  if (change->note_number != 0) {
    store->tree_note_number = change->note_number;
  }
  return take_over(store, change, &next, err);
}

/* Behind the clean mark no file may be newer than the manifest says: see
 * admission. */
gs_status
gs_store_leave_clean(gs_store *store, gs_error *err)
{
  gs_edit *edit = gs_edit_new(store->alloc);
  if (edit == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  gs_install change = {.edit = edit};
  gs_mutex_lock(store->install);
  gs_status status = store->tree.facts.is_clean
                         ? gs_store_install(store, &change, err)
                         : GS_OK;
  gs_mutex_unlock(store->install);
  gs_edit_free(edit);
  return status;
}
