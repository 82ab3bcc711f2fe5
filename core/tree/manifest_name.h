/*
 * manifest_name: the manifests of a directory.
 *
 * Life: a list in the caller's memory, init/deinit.
 * Threads: pure but for the directory.
 */
#ifndef GS_TREE_MANIFEST_NAME_H
#define GS_TREE_MANIFEST_NAME_H

#include "tree/manifest.h"

typedef struct gs_manifest_list {
  gs_buffer bytes; /* the numbers, 8 bytes each, rising */
} gs_manifest_list;

/* On failure there is nothing to deinit. */
GS_MUST_CHECK gs_status gs_manifest_list_init(gs_manifest_list *list,
                                              gs_env *env, const char *dir,
                                              gs_error *err);
void gs_manifest_list_deinit(gs_manifest_list *list);

static inline size_t
gs_manifest_list_count(const gs_manifest_list *list)
{
  return list->bytes.size / sizeof(uint64_t);
}

static inline uint64_t
gs_manifest_list_at(const gs_manifest_list *list, size_t index)
{
  uint64_t number;
  memcpy(&number, list->bytes.data + index * sizeof number, sizeof number);
  return number;
}

#endif
