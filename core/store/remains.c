/*
 * remains: two ways through a table, one by its fences and one without; both
 * try each place and note what lies between the blocks they could take.
 */
#include "store/remains.h"

#include "code/fixed.h"
#include "code/hash.h"
#include "sst/fences.h"
#include "sst/unpacker.h"
#include "store/mend.h"

/* The table while it is looked at. */
typedef struct scan {
  gs_remains *s;
  gs_buffer bytes; /* the whole file; wrong bits are put right here */
  gs_unpacker unpacker;
  bool is_out_of_memory; /* so what was no block may have been one */
  gs_table_footer footer;
  gs_fences fences;
  gs_table_meta meta; /* of the manifest or of the properties */
  bool has_footer;
  bool has_fences;
  bool has_meta;
  gs_buffer last_key;
  bool has_last;
  uint64_t last_seq;
  bool has_gap; /* one is open: */
  uint64_t gap_at;
  uint64_t gap_bytes;
  uint64_t gap_blocks;
  gs_buffer gap_from;
} scan;

/* ---- life -------------------------------------------------------------------- */

void
gs_remains_init(gs_remains *s, gs_env *env)
{
  *s = (gs_remains){.env = env};
  gs_buffer_init(&s->path, env->alloc);
  gs_buffer_init(&s->blocks, env->alloc);
  gs_buffer_init(&s->gaps, env->alloc);
  gs_buffer_init(&s->first_key, env->alloc);
}

static gs_remains_gap *
gap_at(const gs_remains *s, size_t index)
{
  void *gaps = s->gaps.data;
  return (gs_remains_gap *)gaps + index;
}

void
gs_remains_deinit(gs_remains *s)
{
  for (size_t i = 0; i < s->gap_count; i++) {
    gs_buffer_deinit(&gap_at(s, i)->from);
    gs_buffer_deinit(&gap_at(s, i)->to);
  }
  gs_buffer_deinit(&s->path);
  gs_buffer_deinit(&s->blocks);
  gs_buffer_deinit(&s->gaps);
  gs_buffer_deinit(&s->first_key);
}

gs_remains_block
gs_remains_get_block(const gs_remains *s, size_t index)
{
  gs_remains_block block;
  memcpy(&block, s->blocks.data + index * sizeof block, sizeof block);
  return block;
}

const gs_remains_gap *
gs_remains_get_gap(const gs_remains *s, size_t index)
{
  return gap_at(s, index);
}

/* ---- the two ends ------------------------------------------------------------ */

static bool
decode_footer(const scan *c, const uint8_t *bytes, gs_table_footer *out)
{
  uint64_t at = c->bytes.size - GS_TABLE_FOOTER_BYTES;
  uint64_t seed = gs_checksum_seed(c->s->salt, c->s->id, at);
  return gs_table_footer_decode(bytes, seed, c->bytes.size, out, NULL) == GS_OK;
}

static void
fix_footer(scan *c)
{
  if (c->bytes.size < GS_TABLE_HEADER_BYTES + GS_TABLE_FOOTER_BYTES) {
    return;
  }
  uint8_t *bytes = c->bytes.data + c->bytes.size - GS_TABLE_FOOTER_BYTES;
  c->has_footer = decode_footer(c, bytes, &c->footer);
  for (uint32_t i = 0; !c->has_footer && i < GS_TABLE_FOOTER_BYTES * 8; i++) {
    gs_mend_flip(bytes, i);
    c->has_footer = decode_footer(c, bytes, &c->footer);
    if (c->has_footer) {
      c->s->bits_fixed++;
    } else {
      gs_mend_flip(bytes, i);
    }
  }
}

/* ---- the parts --------------------------------------------------------------- */

static bool
fix_part(scan *c, const gs_table_part *part)
{
  uint32_t bit;
  uint64_t seed = gs_checksum_seed(c->s->salt, c->s->id, part->offset);
  bool is_sound = gs_mend_bit(c->bytes.data + part->offset, (size_t)part->size,
                              seed, part->checksum, &bit);
  c->s->bits_fixed += is_sound && bit != GS_MEND_NONE;
  return is_sound;
}

