/*
 * seeds: writes the corpus that fuzzing begins with, one folder a target, from
 * what the engine's own encoders make, and recipes for the targets that take
 * such. Same engine, same bytes.
 *
 *   seeds <folder>
 */
#include <errno.h>
#include <sys/stat.h>

#include "code/fixed.h"
#include "code/hash.h"
#include "data/batch.h"
#include "env/env.h"
#include "env/sim.h"
#include "fuzz/target.h"
#include "sst/block_builder.h"
#include "sst/fences.h"
#include "sst/footer.h"
#include "sst/packed.h"
#include "sst/point_index.h"
#include "sst/writer.h"
#include "store/journal_format.h"
#include "support/test_alloc.h"
#include "tree/edit.h"
#include "wal/frame.h"

enum {
  PATH_BYTES = 512,
  ROWS = 30,
  KEY_BYTES = 16,
  RECIPES = 12,
  VALUE_SIZE_AT = GS_BATCH_HEADER_BYTES + 4, /* of a batch's first record */
};

static const char *root;
static test_alloc heap;

/* ---- files ---------------------------------------------------------------- */

static void
make_folder(const char *path)
{
  REQUIRE(mkdir(path, 0777) == 0 || errno == EEXIST);
}

/* Writes head and body as one seed of the target. */
static void
save(const char *target, const char *name, gs_slice head, gs_slice body)
{
  char path[PATH_BYTES];
  (void)snprintf(path, sizeof path, "%s/%s", root, target);
  make_folder(path);
  (void)snprintf(path, sizeof path, "%s/%s/%s", root, target, name);
  FILE *file = fopen(path, "wb");
  REQUIRE(file != NULL);
  REQUIRE(fwrite(head.data, 1, head.size, file) == head.size);
  REQUIRE(fwrite(body.data, 1, body.size, file) == body.size);
  REQUIRE(fclose(file) == 0);
}

static void
save_bytes(const char *target, const char *name, gs_slice body)
{
  save(target, name, gs_slice_of("", 0), body);
}

static void
save_moded(const char *target, const char *name, uint8_t mode, gs_slice body)
{
  save(target, name, gs_slice_of(&mode, 1), body);
}

static gs_buffer
new_buffer(void)
{
  gs_buffer buffer;
  gs_buffer_init(&buffer, &heap.base);
  return buffer;
}

/* ---- entries -------------------------------------------------------------- */

/* Row i: every third key has an older version, some are deletes, some expire.
 * The key is kept in the caller's room. */
static gs_entry
row(int i, char key[KEY_BYTES])
{
  static const char values[300] = "value of some length, zeros behind it";
  int size = snprintf(key, KEY_BYTES, "user%03d", i / 3 * 2 + (i % 3 > 1));
  gs_entry entry = {
      .key = gs_slice_of(key, (size_t)size),
      .value = gs_slice_of(values, i % 10 == 0 ? 270 : (size_t)i),
      .seq = (uint64_t)(900 - i),
      .expires_at_ms = i % 4 == 1 ? (uint64_t)i * 1000 : 0,
      .kind = GS_KIND_PUT,
  };
  if (i % 5 == 2) {
    entry.kind = GS_KIND_DELETE;
    entry.value.size = 0;
    entry.expires_at_ms = 0;
  }
  return entry;
}

static bool
is_older(int i)
{
  char one[KEY_BYTES];
  char two[KEY_BYTES];
  return i > 0 && gs_slice_equal(row(i, one).key, row(i - 1, two).key);
}

/* ---- logs ----------------------------------------------------------------- */

static void
fill_batch(gs_batch *batch, int rows, bool has_note)
{
  gs_batch_set_now(batch, 12345);
  for (int i = 0; i < rows; i++) {
    char key[KEY_BYTES];
    gs_entry entry = row(i, key);
    if (entry.kind == GS_KIND_DELETE) {
      gs_batch_delete(batch, entry.key);
    } else {
      gs_batch_put(batch, entry.key, entry.value, entry.expires_at_ms);
    }
  }
  if (has_note) {
    gs_batch_meta(batch, gs_slice_str("a note"));
  }
  REQUIRE(gs_batch_status(batch, NULL) == GS_OK);
}

