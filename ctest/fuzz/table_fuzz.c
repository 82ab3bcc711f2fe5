/*
 * Fuzz target of a table as a whole: opened, read, walked both ways, verified
 * and dumped, on a simulated machine. The input is a mode and damage to one of
 * a few sound tables; or, as the mode says, a file as it is. Where the mode
 * asks for it, the checksums are made right after the damage.
 * Checked, of a damaged table: whatever was changed, opening or verifying
 * notices; and until then every read gives the right entry or "corrupt". Of a
 * forged one, and of a file, which may be another table and sound: no access
 * outside its memory (by the sanitizers), named codes, and what verify accepts
 * is in order, the same both ways, and found key by key.
 *
 * Damage: steps of a kind and its operands.
 *   0  change a byte: offset (2), by
 *   1  zero: offset (2), length
 *   2  cut: length (2)
 *   3  swap two pieces: offset (2), offset (2), length
 *   4  append: byte, how often
 *   5  write what follows: offset (2), length, bytes
 */
#include "code/fixed.h"
#include "code/hash.h"
#include "env/env.h"
#include "env/sim.h"
#include "fuzz/target.h"
#include "sst/footer.h"
#include "sst/table.h"
#include "sst/writer.h"

enum {
  IS_FORGED = 1, /* bits of the mode; bits 2 to 5 choose the table: its shape
                    and its codec */
  IS_FILE = 2,
  SHAPES = 4,
  ENTRIES = 60,
  ID = 7,
  SALT = 0x5a17,
  KEY_ROOM = 32,
  VALUE_ROOM = 400,
  FILE_MAX = 1 << 16,
};

static const char path[] = "/000007.sst";

typedef struct stage {
  gs_sim *sim;
  gs_env *env;
  gs_epoch *epoch;
  gs_cache *cache;
  gs_table *table;
  unsigned shape;
  gs_codec codec;
} stage;

/* ---- sound tables --------------------------------------------------------- */

static size_t
shared_size(unsigned shape)
{
  return shape == 2 ? 20 : shape;
}

/* Entry number i of a table: some keys have several versions. */
static gs_entry
entry_of(unsigned shape, int i, char key[KEY_ROOM], char value[VALUE_ROOM])
{
  int number = i / 3 * 2;
  size_t size = i % 7 == 0 ? (size_t)i * 6 : (size_t)i % 9;
  memset(key, 'k', shared_size(shape));
  int digits = snprintf(key + shared_size(shape), 8, "%02d", number);
  memset(value, 'a' + i % 26, size);
  gs_entry entry = {
      .key = gs_slice_of(key, shared_size(shape) + (size_t)digits),
      .value = gs_slice_of(value, size),
      .seq = (uint64_t)(1000 - i),
      .kind = GS_KIND_PUT,
      .expires_at_ms = i % 5 == 1 ? (uint64_t)i * 100 : 0,
  };
  if (i % 8 == 3) {
    entry.kind = GS_KIND_DELETE;
    entry.value.size = 0;
    entry.expires_at_ms = 0;
  }
  return entry;
}

static void
write_table(gs_env *env, unsigned shape, gs_codec codec)
{
  gs_table_writer_options options = {
      .path = path,
      .id = ID,
      .salt = SALT,
      .created_ms = 5,
      .oldest_tombstone_ms = 4,
      .block_bytes = shape == 3 ? 4096 : 256,
      .codec = codec,
      .has_point_index = shape != 1,
  };
  gs_table_writer *writer = NULL;
  gs_table_meta meta;
  gs_buffer keys;
  gs_buffer_init(&keys, env->alloc);
  REQUIRE(gs_table_writer_new(env, &options, &writer, NULL) == GS_OK);
  for (int i = 0; i < ENTRIES; i++) {
    char key[KEY_ROOM];
    char value[VALUE_ROOM];
    gs_entry entry = entry_of(shape, i, key, value);
    REQUIRE(gs_table_writer_add(writer, &entry, NULL) == GS_OK);
  }
  REQUIRE(gs_table_writer_finish(writer, &meta, &keys, NULL) == GS_OK);
  gs_buffer_deinit(&keys);
}