static gs_status
read_fences(scan *c, gs_error *err)
{
  const gs_table_part *part = &c->footer.fences;
  if (!c->has_footer || !fix_part(c, part)) {
    return GS_OK;
  }
  gs_buffer section;
  gs_buffer_init(&section, c->s->env->alloc);
  gs_buffer_append(&section, c->bytes.data + part->offset, (size_t)part->size);
  gs_status status = gs_buffer_status(&section, err);
  if (status != GS_OK) {
    gs_buffer_deinit(&section);
    return status;
  }
  status = gs_fences_load(&c->fences, &section, c->footer.block_count,
                          c->footer.index.offset, err);
  c->has_fences = status == GS_OK;
  return status == GS_CORRUPT ? GS_OK : status;
}

static void
read_meta(scan *c, const gs_table_meta *listed)
{
  const gs_table_part *part = &c->footer.properties;
  size_t used;
  if (listed != NULL) {
    c->meta = *listed;
    c->has_meta = true;
  } else if (c->has_footer && fix_part(c, part)) {
    gs_slice bytes =
        gs_slice_of(c->bytes.data + part->offset, (size_t)part->size);
    c->has_meta = gs_table_meta_decode(bytes, &c->meta, &used, NULL) == GS_OK;
  }
  c->s->is_max_known = c->has_meta;
  if (c->has_meta) {
    c->s->max_seq = c->meta.max_seq;
    c->s->created_ms = c->meta.created_ms;
  }
}

/* ---- gaps -------------------------------------------------------------------- */

/* The least key above the last one taken: its newest version is there, so a gap
 * behind it can only hold older ones. */
static void
append_after_last(const scan *c, gs_buffer *out)
{
  if (c->has_last) {
    gs_buffer_append_slice(out, gs_buffer_slice(&c->last_key));
    gs_buffer_append_zeros(out, 1);
  } else if (c->has_meta) {
    gs_buffer_append_slice(out, c->meta.min_key);
  }
}

/* fence: index of a block that is known to begin there, or UINT32_MAX. */
static void
widen_gap(scan *c, uint64_t offset, uint64_t bytes, uint32_t fence)
{
  if (!c->has_gap) {
    c->has_gap = true;
    c->gap_at = offset;
    c->gap_bytes = 0;
    c->gap_blocks = 0;
    gs_buffer_clear(&c->gap_from);
    bool goes_on =
        fence == UINT32_MAX ||
        (c->has_last &&
         gs_fences_is_first(&c->fences, fence, gs_buffer_slice(&c->last_key)));
    if (goes_on) {
      append_after_last(c, &c->gap_from);
    } else {
      gs_fences_append_key(&c->fences, fence, &c->gap_from);
    }
  }
  c->gap_bytes += bytes;
  c->gap_blocks += fence != UINT32_MAX;
}

/* The gap ends where `next` begins; NULL: with the table. */
static gs_status
close_gap(scan *c, const gs_entry *next, bool next_is_older, gs_error *err)
{
  gs_remains *s = c->s;
  if (!c->has_gap) {
    return GS_OK;
  }
  gs_remains_gap gap = {
      .offset = c->gap_at, .bytes = c->gap_bytes, .blocks = c->gap_blocks};
  gs_buffer_init(&gap.from, s->env->alloc);
  gs_buffer_init(&gap.to, s->env->alloc);
  gs_buffer_append_slice(&gap.from, gs_buffer_slice(&c->gap_from));
  gap.has_to = next != NULL || c->has_meta;
  if (gap.has_to) {
    gs_buffer_append_slice(&gap.to, next != NULL ? next->key : c->meta.max_key);
    gs_buffer_append_zeros(&gap.to, next == NULL || next_is_older ? 1 : 0);
  }
  c->has_gap = false;
  bool has_failed = gap.from.failed || gap.to.failed || c->gap_from.failed;
  gs_buffer_append(&s->gaps, &gap, sizeof gap);
  if (s->gaps.failed || has_failed) {
    if (s->gaps.failed) {
      gs_buffer_deinit(&gap.from);
      gs_buffer_deinit(&gap.to);
    } else {
      s->gap_count++;
    }
    return GS_FAIL_NOMEM(err);
  }
  s->gap_count++;
  return GS_OK;
}

