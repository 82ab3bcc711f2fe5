/*
 * table_open: every part is verified before anything in it is believed: size,
 * header, footer, and through the footer the other parts. The blocks and the
 * point index are verified when they are read, which opening does not: a store
 * that is opened for a look at a few keys reads no more than their blocks.
 */
#include <inttypes.h>

#include "code/hash.h"
#include "sst/table_impl.h"

uint64_t
gs_table_seed(const gs_table *table, uint64_t offset)
{
  return gs_checksum_seed(table->salt, table->meta.id, offset);
}

gs_status
gs_table_fail_at(const gs_table *table, gs_error *err, gs_status status,
                 uint64_t offset)
{
  GS_IGNORE(gs_error_at(err, status, table->file->path), "returned below");
  return gs_error_offset(err, status, offset);
}

gs_status
gs_table_read_part(const gs_table *table, const gs_table_part *part,
                   uint8_t *out, gs_error *err)
{
  size_t size = (size_t)part->size;
  gs_status status = gs_file_read(table->file, part->offset, out, size, err);
  if (status != GS_OK) {
    return status;
  }
  if (gs_checksum(out, size, gs_table_seed(table, part->offset)) !=
      part->checksum) {
    status = GS_FAIL(err, GS_CORRUPT,
                     "the checksum of a part of the table is wrong");
    return gs_table_fail_at(table, err, status, part->offset);
  }
  return GS_OK;
}