static void
save_batches(void)
{
  static const struct {
    const char *name;
    int rows;
    bool has_note;
  } seeds[] = {{"nothing", 0, false},
               {"put", 1, false},
               {"note", 0, true},
               {"several", 6, true}};
  for (size_t i = 0; i < sizeof seeds / sizeof seeds[0]; i++) {
    gs_batch batch;
    gs_batch_init(&batch, &heap.base);
    fill_batch(&batch, seeds[i].rows, seeds[i].has_note);
    save_bytes("batch", seeds[i].name, gs_buffer_slice(&batch.bytes));
    if (seeds[i].rows > 0) {
      char name[32];
      gs_put_u32(batch.bytes.data + VALUE_SIZE_AT, 1000);
      (void)snprintf(name, sizeof name, "%s-too-long", seeds[i].name);
      save_bytes("batch", name, gs_buffer_slice(&batch.bytes));
    }
    gs_batch_deinit(&batch);
  }
}

/* Appends a frame to a log that begins with the buffer. */
static void
add_frame(gs_buffer *log, gs_log_identity identity, gs_frame_type type,
          gs_slice payload, uint32_t *link)
{
  gs_frame_info info = {.type = type,
                        .offset = log->size,
                        .durable_to = log->size / 2,
                        .first_seq = type == GS_FRAME_BATCH ? 1 : 0,
                        .entry_count = type == GS_FRAME_BATCH ? 3 : 0};
  uint8_t *to = gs_buffer_extend(log, (size_t)gs_frame_bytes(payload.size));
  REQUIRE(to != NULL);
  gs_frame_encode(identity, *link, payload, &info, to);
  *link = info.link;
}

static void
add_frames(gs_buffer *log, gs_log_identity identity, uint32_t link)
{
  gs_slice payload = gs_slice_str("thirteen bytes");
  add_frame(log, identity, GS_FRAME_BATCH, payload, &link);
  add_frame(log, identity, GS_FRAME_MARK, gs_slice_of(NULL, 0), &link);
  add_frame(log, identity, GS_FRAME_BATCH, gs_slice_of(NULL, 0), &link);
  add_frame(log, identity, GS_FRAME_SEAL, gs_slice_of(NULL, 0), &link);
}

static void
save_frames(void)
{
  static const gs_log_identity identity = {.salt = 1, .number = 2};
  static const char *const names[] = {"frames", "summed", "repaired", "page"};
  static const uint8_t modes[] = {0, 1, 9, 7};
  gs_buffer log = new_buffer();
  add_frames(&log, identity, gs_log_first_link(identity));
  for (size_t i = 0; i < sizeof modes; i++) {
    save_moded("frame", names[i], modes[i], gs_buffer_slice(&log));
  }
  gs_buffer_clear(&log);
  gs_log_header header = {.kind = GS_LOG_WAL,
                          .number = 2,
                          .salt = 1,
                          .first_seq = 1,
                          .allocated_bytes = 8192};
  gs_log_header_encode(&header, gs_buffer_extend(&log, GS_LOG_HEADER_BYTES));
  save_moded("frame", "header", 0, gs_buffer_slice(&log));
  gs_buffer_deinit(&log);
}