/* ---- one block --------------------------------------------------------------- */

/* Within the block, whatever it holds. */
static uint32_t
first_row_at(const gs_block *block)
{
  return (uint32_t)gs_block_rows_at(block->row_count, block->prefix_size);
}

/* Rows of a sound block, and its last one. */
static uint64_t
count_rows(const gs_block *block, gs_entry *last, uint64_t *max_seq)
{
  uint32_t at = first_row_at(block);
  for (uint32_t i = 0; i < block->row_count; i++) {
    at = gs_block_row(block, at, last);
    *max_seq = last->seq > *max_seq ? last->seq : *max_seq;
  }
  return block->row_count;
}

static bool
follows_last(const scan *c, const gs_entry *first, bool is_older)
{
  if (!c->has_last) {
    return true;
  }
  int order = gs_slice_compare(gs_buffer_slice(&c->last_key), first->key);
  return order < 0 || (order == 0 && is_older && c->last_seq > first->seq);
}

static gs_status
take_block(scan *c, const gs_block *block, const gs_remains_block *place,
           const gs_entry *first, gs_error *err)
{
  gs_remains *s = c->s;
  bool is_older = gs_block_is_older(block, first_row_at(block));
  gs_status status = close_gap(c, first, is_older, err);
  gs_entry last = *first;
  uint64_t max_seq = 0;
  if (s->block_count == 0) {
    gs_buffer_append_slice(&s->first_key, first->key);
  }
  s->entries += count_rows(block, &last, &max_seq);
  if (max_seq > s->max_seq) {
    s->max_seq = max_seq;
  }
  gs_buffer_clear(&c->last_key);
  gs_buffer_append_slice(&c->last_key, last.key);
  c->last_seq = last.seq;
  c->has_last = true;
  gs_buffer_append(&s->blocks, place, sizeof *place);
  s->block_count++;
  s->bits_fixed += place->wrong_bit != GS_MEND_NONE;
  bool has_failed =
      s->blocks.failed || s->first_key.failed || c->last_key.failed;
  return status == GS_OK && has_failed ? GS_FAIL_NOMEM(err) : status;
}

/* Whether a block of the size stands at the offset; *err is left alone. */
static bool
open_block(scan *c, uint64_t offset, uint32_t size, gs_block *out)
{
  gs_slice bytes = gs_slice_of(c->bytes.data + offset, size);
  uint64_t seed = gs_checksum_seed(c->s->salt, c->s->id, offset);
  gs_block block;
  gs_status status = gs_unpacker_open(&c->unpacker, bytes, seed,
                                      gs_packed_codec(bytes), &block, NULL);
  c->is_out_of_memory |= status == GS_NOMEM;
  if (status != GS_OK) {
    return false;
  }
  bool is_older = gs_block_is_older(&block, first_row_at(&block));
  *out = block;
  return gs_block_verify(&block, is_older, NULL) == GS_OK;
}

static bool
has_room(const scan *c, uint64_t offset, uint64_t size)
{
  return size > GS_BLOCK_HEADER_BYTES + GS_TABLE_CHECKSUM_BYTES &&
         size % GS_BLOCK_UNIT_BYTES == 0 && size <= UINT32_MAX &&
         offset <= c->bytes.size && size <= c->bytes.size - offset;
}

