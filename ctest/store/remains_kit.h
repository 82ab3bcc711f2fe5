/*
 * remains_kit: tables with known rows at known paths, and what remains of them.
 */
#ifndef GS_CTEST_REMAINS_KIT_H
#define GS_CTEST_REMAINS_KIT_H

#include "care_kit.h"
#include "sst/writer.h"
#include "store/remains.h"

enum { REMAINS_SALT = 4711 };

/* What tables are packed by: tests that take it in run once for each codec. */
static gs_codec remains_codec;

/* Table `id` with keys "kNNN" from first to last, each with that sequence
 * number plus add. */
static inline gs_table_meta
remains_write(uint64_t id, int first, int last, uint64_t add, gs_buffer *keys)
{
  char path[32];
  gs_table_meta meta;
  gs_table_writer *writer = NULL;
  snprintf(path, sizeof path, "/%06d.sst", (int)id);
  gs_table_writer_options options = {.path = path,
                                     .id = id,
                                     .salt = REMAINS_SALT,
                                     .created_ms = 5,
                                     .block_bytes = 256,
                                     .codec = remains_codec,
                                     .has_point_index = true};
  KIT_OK(gs_table_writer_new(sim_machine_env, &options, &writer, &kit_err));
  for (int i = first; i <= last; i++) {
    char key[8];
    snprintf(key, sizeof key, "k%03d", i);
    gs_entry entry = {.key = gs_slice_str(key),
                      .value = gs_slice_str("twenty bytes of value"),
                      .seq = (uint64_t)i + add,
                      .kind = GS_KIND_PUT};
    KIT_OK(gs_table_writer_add(writer, &entry, &kit_err));
  }
  KIT_OK(gs_table_writer_finish(writer, &meta, keys, &kit_err));
  return meta;
}

static inline void
remains_read(gs_remains *s, uint64_t id, const gs_table_meta *listed)
{
  char path[32];
  snprintf(path, sizeof path, "/%06d.sst", (int)id);
  gs_remains_identity identity = {id, REMAINS_SALT, listed};
  gs_remains_init(s, sim_machine_env);
  gs_buffer_append(&s->path, path, strlen(path) + 1);
  KIT_OK(gs_remains_read(s, &identity, &kit_err));
}

/* Overwrites part of table 1. */
static inline void
remains_spoil(size_t offset, size_t size)
{
  gs_buffer bytes;
  gs_buffer_init(&bytes, sim_machine_env->alloc);
  KIT_OK(gs_sim_read(sim_machine, "/000001.sst", &bytes, &kit_err));
  memset(bytes.data + offset, 0xA5, size);
  KIT_OK(gs_sim_replace(sim_machine, "/000001.sst", gs_buffer_slice(&bytes),
                        &kit_err));
  gs_buffer_deinit(&bytes);
}

#endif
