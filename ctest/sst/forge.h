/*
 * forge: tables with chosen damage under right checksums, on the simulated
 * machine.
 *
 * Model: the bytes of a sound table, to be changed at will; sign makes every
 * checksum right again, where the parts stood in the sound table. With a codec
 * (kit_codec) some of its blocks are packed.
 * Life: start / end; replace puts the bytes at a path.
 */
#ifndef GS_CTEST_SST_FORGE_H
#define GS_CTEST_SST_FORGE_H

#include "code/fixed.h"
#include "sst/fences.h"
#include "sst/footer.h"
#include "sst/sst_kit.h"
#include "support/sim_machine.h"

typedef struct forge {
  gs_buffer bytes;
  gs_table_footer footer; /* of the sound table */
  gs_fences fences;
  gs_table_meta meta;
  gs_buffer keys;
} forge;

static inline uint64_t
forge_seed(uint64_t offset)
{
  return gs_checksum_seed(KIT_SALT, KIT_ID, offset);
}

static inline uint8_t *
forge_footer(forge *made)
{
  return made->bytes.data + made->bytes.size - GS_TABLE_FOOTER_BYTES;
}

/* Writes the entries as a table to the path and reads its bytes. */
static inline void
forge_start(forge *made, const char *path, const kit_entries *entries,
            bool has_point_index)
{
  gs_alloc *alloc = sim_machine_env->alloc;
  gs_error err;
  gs_buffer_init(&made->bytes, alloc);
  gs_buffer_init(&made->keys, alloc);
  gs_table_writer_options options = kit_options(path);
  options.has_point_index = has_point_index;
  KIT_OK(kit_write(sim_machine_env, &options, entries, &made->meta, &made->keys,
                   &err),
         &err);
  gs_file *file = sim_machine_open(path, GS_OPEN_READ);
  KIT_OK(gs_file_read_all(file, &made->bytes, &err), &err);
  sim_machine_close(file);
  uint64_t footer_at = made->bytes.size - GS_TABLE_FOOTER_BYTES;
  KIT_OK(gs_table_footer_decode(forge_footer(made), forge_seed(footer_at),
                                made->bytes.size, &made->footer, &err),
         &err);
  gs_buffer section;
  gs_buffer_init(&section, alloc);
  gs_buffer_append(&section, made->bytes.data + made->footer.fences.offset,
                   made->footer.fences.size);
  KIT_OK(gs_fences_load(&made->fences, &section, made->footer.block_count,
                        made->footer.index.offset, &err),
         &err);
}

static inline void
forge_end(forge *made)
{
  gs_buffer_deinit(&made->bytes);
  gs_buffer_deinit(&made->keys);
  gs_fences_deinit(&made->fences);
}

static inline void
forge_sign_part(forge *made, const gs_table_part *part, size_t slot)
{
  uint64_t sum = gs_checksum(made->bytes.data + part->offset,
                             (size_t)part->size, forge_seed(part->offset));
  gs_put_u64(forge_footer(made) + slot * 24 + 16, sum);
}

static inline void
forge_sign_block(forge *made, uint32_t block)
{
  const gs_fence *fence = &made->fences.list[block];
  uint8_t *data = made->bytes.data + fence->offset;
  size_t end = fence->size - GS_TABLE_CHECKSUM_BYTES;
  gs_put_u64(data + end, gs_checksum(data, end, forge_seed(fence->offset)));
}

static inline void
forge_sign_footer(forge *made)
{
  uint64_t at = made->bytes.size - GS_TABLE_FOOTER_BYTES;
  gs_put_u64(forge_footer(made) + 104,
             gs_checksum(forge_footer(made), 104, forge_seed(at)));
}

static inline void
forge_sign(forge *made)
{
  for (uint32_t i = 0; i < made->fences.count; i++) {
    forge_sign_block(made, i);
  }
  if (made->footer.index.size > 0) {
    forge_sign_part(made, &made->footer.index, 0);
  }
  forge_sign_part(made, &made->footer.fences, 1);
  forge_sign_part(made, &made->footer.properties, 2);
  forge_sign_footer(made);
}

static inline void
forge_replace(forge *made, const char *path)
{
  gs_error err;
  KIT_OK(gs_sim_replace(sim_machine, path, gs_buffer_slice(&made->bytes), &err),
         &err);
}

#endif