/* Opens the block after one wrong bit was put right, which stays so. */
static bool
open_fixed(scan *c, uint64_t offset, uint32_t size, gs_block *out,
           uint32_t *bit)
{
  uint8_t *bytes = c->bytes.data + offset;
  size_t end = size - GS_TABLE_CHECKSUM_BYTES;
  uint64_t seed = gs_checksum_seed(c->s->salt, c->s->id, offset);
  if (!gs_mend_bit(bytes, end, seed, gs_get_u64(bytes + end), bit)) {
    return false;
  }
  if (*bit != GS_MEND_NONE && *bit >= end * 8) {
    gs_mend_flip(bytes, *bit);
  }
  if (open_block(c, offset, size, out)) {
    return true;
  }
  if (*bit != GS_MEND_NONE) {
    gs_mend_flip(bytes, *bit);
  }
  return false;
}

/* Takes the block of that size, if it is one: *is_taken. */
static gs_status
try_block(scan *c, uint64_t offset, uint32_t size, bool may_fix, bool *is_taken,
          gs_error *err)
{
  gs_block block;
  gs_entry first;
  gs_remains_block place = {offset, size, GS_MEND_NONE};
  *is_taken = false;
  if (!has_room(c, offset, size) ||
      !(open_block(c, offset, size, &block) ||
        (may_fix && open_fixed(c, offset, size, &block, &place.wrong_bit)))) {
    return GS_OK;
  }
  uint32_t at = first_row_at(&block);
  bool is_row = gs_block_row(&block, at, &first) != 0;
  if (!is_row || !follows_last(c, &first, gs_block_is_older(&block, at))) {
    return GS_OK;
  }
  *is_taken = true;
  return take_block(c, &block, &place, &first, err);
}

/* ---- the two ways ------------------------------------------------------------ */

static gs_status
scan_by_fences(scan *c, gs_error *err)
{
  gs_status status = GS_OK;
  for (uint32_t i = 0; status == GS_OK && i < c->fences.count; i++) {
    const gs_fence *fence = &c->fences.list[i];
    bool is_taken;
    status = try_block(c, fence->offset, fence->size, true, &is_taken, err);
    if (status == GS_OK && !is_taken) {
      widen_gap(c, fence->offset, fence->size, i);
    }
  }
  return status == GS_OK ? close_gap(c, NULL, false, err) : status;
}

static bool
looks_like_codec(const uint8_t *at)
{
  uint32_t word = gs_get_u32(at + GS_BLOCK_CODEC_AT);
  uint32_t codec = word & 0xff;
  uint32_t most = codec == GS_CODEC_NONE ? 0 : GS_BLOCK_UNIT_BYTES - 1;
  return codec < GS_CODECS && word >> 8 <= most;
}

/* What can be seen of a block's header before any checksum: nearly no place
 * that is none passes. */
static bool
looks_like_block(const scan *c, uint64_t offset, uint32_t *size)
{
  if (!has_room(c, offset, GS_BLOCK_HEADER_BYTES + 12)) {
    return false;
  }
  const uint8_t *at = c->bytes.data + offset;
  *size = gs_get_u32(at);
  return looks_like_codec(at) && gs_get_u16(at + 4) > 0 &&
         gs_get_u64(at + 8) <= GS_SEQ_MAX && has_room(c, offset, *size) &&
         (gs_get_u16(at + 4) == 1 || *size <= GS_BLOCK_MAX_BYTES);
}

/* A block that should begin here, with one bit wrong: perhaps in its size. */
static gs_status
try_here(scan *c, uint64_t offset, bool *is_taken, uint32_t *size,
         gs_error *err)
{
  *is_taken = false;
  if (!has_room(c, offset, GS_BLOCK_HEADER_BYTES + 12)) {
    return GS_OK;
  }
  uint8_t *at = c->bytes.data + offset;
  *size = gs_get_u32(at);
  gs_status status = GS_OK;
  if (*size <= GS_BLOCK_MAX_BYTES) {
    status = try_block(c, offset, *size, true, is_taken, err);
  }
  for (uint32_t bit = 0; status == GS_OK && !*is_taken && bit < 32; bit++) {
    gs_mend_flip(at, bit);
    *size = gs_get_u32(at);
    status = try_block(c, offset, *size, false, is_taken, err);
    if (*is_taken) {
      gs_remains_block *taken = (void *)c->s->blocks.data;
      taken[c->s->block_count - 1].wrong_bit = bit;
      c->s->bits_fixed++;
    } else {
      gs_mend_flip(at, bit);
    }
  }
  return status;
}

