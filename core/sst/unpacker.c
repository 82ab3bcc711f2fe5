/*
 * unpacker: the pool keeps what small blocks need; a buffer that once held a
 * giant value goes back.
 */
#include "sst/unpacker.h"

enum { KEPT_UNPACKERS = 8, KEPT_BYTES = 1 << 20 };

void
gs_unpacker_init(gs_unpacker *unpacker, gs_alloc *alloc)
{
  *unpacker = (gs_unpacker){.next = NULL};
  gs_decoder_init(&unpacker->decoder);
  gs_buffer_init(&unpacker->bytes, alloc);
}

void
gs_unpacker_deinit(gs_unpacker *unpacker)
{
  gs_decoder_deinit(&unpacker->decoder);
  gs_buffer_deinit(&unpacker->bytes);
}

gs_status
gs_unpacker_open(gs_unpacker *unpacker, gs_slice bytes, uint64_t seed,
                 gs_codec codec, gs_block *out, gs_error *err)
{
  if (codec == GS_CODEC_NONE || bytes.size < GS_BLOCK_HEADER_BYTES ||
      gs_packed_codec(bytes) == GS_CODEC_NONE) {
    return gs_block_open(bytes, seed, out, err);
  }
  gs_packed packed;
  gs_status status = gs_packed_open(bytes, seed, codec, &packed, err);
  if (status != GS_OK) {
    return status;
  }
  gs_buffer_clear(&unpacker->bytes);
  uint8_t *room = gs_buffer_extend(&unpacker->bytes, packed.plain_bytes);
  if (room == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  return gs_packed_unpack(&packed, &unpacker->decoder, room, out, err);
}

/* ---- the pool ----------------------------------------------------------- */

struct gs_unpackers {
  gs_env *env;
  gs_mutex *mutex; /* guards what follows */
  gs_unpacker *idle;
  uint32_t idle_count;
};

gs_status
gs_unpackers_new(gs_env *env, gs_unpackers **out, gs_error *err)
{
  *out = NULL;
  gs_unpackers *pool = GS_NEW(env->alloc, gs_unpackers);
  if (pool == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  pool->env = env;
  gs_status status = gs_mutex_new(env, &pool->mutex, err);
  if (status != GS_OK) {
    GS_DELETE(env->alloc, pool);
    return status;
  }
  *out = pool;
  return GS_OK;
}

static void
free_unpacker(gs_unpackers *pool, gs_unpacker *unpacker)
{
  gs_unpacker_deinit(unpacker);
  GS_DELETE(pool->env->alloc, unpacker);
}

void
gs_unpackers_free(gs_unpackers *pool)
{
  if (pool == NULL) {
    return;
  }
  while (pool->idle != NULL) {
    gs_unpacker *next = pool->idle->next;
    free_unpacker(pool, pool->idle);
    pool->idle = next;
  }
  gs_mutex_free(pool->mutex);
  GS_DELETE(pool->env->alloc, pool);
}

gs_unpacker *
gs_unpackers_take(gs_unpackers *pool)
{
  gs_mutex_lock(pool->mutex);
  gs_unpacker *unpacker = pool->idle;
  if (unpacker != NULL) {
    pool->idle = unpacker->next;
    pool->idle_count--;
  }
  gs_mutex_unlock(pool->mutex);
  if (unpacker == NULL) {
    unpacker = GS_NEW(pool->env->alloc, gs_unpacker);
    if (unpacker != NULL) {
      gs_unpacker_init(unpacker, pool->env->alloc);
    }
  }
  return unpacker;
}

void
gs_unpackers_give(gs_unpackers *pool, gs_unpacker *unpacker)
{
  if (unpacker->bytes.capacity > KEPT_BYTES) {
    gs_buffer_deinit(&unpacker->bytes);
    gs_buffer_init(&unpacker->bytes, pool->env->alloc);
  }
  gs_mutex_lock(pool->mutex);
  bool is_kept = pool->idle_count < KEPT_UNPACKERS;
  if (is_kept) {
    unpacker->next = pool->idle;
    pool->idle = unpacker;
    pool->idle_count++;
  }
  gs_mutex_unlock(pool->mutex);
  if (!is_kept) {
    free_unpacker(pool, unpacker);
  }
}