/* Frames of the first segment, whose salt and number the target knows. */
static void
save_logs(void)
{
  static const gs_log_identity identity = {.salt = 77, .number = 1};
  static const uint8_t recipes[][16] = {
      {0, 1, 2, 3, 6, 4, 0, 1},
      {0, 1, 6, 4, 7, 2, 3, 6, 5},
      {0, 1, 2, 6, 2, 2, 8, 0, 0x10, 0x40},
      {0, 1, 2, 7, 1, 6, 4, 9, 1, 0x10, 0x00, 200},
      {0, 3, 3, 3, 7, 3, 3, 10, 0, 0x10, 0x80},
  };
  for (size_t i = 0; i < sizeof recipes / sizeof recipes[0]; i++) {
    char name[32];
    (void)snprintf(name, sizeof name, "recipe-%zu", i);
    save_bytes("log", name, gs_slice_of(recipes[i], sizeof recipes[i]));
  }
  gs_buffer log = new_buffer();
  gs_buffer_append_zeros(&log, GS_LOG_HEADER_BYTES);
  add_frames(&log, identity, gs_log_first_link(identity));
  gs_slice frames = gs_slice_of(log.data + GS_LOG_HEADER_BYTES,
                                log.size - GS_LOG_HEADER_BYTES);
  save_moded("log", "frames", 3, frames);
  save_moded("log", "headless", 1, gs_buffer_slice(&log));
  gs_buffer_deinit(&log);
}

/* ---- manifests ------------------------------------------------------------ */

static gs_table_meta
meta_of(uint64_t id)
{
  return (gs_table_meta){.id = id,
                         .file_bytes = 4000,
                         .entry_count = 9,
                         .key_count = 8,
                         .min_seq = 3,
                         .max_seq = 12,
                         .min_key = gs_slice_str("d"),
                         .max_key = gs_slice_str("dz")};
}

static void
save_edits(void)
{
  gs_edit *edit = gs_edit_new(&heap.base);
  REQUIRE(edit != NULL);
  gs_store_facts facts = {.store_kind = 1, .next_id = UINT64_MAX};
  gs_segment segment = {12, 4096, 5};
  gs_table_meta meta = meta_of(11);
  gs_edit_set_facts(edit, &facts);
  save_bytes("edit", "facts", gs_edit_encoding(edit));
  gs_edit_add_run(edit, 10, 2, GS_PLACE_TOP, 0);
  gs_edit_add_table(edit, 10, &meta);
  save_bytes("edit", "run", gs_edit_encoding(edit));
  gs_edit_remove_table(edit, 1, 3);
  gs_edit_set_level(edit, 2, 4);
  gs_edit_add_segment(edit, &segment);
  gs_edit_remove_segment(edit, 6);
  gs_edit_set_note(edit, gs_slice_str("note"), 13);
  REQUIRE(gs_edit_status(edit, NULL) == GS_OK);
  save_bytes("edit", "everything", gs_edit_encoding(edit));
  gs_edit_free(edit);
}

static void
save_metas(void)
{
  for (int i = 0; i < 3; i++) {
    char name[32];
    gs_table_meta meta = meta_of((uint64_t)i + 1);
    gs_buffer bytes = new_buffer();
    meta.expiring_count = i == 1 ? 4 : 0;
    meta.min_expiry_ms = i == 1 ? 100 : 0;
    meta.max_expiry_ms = i == 1 ? 900 : 0;
    meta.min_key.size = i == 2 ? 0 : meta.min_key.size;
    gs_table_meta_encode(&meta, &bytes);
    (void)snprintf(name, sizeof name, "meta-%d", i);
    save_bytes("table_meta", name, gs_buffer_slice(&bytes));
    gs_buffer_deinit(&bytes);
  }
}

static void
save_names(void)
{
  static const char *const names[] = {
      "LOCK",           "BALLAST",       "MANIFEST-000001", "MANIFEST-1234567",
      "000001.wal",     "123456789.wal", "000042.sst",      "0000042.sst",
      "JOURNAL-000001",
  };
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    save_bytes("names", names[i], gs_slice_str(names[i]));
  }
}

/* ---- journals ------------------------------------------------------------- */

