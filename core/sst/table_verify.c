/*
 * table_verify: reads the whole file once more from the medium, past the cache,
 * and holds every block against the format, its neighbours, its fence, the
 * point index and the metadata.
 */
#include <inttypes.h>

#include "code/hash.h"
#include "sst/table_impl.h"
#include "sst/tally.h"

/* What the walk over the blocks has gathered. */
typedef struct audit {
  const gs_table *table;
  gs_buffer bytes; /* of the block looked at, as stored */
  gs_unpacker unpacker;
  gs_buffer buckets;  /* of the point index */
  gs_buffer last_key; /* of the rows so far */
  uint64_t last_seq;
  gs_table_meta tally;
} audit;

/* Without buckets where the table has no index. */
static gs_point_index
index_of(const audit *seen)
{
  return (gs_point_index){seen->buckets.data,
                          seen->buckets.size / GS_BUCKET_BYTES};
}

static gs_status
fail_block(const audit *seen, uint32_t number, const char *fault, gs_error *err)
{
  gs_status status =
      GS_FAIL(err, GS_CORRUPT, "block %" PRIu32 ": %s", number, fault);
  return gs_table_fail_at(seen->table, err, status,
                          seen->table->fences.list[number].offset);
}

/* Header and footer, which say where the parts are. */
static gs_status
verify_ends(const gs_table *table, gs_error *err)
{
  uint64_t size = table->meta.file_bytes;
  uint64_t footer_at = size - GS_TABLE_FOOTER_BYTES;
  uint8_t bytes[GS_TABLE_FOOTER_BYTES];
  gs_status status =
      gs_file_read(table->file, 0, bytes, GS_TABLE_HEADER_BYTES, err);
  if (status != GS_OK) {
    return status;
  }
  gs_table_header header;
  status = gs_table_header_decode(bytes, &header, err);
  if (status == GS_OK &&
      (header.id != table->meta.id || header.salt != table->salt)) {
    status = GS_FAIL(err, GS_CORRUPT, "the header is that of another table");
  }
  if (status != GS_OK) {
    return gs_table_fail_at(table, err, status, 0);
  }
  status = gs_file_read(table->file, footer_at, bytes, sizeof bytes, err);
  if (status != GS_OK) {
    return status;
  }
  gs_table_footer footer;
  status = gs_table_footer_decode(bytes, gs_table_seed(table, footer_at), size,
                                  &footer, err);
  if (status == GS_OK && footer.checksum != table->footer.checksum) {
    status = GS_FAIL(err, GS_CORRUPT, "the footer is that of another table");
  }
  return status == GS_OK ? GS_OK
                         : gs_table_fail_at(table, err, status, footer_at);
}