/* The next place from here on where a block opens; end where there is none. */
static uint64_t
find_block(scan *c, uint64_t offset, uint64_t end, uint32_t *size)
{
  gs_block block;
  while (offset < end && !(looks_like_block(c, offset, size) &&
                           open_block(c, offset, *size, &block))) {
    offset += GS_BLOCK_UNIT_BYTES;
  }
  return offset < end ? offset : end;
}

/* Behind the last block stand the other parts; whether blocks were lost there
 * too tells the number of rows or the last key, where it is known: behind the
 * newest version of that key nothing stands but older ones. */
static gs_status
end_walk(scan *c, uint64_t end, gs_error *err)
{
  bool is_complete =
      c->has_meta &&
      (c->s->entries >= c->meta.entry_count ||
       (c->has_last &&
        gs_slice_equal(gs_buffer_slice(&c->last_key), c->meta.max_key)));
  if (is_complete) {
    c->has_gap = false;
  } else if (!c->has_gap && c->has_meta) {
    widen_gap(c, end, 0, UINT32_MAX);
  }
  return close_gap(c, NULL, false, err);
}

static gs_status
scan_by_walk(scan *c, gs_error *err)
{
  uint64_t end = c->has_footer ? c->footer.index.offset : c->bytes.size;
  uint64_t offset = GS_TABLE_HEADER_BYTES;
  gs_status status = GS_OK;
  while (status == GS_OK && offset < end) {
    bool is_taken = false;
    uint32_t size = 0;
    status = try_here(c, offset, &is_taken, &size, err);
    if (status == GS_OK && !is_taken) {
      uint64_t next = find_block(c, offset + GS_BLOCK_UNIT_BYTES, end, &size);
      widen_gap(c, offset, next - offset, UINT32_MAX);
      offset = next;
    } else {
      offset += size;
    }
  }
  return status == GS_OK ? end_walk(c, end, err) : status;
}

/* ---- the whole --------------------------------------------------------------- */

static gs_status
scan_table(scan *c, const gs_table_meta *listed, gs_error *err)
{
  fix_footer(c);
  if (c->has_footer && listed != NULL &&
      c->footer.checksum != listed->footer_checksum) {
    c->s->is_foreign = true;
    return GS_OK;
  }
  read_meta(c, listed);
  gs_status status = read_fences(c, err);
  if (status != GS_OK) {
    return status;
  }
  status = c->has_fences ? scan_by_fences(c, err) : scan_by_walk(c, err);
  return status == GS_OK && c->is_out_of_memory ? GS_FAIL_NOMEM(err) : status;
}

gs_status
gs_remains_read(gs_remains *s, const gs_remains_identity *identity,
                gs_error *err)
{
  scan c = {.s = s};
  gs_alloc *alloc = s->env->alloc;
  s->id = identity->id;
  s->salt = identity->salt;
  gs_buffer_init(&c.bytes, alloc);
  gs_unpacker_init(&c.unpacker, alloc);
  gs_buffer_init(&c.fences.bytes, alloc);
  gs_buffer_init(&c.last_key, alloc);
  gs_buffer_init(&c.gap_from, alloc);
  gs_status status = gs_mend_read(s->env, gs_remains_path(s), &c.bytes, err);
  if (status == GS_OK) {
    status = scan_table(&c, identity->listed, err);
  }
  gs_fences_deinit(&c.fences);
  gs_buffer_deinit(&c.bytes);
  gs_unpacker_deinit(&c.unpacker);
  gs_buffer_deinit(&c.last_key);
  gs_buffer_deinit(&c.gap_from);
  return status;
}