static void
append_event(gs_buffer *out, uint64_t number, gs_event_kind kind)
{
  gs_buffer lists[2] = {new_buffer(), new_buffer()};
  gs_table_meta meta = {
      .id = number, .min_key = gs_slice_str("a"), .max_key = gs_slice_str("b")};
  gs_table_meta_encode(&meta, &lists[0]);
  gs_event_add_run(&lists[1], &(gs_event_run){number, 1, 1, 100, 10});
  bool is_job = kind <= GS_EVENT_DROP;
  gs_event event = {
      .number = number,
      .time_ms = 12345,
      .count = 1 + number,
      .took_us = 10,
      .kind = kind,
      .why = gs_slice_str(is_job ? "too many runs" : ""),
      .code = gs_slice_str(kind == GS_EVENT_REFUSED ? "busy_table" : ""),
      .has_plan = kind == GS_EVENT_MERGE,
      .op = GS_PLAN_MERGE,
      .target = GS_TARGET_BOTTOM,
      .inputs = gs_slice_of("12345678", is_job ? 8 : 0),
      .output_count = is_job ? 1 : 0,
      .outputs = gs_buffer_slice(&lists[0]),
      .written_bytes = is_job ? 100 : 0,
      .dropped_covered = is_job ? 1 : 0,
      .recovered_batches = kind == GS_EVENT_OPEN ? 1 : 0,
      .runs = gs_buffer_slice(&lists[1]),
  };
  gs_event_encode(&event, out);
  gs_buffer_deinit(&lists[0]);
  gs_buffer_deinit(&lists[1]);
}

/* Each kind of event alone, and a file of all of them. */
static void
save_journals(void)
{
  gs_journal_header header = {.number = 1, .salt = 7, .first_event = 1};
  gs_buffer file = new_buffer();
  gs_buffer_append_zeros(&file, GS_JOURNAL_HEADER_BYTES);
  gs_journal_header_encode(&header, file.data);
  for (uint8_t i = 1; i <= GS_EVENT_KINDS; i++) {
    char name[32];
    size_t at = file.size;
    gs_buffer event = new_buffer();
    append_event(&event, i, (gs_event_kind)i);
    (void)snprintf(name, sizeof name, "event-%d", i);
    save_moded("journal", name, 0, gs_buffer_slice(&event));
    gs_journal_add_frame(&file, gs_buffer_slice(&event));
    gs_journal_sum_frame(file.data + at, &header, at);
    gs_buffer_deinit(&event);
  }
  save_moded("journal", "file", 1, gs_buffer_slice(&file));
  save_moded("journal", "forged", 2, gs_buffer_slice(&file));
  save_moded("journal", "torn", 1, gs_slice_of(file.data, file.size - 100));
  gs_buffer_deinit(&file);
}

/* ---- tables --------------------------------------------------------------- */

/* The block packed, where that makes it small enough. */
static void
save_packed(const char *name, const gs_buffer *plain, gs_codec codec)
{
  gs_encoder encoder;
  char codec_name[48];
  gs_buffer bytes = new_buffer();
  gs_buffer scratch = new_buffer();
  gs_encoder_init(&encoder, &heap.base, codec);
  gs_buffer_append_slice(&bytes, gs_buffer_slice(plain));
  REQUIRE(gs_packed_pack(&encoder, &scratch, &bytes, 0, 3, NULL) == GS_OK);
  if (bytes.size < plain->size) {
    (void)snprintf(codec_name, sizeof codec_name, "%s-%s", name,
                   gs_codec_name(codec));
    save_bytes("block", codec_name, gs_buffer_slice(&bytes));
  }
  gs_encoder_deinit(&encoder);
  gs_buffer_deinit(&scratch);
  gs_buffer_deinit(&bytes);
}

static void
save_blocks(void)
{
  static const int counts[] = {1, 2, 7, ROWS};
  for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
    char name[32];
    gs_block_builder builder;
    gs_buffer bytes = new_buffer();
    gs_block_builder_init(&builder, &heap.base);
    for (int r = 0; r < counts[i]; r++) {
      char key[KEY_BYTES];
      gs_entry entry = row(r, key);
      gs_block_builder_add(&builder, &entry, is_older(r));
    }
    gs_block_builder_finish(&builder, 3, &bytes);
    (void)snprintf(name, sizeof name, "rows-%d", counts[i]);
    save_bytes("block", name, gs_buffer_slice(&bytes));
    save_packed(name, &bytes, GS_CODEC_LZ4);
    save_packed(name, &bytes, GS_CODEC_ZSTD);
    gs_block_builder_deinit(&builder);
    gs_buffer_deinit(&bytes);
  }
}