typedef struct sound_file {
  size_t size;
  uint8_t bytes[FILE_MAX];
} sound_file;

/* The bytes of a sound table, made once. */
static gs_slice
sound_table(unsigned shape, gs_codec codec)
{
  static sound_file files[GS_CODECS][SHAPES];
  sound_file *made = &files[codec][shape];
  if (made->size == 0) {
    gs_sim *sim = gs_sim_new(1);
    gs_buffer file;
    gs_buffer_init(&file, gs_sim_env(sim)->alloc);
    write_table(gs_sim_env(sim), shape, codec);
    REQUIRE(gs_sim_read(sim, path, &file, NULL) == GS_OK);
    REQUIRE(file.size <= FILE_MAX);
    memcpy(made->bytes, file.data, file.size);
    made->size = file.size;
    gs_buffer_deinit(&file);
    gs_sim_free(sim);
  }
  return gs_slice_of(made->bytes, made->size);
}

/* ---- damage --------------------------------------------------------------- */

static void
swap_pieces(gs_buffer *file, size_t a, size_t b, size_t size)
{
  for (size_t i = 0; i < size; i++) {
    uint8_t held = file->data[(a + i) % file->size];
    file->data[(a + i) % file->size] = file->data[(b + i) % file->size];
    file->data[(b + i) % file->size] = held;
  }
}

static void
overwrite(gs_buffer *file, size_t at, gs_slice bytes)
{
  for (size_t i = 0; i < bytes.size; i++) {
    file->data[(at + i) % file->size] = bytes.data[i];
  }
}

static void
damage(gs_buffer *file, fuzz_input *in)
{
  static const uint8_t zeros[256];
  uint64_t kind = fuzz_take(in, 1) % 6;
  if (kind == 4) {
    uint8_t byte = (uint8_t)fuzz_take(in, 1);
    for (uint64_t left = fuzz_take(in, 1); left > 0; left--) {
      gs_buffer_append(file, &byte, 1);
    }
    return;
  }
  if (file->size == 0) {
    return;
  }
  size_t at = (size_t)fuzz_take(in, 2) % file->size;
  if (kind == 0) {
    file->data[at] ^= (uint8_t)fuzz_take(in, 1);
  } else if (kind == 1) {
    overwrite(file, at, gs_slice_of(zeros, (size_t)fuzz_take(in, 1)));
  } else if (kind == 2) {
    file->size = at;
  } else if (kind == 3) {
    size_t other = (size_t)fuzz_take(in, 2) % file->size;
    swap_pieces(file, at, other, (size_t)fuzz_take(in, 1));
  } else {
    overwrite(file, at, fuzz_slice(in, (size_t)fuzz_take(in, 1)));
  }
}

/* ---- forging -------------------------------------------------------------- */

static void
sum(uint8_t *file, uint64_t at, uint64_t size, uint64_t seed_at, uint8_t *to)
{
  uint64_t seed = gs_checksum_seed(SALT, ID, seed_at);
  gs_put_u64(to, gs_checksum(file + at, (size_t)size, seed));
}

/* Blocks stand one behind the other from the header to the first part. */
static void
sum_blocks(uint8_t *file, uint64_t end)
{
  uint64_t at = GS_TABLE_HEADER_BYTES;
  while (end - at > GS_TABLE_CHECKSUM_BYTES) {
    uint64_t size = gs_get_u32(file + at);
    if (size <= GS_TABLE_CHECKSUM_BYTES || size > end - at) {
      return;
    }
    uint64_t summed = size - GS_TABLE_CHECKSUM_BYTES;
    sum(file, at, summed, at, file + at + summed);
    at += size;
  }
}

static void
sum_part(uint8_t *file, uint64_t limit, uint8_t *row)
{
  uint64_t at = gs_get_u64(row);
  uint64_t size = gs_get_u64(row + 8);
  if (at <= limit && size <= limit - at && size > 0) {
    sum(file, at, size, at, row + 16);
  }
}

