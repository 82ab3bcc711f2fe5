/*
 * lookup: nothing is decided while memory is asked for. What a step finds missing
 * (a table not yet open, a block not in memory) it passes over: find meets it.
 */
#include "store/lookup.h"

#include "code/hash.h"

void
gs_lookup_begin(gs_lookup *lookup, gs_slice key)
{
  lookup->key = key;
  lookup->hash = gs_hash_key(key);
  lookup->has_looked = false;
  lookup->is_found = false;
  lookup->run_count = 0;
  lookup->table_count = 0;
}

/* ---- memory --------------------------------------------------------------- */

void
gs_lookup_ask_memory(const gs_lookup *lookup, const gs_read_point *point)
{
  const gs_view *view = point->view;
  for (size_t i = 0; i < view->memtable_count; i++) {
    gs_memtable_prefetch(view->memtables[i], lookup->hash);
  }
}

void
gs_lookup_ask_nodes(const gs_lookup *lookup, const gs_read_point *point)
{
  const gs_view *view = point->view;
  for (size_t i = 0; i < view->memtable_count; i++) {
    gs_memtable_prefetch_row(view->memtables[i], lookup->hash);
  }
}

static bool
find_in_memory(const gs_lookup *lookup, const gs_read_point *point,
               gs_entry *out)
{
  const gs_view *view = point->view;
  for (size_t i = 0; i < view->memtable_count; i++) {
    if (gs_memtable_get(view->memtables[i], lookup->key, lookup->hash,
                        point->seq, out)) {
      return true;
    }
  }
  return false;
}

bool
gs_lookup_look_in_memory(gs_lookup *lookup, const gs_read_point *point)
{
  lookup->has_looked = true;
  lookup->is_found = find_in_memory(lookup, point, &lookup->entry);
  return lookup->is_found;
}

/* ---- tables --------------------------------------------------------------- */

static const gs_table *
opened(const gs_tree_table *found)
{
  return atomic_load_explicit(&found->payload, memory_order_acquire);
}

/* The tables of the next runs that may have the key. Their index lines are asked
 * for at once, so that the misses overlap. */
static void
choose_tables(gs_lookup *lookup, const gs_version *version)
{
  size_t first = lookup->run_count;
  size_t left = version->run_count - first;
  size_t end = first + (left < GS_LOOKUP_RUNS ? left : GS_LOOKUP_RUNS);
  size_t count = 0;
  for (size_t i = first; i < end; i++) {
    gs_tree_table *found = gs_run_find(version->runs[i], lookup->key);
    const gs_table *table = found == NULL ? NULL : opened(found);
    if (table != NULL) {
      gs_table_prefetch(table, lookup->hash);
    }
    if (found != NULL) {
      lookup->tables[count++] = found;
    }
  }
  lookup->run_count = end;
  lookup->table_count = count;
}

void
gs_lookup_ask_tables(gs_lookup *lookup, const gs_read_point *point)
{
  choose_tables(lookup, point->view->version);
}

void
gs_lookup_ask_homes(gs_lookup *lookup)
{
  lookup->hint.home = NULL;
  for (size_t i = 0; lookup->hint.home == NULL && i < lookup->table_count;
       i++) {
    const gs_table *table = opened(lookup->tables[i]);
    if (table != NULL) {
      lookup->hint = gs_table_prefetch_home(table, lookup->hash);
    }
  }
}

void
gs_lookup_ask_rows(const gs_lookup *lookup)
{
  gs_table_prefetch_row(lookup->hint);
}

/* ---- finding -------------------------------------------------------------- */

static gs_status
find_in_tables(const gs_lookup *lookup, gs_store *store,
               const gs_read_point *point, gs_entry *out, gs_error *err)
{
  gs_status status = GS_ABSENT;
  for (size_t i = 0; status == GS_ABSENT && i < lookup->table_count; i++) {
    gs_table *table;
    status = gs_store_table(store, lookup->tables[i], &table, err);
    if (status == GS_OK) {
      status =
          gs_table_get(table, lookup->key, lookup->hash, point->seq, out, err);
    }
  }
  return status;
}

static gs_status
find_in_runs(gs_lookup *lookup, gs_store *store, const gs_read_point *point,
             gs_entry *out, gs_error *err)
{
  const gs_version *version = point->view->version;
  gs_status status = find_in_tables(lookup, store, point, out, err);
  while (status == GS_ABSENT && lookup->run_count < version->run_count) {
    choose_tables(lookup, version);
    status = find_in_tables(lookup, store, point, out, err);
  }
  return status;
}

gs_status
gs_lookup_find(gs_lookup *lookup, gs_store *store, const gs_read_point *point,
               gs_entry *out, gs_error *err)
{
  if (lookup->is_found) {
    *out = lookup->entry;
    return GS_OK;
  }
  if (!lookup->has_looked && find_in_memory(lookup, point, out)) {
    return GS_OK;
  }
  return find_in_runs(lookup, store, point, out, err);
}