static void
save_fences(void)
{
  gs_fence_list list;
  gs_buffer bytes = new_buffer();
  gs_fence_list_init(&list, &heap.base);
  uint64_t end = GS_TABLE_HEADER_BYTES;
  for (int i = 0; i < 5; i++) {
    char key[KEY_BYTES];
    gs_fence_list_add(&list, row(i * 6, key).key, 256);
    end += 256;
    gs_buffer_clear(&bytes);
    gs_buffer_append_zeros(&bytes, 6);
    gs_put_u16(bytes.data, (uint16_t)list.count);
    gs_put_u32(bytes.data + 2, (uint32_t)end);
    gs_fence_list_encode(&list, &bytes);
    (void)snprintf(key, sizeof key, "blocks-%d", i + 1);
    save_bytes("fences", key, gs_buffer_slice(&bytes));
  }
  gs_fence_list_deinit(&list);
  gs_buffer_deinit(&bytes);
}

static void
save_indexes(void)
{
  enum { COUNT = 40, HASHES = 8 };
  uint8_t buckets[5 * GS_BUCKET_BYTES] = {0};
  uint8_t seed[sizeof buckets + HASHES * 8];
  uint64_t hashes[COUNT];
  uint32_t locators[COUNT];
  for (uint32_t i = 0; i < COUNT; i++) {
    char key[KEY_BYTES];
    hashes[i] = gs_hash_key(row((int)i * 3, key).key);
    locators[i] = i * 5;
  }
  uint64_t count = gs_point_index_buckets(COUNT);
  REQUIRE(count * GS_BUCKET_BYTES == sizeof buckets);
  gs_point_index_build(buckets, count, hashes, locators, COUNT);
  memcpy(seed, buckets, sizeof buckets);
  for (size_t i = 0; i < (size_t)HASHES * 8; i++) {
    seed[sizeof buckets + i] = (uint8_t)(hashes[i / 8] >> (56 - i % 8 * 8));
  }
  save_moded("point_index", "buckets", 4 << 1, gs_slice_of(seed, sizeof seed));
  save_moded("point_index", "pairs", 1, gs_slice_of(seed, sizeof seed));
}

/* The table's bytes, whole. */
static void
write_table(gs_buffer *out)
{
  gs_sim *sim = gs_sim_new(1);
  gs_env *env = gs_sim_env(sim);
  gs_table_writer_options options = {.path = "/000007.sst",
                                     .id = 7,
                                     .salt = 0x5a17,
                                     .block_bytes = 256,
                                     .has_point_index = true};
  gs_table_writer *writer = NULL;
  gs_table_meta meta;
  gs_buffer keys = new_buffer();
  REQUIRE(gs_table_writer_new(env, &options, &writer, NULL) == GS_OK);
  for (int i = 0; i < ROWS; i++) {
    char key[KEY_BYTES];
    gs_entry entry = row(i, key);
    REQUIRE(gs_table_writer_add(writer, &entry, NULL) == GS_OK);
  }
  REQUIRE(gs_table_writer_finish(writer, &meta, &keys, NULL) == GS_OK);
  REQUIRE(gs_sim_read(sim, options.path, out, NULL) == GS_OK);
  gs_buffer_deinit(&keys);
  gs_sim_free(sim);
}