/* Makes magic words and checksums right, from the inside out. */
static void
forge(gs_buffer *file)
{
  if (file->size < GS_TABLE_HEADER_BYTES + GS_TABLE_FOOTER_BYTES) {
    return;
  }
  uint8_t *data = file->data;
  uint64_t limit = file->size - GS_TABLE_FOOTER_BYTES;
  uint8_t *footer = data + limit;
  size_t summed = GS_TABLE_HEADER_BYTES - GS_TABLE_CHECKSUM_BYTES;
  memcpy(data, GS_TABLE_MAGIC, GS_TABLE_MAGIC_BYTES);
  gs_put_u64(data + 16, ID);
  gs_put_u64(data + 24, SALT);
  gs_put_u64(data + summed,
             gs_checksum(data, summed, gs_checksum_seed(0, ID, 0)));
  uint64_t blocks_end = gs_get_u64(footer);
  if (blocks_end >= GS_TABLE_HEADER_BYTES && blocks_end <= limit) {
    sum_blocks(data, blocks_end);
  }
  for (size_t part = 0; part < 3; part++) {
    sum_part(data, limit, footer + part * 24);
  }
  summed = GS_TABLE_FOOTER_BYTES - GS_TABLE_CHECKSUM_BYTES;
  memcpy(footer + summed - GS_TABLE_MAGIC_BYTES, GS_TABLE_END_MAGIC,
         GS_TABLE_MAGIC_BYTES);
  sum(data, limit, summed, limit, footer + summed);
}

/* ---- reading -------------------------------------------------------------- */

static bool
is_named(gs_status status)
{
  return status == GS_OK || status == GS_CORRUPT || status == GS_VERSION;
}

static gs_status
get(stage *s, gs_slice key, uint64_t seq, gs_entry *out)
{
  uint32_t slot = gs_epoch_enter(s->epoch);
  gs_status status =
      gs_table_get(s->table, key, gs_hash_key(key), seq, out, NULL);
  gs_epoch_leave(s->epoch, slot);
  return status;
}

static bool
is_same(const gs_entry *a, const gs_entry *b)
{
  return gs_slice_equal(a->key, b->key) && gs_slice_equal(a->value, b->value) &&
         a->seq == b->seq && a->kind == b->kind &&
         a->expires_at_ms == b->expires_at_ms;
}

/* Every entry is got by its number, or "corrupt" is said; the frames of an
 * unforged table stay in the cache, so a view outlives its epoch here. */
static void
get_all(stage *s, bool is_forged)
{
  for (int i = 0; i < ENTRIES; i++) {
    char key[KEY_ROOM];
    char value[VALUE_ROOM];
    gs_entry found;
    gs_entry wanted = entry_of(s->shape, i, key, value);
    gs_status status = get(s, wanted.key, wanted.seq, &found);
    REQUIRE(is_named(status) || (status == GS_ABSENT && is_forged));
    REQUIRE(status != GS_OK || is_forged || is_same(&found, &wanted));
  }
  char key[KEY_ROOM];
  char value[VALUE_ROOM];
  gs_entry found;
  gs_entry absent = entry_of(s->shape, 0, key, value);
  key[absent.key.size - 1]++;
  gs_status status = get(s, absent.key, UINT64_MAX, &found);
  REQUIRE(is_forged || status == GS_ABSENT || status == GS_CORRUPT ||
          status == GS_VERSION);
}

/* Walks all versions; the number of them, or of those before a failure. */
static uint64_t
walk(gs_cursor *cursor, bool is_sound)
{
  uint64_t count = 0;
  gs_buffer last;
  gs_buffer_init(&last, gs_env_posix()->alloc);
  for (gs_cursor_first(cursor); cursor->valid; gs_cursor_next(cursor)) {
    REQUIRE(!is_sound || count == 0 ||
            gs_slice_compare(gs_buffer_slice(&last), cursor->entry.key) < 0);
    gs_buffer_clear(&last);
    gs_buffer_append_slice(&last, cursor->entry.key);
    do {
      count++;
    } while (gs_cursor_older(cursor) && count < FILE_MAX);
    if (!cursor->valid || count >= FILE_MAX) {
      break;
    }
  }
  gs_buffer_deinit(&last);
  REQUIRE(is_named(cursor->status));
  return count;
}

