/*
 * layout: numbers of levels, and their bounds.
 */
#include "store/layout.h"

#include "store/options.h"

gs_layout
gs_layout_of(gs_store *store, uint32_t level)
{
  gs_level_layout *at = &store->layouts[level];
  gs_layout layout = {
      .table_bytes = gs_limit(&at->table_bytes),
      .block_bytes = (uint32_t)gs_limit(&at->block_bytes),
      .compression = (gs_compression)gs_limit(&at->compression),
  };
  if (layout.table_bytes == 0) {
    layout.table_bytes = gs_limit(&store->limits.table_bytes);
  }
  if (layout.block_bytes == 0) {
    layout.block_bytes = store->options.block_bytes;
  }
  if (layout.compression == 0) {
    layout.compression = store->options.compression;
  }
  return layout;
}

gs_codec
gs_layout_codec(gs_compression compression)
{
  switch (compression) {
  case GS_COMPRESSION_LZ4:
    return GS_CODEC_LZ4;
  case GS_COMPRESSION_ZSTD:
    return GS_CODEC_ZSTD;
  case GS_COMPRESSION_NONE:
    break;
  }
  return GS_CODEC_NONE;
}

void
gs_layout_reset(gs_store *store)
{
  for (size_t level = 0; level < GS_LEVELS; level++) {
    atomic_store(&store->layouts[level].table_bytes, 0);
    atomic_store(&store->layouts[level].block_bytes, 0);
    atomic_store(&store->layouts[level].compression, 0);
  }
}

/* The bounds are those of the options. */
static gs_status
check(const gs_layout *layout, gs_error *err)
{
  gs_options options;
  gs_options_init(&options);
  if (layout->table_bytes != 0) {
    options.table_bytes = layout->table_bytes;
  }
  if (layout->block_bytes != 0) {
    options.block_bytes = layout->block_bytes;
  }
  if (layout->compression != 0) {
    options.compression = layout->compression;
  }
  return gs_options_check(&options, err);
}

gs_status
gs_set_layout(gs_store *store, uint32_t level, const gs_layout *layout,
              gs_error *err)
{
  gs_status status = gs_store_check(store, err);
  if (status == GS_OK && level > GS_PLAN_MAX_LEVEL) {
    status = GS_FAIL(err, GS_MISUSE, "a level is 0 to %d, got %u",
                     GS_PLAN_MAX_LEVEL, (unsigned)level);
  }
  if (status == GS_OK) {
    status = check(layout, err);
  }
  if (status != GS_OK) {
    return status;
  }
  atomic_store(&store->layouts[level].table_bytes, layout->table_bytes);
  atomic_store(&store->layouts[level].block_bytes, layout->block_bytes);
  atomic_store(&store->layouts[level].compression, layout->compression);
  return GS_OK;
}