/* The same into a buffer. */
static gs_status
read_into(const gs_table *table, const gs_table_part *part, gs_buffer *out,
          gs_error *err)
{
  uint8_t *room = gs_buffer_extend(out, (size_t)part->size);
  if (room == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  return gs_table_read_part(table, part, room, err);
}

static gs_status
check_size(gs_table *table, const gs_table_meta *expected, uint64_t *size,
           gs_error *err)
{
  gs_status status = gs_file_size(table->file, size, err);
  if (status != GS_OK) {
    return status;
  }
  if (*size < GS_TABLE_HEADER_BYTES + GS_TABLE_FOOTER_BYTES) {
    status = GS_FAIL(err, GS_CORRUPT,
                     "a table cannot be as short as %" PRIu64 " bytes", *size);
    return gs_table_fail_at(table, err, status, *size);
  }
  if (expected != NULL && expected->file_bytes != *size) {
    status = GS_FAIL(err, GS_CORRUPT,
                     "the table has %" PRIu64 " bytes, the manifest says "
                     "%" PRIu64,
                     *size, expected->file_bytes);
    return gs_table_fail_at(table, err, status, *size);
  }
  return GS_OK;
}

/* Learns id and salt. */
static gs_status
read_header(gs_table *table, const gs_table_meta *expected, uint64_t salt,
            uint32_t *features, gs_error *err)
{
  uint8_t bytes[GS_TABLE_HEADER_BYTES];
  gs_table_header header;
  gs_status status = gs_file_read(table->file, 0, bytes, sizeof bytes, err);
  if (status != GS_OK) {
    return status;
  }
  status = gs_table_header_decode(bytes, &header, err);
  if (status != GS_OK) {
    return gs_table_fail_at(table, err, status, 0);
  }
  bool is_any = expected == NULL && salt == 0;
  if (!is_any && header.salt != salt) {
    status = GS_FAIL(err, GS_CORRUPT, "the table belongs to another store");
    return gs_table_fail_at(table, err, status, 0);
  }
  if (expected != NULL && header.id != expected->id) {
    status = GS_FAIL(err, GS_CORRUPT,
                     "this is table %" PRIu64 ", the manifest says %" PRIu64,
                     header.id, expected->id);
    return gs_table_fail_at(table, err, status, 0);
  }
  table->meta.id = header.id;
  table->salt = header.salt;
  *features = header.features;
  return GS_OK;
}

static gs_status
read_footer(gs_table *table, uint64_t file_bytes, uint32_t features,
            gs_error *err)
{
  uint8_t bytes[GS_TABLE_FOOTER_BYTES];
  uint64_t offset = file_bytes - sizeof bytes;
  gs_status status =
      gs_file_read(table->file, offset, bytes, sizeof bytes, err);
  if (status != GS_OK) {
    return status;
  }
  status = gs_table_footer_decode(bytes, gs_table_seed(table, offset),
                                  file_bytes, &table->footer, err);
  if (status == GS_OK && table->footer.features != features) {
    status =
        GS_FAIL(err, GS_CORRUPT, "header and footer of the table do not agree");
  }
  return status == GS_OK ? GS_OK : gs_table_fail_at(table, err, status, offset);
}

/* What the metadata must say for this file. */
static gs_status
check_meta(const gs_table *table, const gs_table_meta *meta,
           uint64_t file_bytes, gs_error *err)
{
  if (meta->seq_override != 0) {
    return GS_FAIL(err, GS_VERSION,
                   "the table's entries take a common sequence number, which "
                   "this library does not know");
  }
  if (meta->id != table->meta.id || meta->file_bytes != file_bytes ||
      meta->footer_checksum != 0 || meta->entry_count == 0 ||
      meta->max_seq > GS_SEQ_MAX) {
    return GS_FAIL(err, GS_CORRUPT,
                   "the table's properties do not fit the file");
  }
  return GS_OK;
}

static gs_status
read_properties(gs_table *table, uint64_t file_bytes,
                const gs_table_meta *expected, gs_error *err)
{
  const gs_table_part *part = &table->footer.properties;
  gs_status status = read_into(table, part, &table->properties, err);
  if (status != GS_OK) {
    return status;
  }
  gs_table_meta meta;
  size_t used = 0;
  status = gs_table_meta_decode(gs_buffer_slice(&table->properties), &meta,
                                &used, err);
  if (status == GS_OK && used != part->size) {
    status = GS_FAIL(err, GS_CORRUPT, "bytes follow the table's properties");
  }
  if (status == GS_OK) {
    status = check_meta(table, &meta, file_bytes, err);
  }
  if (status != GS_OK) {
    return gs_table_fail_at(table, err, status, part->offset);
  }
  meta.footer_checksum = table->footer.checksum;
  if (expected != NULL && !gs_table_meta_equal(&meta, expected)) {
    status =
        GS_FAIL(err, GS_CORRUPT, "the table is not the one the manifest lists");
    return gs_table_fail_at(table, err, status, part->offset);
  }
  table->meta = meta;
  return GS_OK;
}

static gs_status
read_fences(gs_table *table, gs_error *err)
{
  gs_buffer bytes;
  gs_buffer_init(&bytes, table->env->alloc);
  gs_status status = read_into(table, &table->footer.fences, &bytes, err);
  if (status != GS_OK) {
    gs_buffer_deinit(&bytes);
    return status;
  }
  status = gs_fences_load(&table->fences, &bytes, table->footer.block_count,
                          table->footer.index.offset, err);
  return status == GS_OK ? GS_OK
                         : gs_table_fail_at(table, err, status,
                                            table->footer.fences.offset);
}

static gs_status
check_index_size(const gs_table *table, gs_error *err)
{
  const gs_table_part *part = &table->footer.index;
  uint64_t bucket_count = gs_point_index_buckets(table->meta.key_count);
  if (part->size == 0 || part->size == bucket_count * GS_BUCKET_BYTES) {
    return GS_OK;
  }
  gs_status status =
      GS_FAIL(err, GS_CORRUPT, "the point index has the wrong size");
  return gs_table_fail_at(table, err, status, part->offset);
}

/* What a failure to read leaves is used by the next try. */
static bool
make_index_memory(gs_table *table, size_t bytes)
{
  if (table->index_memory != NULL) {
    return true;
  }
  table->index_memory = gs_alloc_bytes(table->env->alloc, bytes);
  if (table->index_memory == NULL) {
    return false;
  }
  atomic_store_explicit(&table->index_memory_bytes, bytes,
                        memory_order_relaxed);
  gs_cache_hold(table->cache, bytes);
  return true;
}

static gs_status
read_index(gs_table *table, gs_error *err)
{
  const gs_table_part *part = &table->footer.index;
  size_t bytes = (size_t)part->size + GS_BUCKET_BYTES - 1;
  if (!make_index_memory(table, bytes)) {
    return GS_FAIL_NOMEM(err);
  }
  size_t past = (uintptr_t)table->index_memory % GS_BUCKET_BYTES;
  uint8_t *buckets =
      table->index_memory + (GS_BUCKET_BYTES - past) % GS_BUCKET_BYTES;
  gs_status status = gs_table_read_part(table, part, buckets, err);
  if (status == GS_OK) {
    table->read_index = (gs_point_index){buckets, part->size / GS_BUCKET_BYTES};
    atomic_store_explicit(&table->index, &table->read_index,
                          memory_order_release);
  }
  return status;
}

gs_status
gs_table_need_index(gs_table *table, gs_error *err)
{
  if (table->footer.index.size == 0 || gs_table_index(table) != NULL ||
      atomic_exchange(&table->reads_index, true)) {
    return GS_OK;
  }
  gs_status status = GS_OK;
  if (gs_table_index(table) == NULL) {
    status = read_index(table, err);
  }
  atomic_store(&table->reads_index, false);
  return status;
}

static gs_status
make_homes(gs_table *table, gs_error *err)
{
  size_t count = table->fences.count;
  table->homes = gs_alloc_array(table->env->alloc, count, sizeof *table->homes);
  if (table->homes == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  for (size_t i = 0; i < count; i++) {
    atomic_init(&table->homes[i], NULL);
  }
  return GS_OK;
}

static gs_status
read_parts(gs_table *table, uint64_t salt, const gs_table_meta *expected,
           gs_error *err)
{
  uint64_t file_bytes = 0;
  uint32_t features = 0;
  gs_status status = check_size(table, expected, &file_bytes, err);
  if (status == GS_OK) {
    status = read_header(table, expected, salt, &features, err);
  }
  if (status == GS_OK) {
    status = read_footer(table, file_bytes, features, err);
  }
  if (status == GS_OK) {
    status = read_properties(table, file_bytes, expected, err);
  }
  if (status == GS_OK) {
    status = read_fences(table, err);
  }
  if (status == GS_OK) {
    status = check_index_size(table, err);
  }
  return status == GS_OK ? make_homes(table, err) : status;
}

static void
close_table(gs_table *table)
{
  gs_alloc *alloc = table->env->alloc;
  if (table->is_held) {
    gs_cache_let_go(table->cache, gs_table_memory_bytes(table));
  }
  if (table->homes != NULL) {
    gs_cache_forget(table->cache, table->homes, table->fences.count);
    gs_alloc_free(alloc, (void *)table->homes,
                  table->fences.count * sizeof *table->homes);
  }
  gs_alloc_free(alloc, table->index_memory,
                atomic_load(&table->index_memory_bytes));
  gs_fences_deinit(&table->fences);
  gs_buffer_deinit(&table->properties);
  GS_IGNORE(gs_file_close(table->file, NULL), "nothing was written to it");
  GS_DELETE(alloc, table);
}

gs_status
gs_table_open(gs_cache *cache, const char *path, uint64_t salt,
              const gs_table_meta *expected, gs_table **out, gs_error *err)
{
  gs_env *env = gs_cache_env(cache);
  gs_epoch *epoch = gs_cache_epoch(cache);
  *out = NULL;
  gs_table *table = GS_NEW(env->alloc, gs_table);
  if (table == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  table->env = env;
  table->cache = cache;
  table->epoch = epoch;
  atomic_init(&table->refs, 1);
  gs_buffer_init(&table->properties, env->alloc);
  gs_buffer_init(&table->fences.bytes, env->alloc);
  gs_status status = gs_file_open(env, path, GS_OPEN_READ, &table->file, err);
  if (status == GS_OK) {
    status = read_parts(table, salt, expected, err);
  }
  if (status != GS_OK) {
    close_table(table);
    return status;
  }
  gs_cache_hold(cache, gs_table_memory_bytes(table));
  table->is_held = true;
  *out = table;
  return GS_OK;
}

void
gs_table_ref(gs_table *table)
{
  atomic_fetch_add_explicit(&table->refs, 1, memory_order_relaxed);
}

void
gs_table_unref(gs_table *table)
{
  if (table != NULL &&
      atomic_fetch_sub_explicit(&table->refs, 1, memory_order_acq_rel) == 1) {
    close_table(table);
  }
}