static gs_status
verify_part(audit *seen, const gs_table_part *part, gs_buffer *into,
            gs_error *err)
{
  gs_buffer_clear(into);
  uint8_t *room = gs_buffer_extend(into, (size_t)part->size);
  if (room == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  return gs_table_read_part(seen->table, part, room, err);
}

static gs_status
verify_parts(audit *seen, gs_error *err)
{
  const gs_table *table = seen->table;
  gs_status status = verify_ends(table, err);
  if (status == GS_OK && table->footer.index.size > 0) {
    status = verify_part(seen, &table->footer.index, &seen->buckets, err);
  }
  if (status == GS_OK) {
    status = verify_part(seen, &table->footer.fences, &seen->bytes, err);
  }
  if (status == GS_OK) {
    status = verify_part(seen, &table->footer.properties, &seen->bytes, err);
  }
  if (status != GS_OK || seen->buckets.size == 0) {
    return status;
  }
  gs_point_index index = index_of(seen);
  status = gs_point_index_verify(&index, table->meta.key_count, err);
  return status == GS_OK
             ? GS_OK
             : gs_table_fail_at(table, err, status, table->footer.index.offset);
}

/* Reads a block from the file into the audit's bytes. */
static gs_status
read_block(audit *seen, uint32_t number, gs_block *out, gs_error *err)
{
  const gs_table *table = seen->table;
  const gs_fence *fence = &table->fences.list[number];
  gs_buffer_clear(&seen->bytes);
  uint8_t *room = gs_buffer_extend(&seen->bytes, fence->size);
  if (room == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  gs_status status =
      gs_file_read(table->file, fence->offset, room, fence->size, err);
  if (status != GS_OK) {
    return status;
  }
  status = gs_unpacker_open(&seen->unpacker, gs_slice_of(room, fence->size),
                            gs_table_seed(table, fence->offset),
                            gs_table_codec(table), out, err);
  return status == GS_OK ? GS_OK
                         : gs_table_fail_at(table, err, status, fence->offset);
}

/* How the first row fits to the row before it, in the block before. */
static const char *
seam_fault(const audit *seen, uint32_t number, const gs_entry *first)
{
  if (!gs_fences_is_first(&seen->table->fences, number, first->key)) {
    return "it does not begin as its fence says";
  }
  if (number == 0) {
    return NULL;
  }
  int order = gs_slice_compare(gs_buffer_slice(&seen->last_key), first->key);
  if (order > 0 || (order == 0 && seen->last_seq <= first->seq)) {
    return "it is out of order with the block before";
  }
  return NULL;
}

/* Whether the point index leads to this row. */
static bool
is_indexed(const audit *seen, uint32_t number, uint32_t at, gs_slice key)
{
  gs_point_index index = index_of(seen);
  if (index.bucket_count == 0) {
    return true;
  }
  uint64_t hash = gs_hash_key(key);
  uint32_t locator =
      number << seen->table->footer.locator_shift | at / GS_BLOCK_UNIT_BYTES;
  return gs_point_index_holds_all(&index, &hash, &locator, 1);
}

/* Requires: the block was verified. */
static gs_status
count_rows(audit *seen, uint32_t number, const gs_block *block, gs_error *err)
{
  gs_entry entry = {.seq = 0};
  uint32_t at = gs_block_row_at(block, 0);
  for (uint32_t row = 0; row < block->row_count; row++) {
    uint32_t next = gs_block_row(block, at, &entry);
    bool is_older = gs_block_is_older(block, at);
    if (!is_older && !is_indexed(seen, number, at, entry.key)) {
      return fail_block(seen, number, "the point index does not give a key",
                        err);
    }
    gs_tally_add(&seen->tally, &entry, is_older);
    at = next;
  }
  gs_buffer_clear(&seen->last_key);
  gs_buffer_append_slice(&seen->last_key, entry.key);
  seen->last_seq = entry.seq;
  return gs_buffer_status(&seen->last_key, err);
}

static gs_status
verify_block(audit *seen, uint32_t number, gs_error *err)
{
  const gs_table *table = seen->table;
  gs_block block;
  gs_status status = read_block(seen, number, &block, err);
  if (status != GS_OK) {
    return status;
  }
  bool goes_on =
      number > 0 && gs_fences_is_first(&table->fences, number,
                                       gs_buffer_slice(&seen->last_key));
  status = gs_block_verify(&block, goes_on, err);
  if (status != GS_OK) {
    return gs_table_fail_at(table, err, status,
                            table->fences.list[number].offset);
  }
  if (block.row_count > 1 &&
      block.end + GS_TABLE_CHECKSUM_BYTES > table->footer.block_bytes) {
    return fail_block(seen, number, "it is larger than the table wants", err);
  }
  gs_entry first;
  GS_IGNORE(gs_block_row(&block, gs_block_row_at(&block, 0), &first) == 0,
            "the block was verified");
  const char *fault = seam_fault(seen, number, &first);
  return fault != NULL ? fail_block(seen, number, fault, err)
                       : count_rows(seen, number, &block, err);
}

static gs_status
verify_blocks(audit *seen, gs_error *err)
{
  const gs_table *table = seen->table;
  const gs_table_meta *meta = &table->meta;
  for (uint32_t i = 0; i < table->fences.count; i++) {
    gs_status status = verify_block(seen, i, err);
    if (status != GS_OK) {
      return status;
    }
  }
  bool has_tombstones = meta->tombstone_count > 0;
  if (!gs_tally_equal(&seen->tally, meta) ||
      !gs_fences_is_first(&table->fences, 0, meta->min_key) ||
      !gs_slice_equal(gs_buffer_slice(&seen->last_key), meta->max_key) ||
      (meta->oldest_tombstone_ms != 0 && !has_tombstones)) {
    gs_status status =
        GS_FAIL(err, GS_CORRUPT, "the table's properties do not fit its rows");
    return gs_table_fail_at(table, err, status,
                            table->footer.properties.offset);
  }
  return GS_OK;
}

gs_status
gs_table_verify(gs_table *table, gs_error *err)
{
  audit seen = {.table = table};
  gs_buffer_init(&seen.bytes, table->env->alloc);
  gs_unpacker_init(&seen.unpacker, table->env->alloc);
  gs_buffer_init(&seen.buckets, table->env->alloc);
  gs_buffer_init(&seen.last_key, table->env->alloc);
  gs_status status = verify_parts(&seen, err);
  if (status == GS_OK) {
    status = verify_blocks(&seen, err);
  }
  gs_buffer_deinit(&seen.bytes);
  gs_unpacker_deinit(&seen.unpacker);
  gs_buffer_deinit(&seen.buckets);
  gs_buffer_deinit(&seen.last_key);
  return status;
}