static void
save_tables(void)
{
  static const uint8_t damages[][8] = {
      {0, 0, 60, 1},          {1, 1, 0, 90}, {2, 2, 0},
      {3, 0, 40, 1, 40, 200}, {4, 0, 9},     {5, 0, 50, 3, 1, 2, 3},
  };
  gs_buffer file = new_buffer();
  write_table(&file);
  save_moded("table", "file", 3, gs_buffer_slice(&file));
  save_moded("table", "other", 2, gs_buffer_slice(&file));
  for (uint8_t i = 0; i < 16; i++) {
    char name[32];
    (void)snprintf(name, sizeof name, "damage-%d", i);
    save_moded("table", name, (uint8_t)((i % 4) << 2 | (i > 7)),
               gs_slice_of(damages[i % 6], sizeof damages[0]));
  }
  for (uint8_t shape = 0; shape < 4; shape++) {
    char name[32];
    (void)snprintf(name, sizeof name, "sound-%d", shape);
    save_moded("table", name, (uint8_t)(shape << 2), gs_slice_of("", 0));
  }
  /* The same with a codec each. */
  for (uint8_t i = 0; i < 16; i++) {
    char name[32];
    uint8_t codec = (uint8_t)((1 + i % 2) << 4);
    (void)snprintf(name, sizeof name, "packed-%d", i);
    save_moded("table", name, (uint8_t)(codec | (i / 2 % 4) << 2 | (i > 7)),
               gs_slice_of(damages[i % 6], i < 2 ? 0 : sizeof damages[0]));
  }
  size_t end = file.size - GS_TABLE_FOOTER_BYTES;
  uint8_t ends[GS_TABLE_HEADER_BYTES + 8 + GS_TABLE_FOOTER_BYTES] = {0};
  memcpy(ends, file.data, GS_TABLE_HEADER_BYTES);
  ends[GS_TABLE_HEADER_BYTES + 6] = (uint8_t)(file.size >> 8);
  ends[GS_TABLE_HEADER_BYTES + 7] = (uint8_t)file.size;
  memcpy(ends + GS_TABLE_HEADER_BYTES + 8, file.data + end,
         GS_TABLE_FOOTER_BYTES);
  save_moded("footer", "ends", 0, gs_slice_of(ends, sizeof ends));
  save_moded("footer", "summed", 3, gs_slice_of(ends, sizeof ends));
  save_moded("footer", "joined", 15, gs_slice_of(ends, sizeof ends));
  gs_buffer_deinit(&file);
}

/* ---- recipes -------------------------------------------------------------- */

/* Every change of the directory's files, at every moment of every store. */
static void
save_directories(void)
{
  for (uint8_t i = 0; i < 44; i++) {
    char name[32];
    uint8_t kind = i % 11;
    uint8_t recipe[] = {
        i % 4, (uint8_t)(i / 11), kind == 9, kind, (uint8_t)(i * 7), 0,
        0x10,  (uint8_t)(i * 5),  1,         0};
    (void)snprintf(name, sizeof name, "change-%d", i);
    save_bytes("directory", name,
               gs_slice_of(recipe, kind == 10 ? 3 : sizeof recipe));
  }
}

/* Bytes by chance: what Lua values and plans are made of. */
static void
save_chances(const char *target)
{
  uint64_t random = 88172645463325252U;
  for (int i = 0; i < RECIPES; i++) {
    char name[32];
    uint8_t bytes[96];
    for (size_t at = 0; at < sizeof bytes; at++) {
      random ^= random << 13;
      random ^= random >> 7;
      random ^= random << 17;
      bytes[at] = (uint8_t)(random >> 32);
    }
    (void)snprintf(name, sizeof name, "chance-%d", i);
    save_bytes(target, name, gs_slice_of(bytes, 24 + (size_t)i * 6));
  }
}

int
main(int argc, char **argv)
{
  REQUIRE(argc == 2);
  root = argv[1];
  test_alloc_init(&heap);
  make_folder(root);
  save_batches();
  save_frames();
  save_logs();
  save_edits();
  save_metas();
  save_names();
  save_journals();
  save_blocks();
  save_fences();
  save_indexes();
  save_tables();
  save_directories();
  save_chances("lua_options");
  save_chances("lua_plan");
  REQUIRE(heap.live_bytes == 0);
  return 0;
}