/* The newest versions from the last key down: each is found by its key. */
static uint64_t
walk_back(stage *s, gs_cursor *cursor, bool is_sound)
{
  uint64_t keys = 0;
  for (gs_cursor_last(cursor); cursor->valid && keys < FILE_MAX;
       gs_cursor_prev(cursor)) {
    gs_entry found;
    gs_status status = get(s, cursor->entry.key, UINT64_MAX, &found);
    REQUIRE(!is_sound || (status == GS_OK && is_same(&found, &cursor->entry)));
    keys++;
  }
  REQUIRE(is_named(cursor->status));
  return keys;
}

static void
walk_all(stage *s, bool fills_cache, bool is_sound)
{
  gs_cursor *cursor = NULL;
  gs_error err;
  gs_status status = gs_table_cursor_new(s->table, fills_cache, &cursor, NULL);
  REQUIRE(is_named(status));
  if (status != GS_OK) { /* the index is looked at before a merge */
    REQUIRE(!is_sound && !fills_cache);
    return;
  }
  cursor->error = &err;
  const gs_table_meta *meta = gs_table_get_meta(s->table);
  uint64_t entries = walk(cursor, is_sound);
  uint64_t keys = walk_back(s, cursor, is_sound);
  REQUIRE(!is_sound ||
          (entries == meta->entry_count && keys == meta->key_count));
  gs_cursor_seek(cursor, gs_slice_str("k2"));
  gs_cursor_seek_before(cursor, gs_slice_str("k2"));
  gs_table_cursor_free(cursor);
}

static void
dump(stage *s)
{
  gs_buffer text;
  gs_buffer_init(&text, s->env->alloc);
  REQUIRE(is_named(gs_table_dump(s->table, true, &text, NULL)));
  gs_buffer_deinit(&text);
}

/* ---- the whole ------------------------------------------------------------ */

static void
read_table(stage *s, bool is_forged, bool is_changed)
{
  gs_status status = gs_table_open(s->cache, path, SALT, NULL, &s->table, NULL);
  REQUIRE(is_named(status));
  if (status != GS_OK) {
    REQUIRE(is_changed);
    return;
  }
  status = gs_table_verify(s->table, NULL);
  REQUIRE(is_named(status));
  REQUIRE(is_forged || (status == GS_OK) == !is_changed);
  get_all(s, is_forged);
  walk_all(s, false, status == GS_OK);
  walk_all(s, true, status == GS_OK);
  dump(s);
  gs_table_unref(s->table);
}

static bool
make_file(stage *s, fuzz_input *in, uint64_t mode)
{
  gs_buffer file;
  gs_slice sound = sound_table(s->shape, s->codec);
  gs_buffer_init(&file, s->env->alloc);
  if ((mode & IS_FILE) != 0) {
    gs_buffer_append_slice(&file, fuzz_slice(in, FILE_MAX));
  } else {
    gs_buffer_append_slice(&file, sound);
    while (!fuzz_is_over(in)) {
      damage(&file, in);
    }
  }
  if ((mode & IS_FORGED) != 0) {
    forge(&file);
  }
  bool is_changed = !gs_slice_equal(gs_buffer_slice(&file), sound);
  REQUIRE(gs_sim_replace(s->sim, path, gs_buffer_slice(&file), NULL) == GS_OK);
  gs_buffer_deinit(&file);
  return is_changed;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  fuzz_input in = fuzz_input_of(data, size);
  uint64_t mode = fuzz_take(&in, 1);
  stage s = {.sim = gs_sim_new(1),
             .shape = (unsigned)(mode >> 2) % SHAPES,
             .codec = (gs_codec)((mode >> 4) % GS_CODECS)};
  s.env = gs_sim_env(s.sim);
  REQUIRE(gs_epoch_new(s.env, &s.epoch, NULL) == GS_OK);
  REQUIRE(gs_cache_new(s.env, s.epoch, 1 << 20, &s.cache, NULL) == GS_OK);
  bool is_changed = make_file(&s, &in, mode);
  read_table(&s, (mode & (IS_FORGED | IS_FILE)) != 0, is_changed);
  gs_cache_free(s.cache);
  gs_epoch_free(s.epoch);
  REQUIRE(gs_sim_allocated_bytes(s.sim) == 0);
  gs_sim_free(s.sim);
  return 0;
}
