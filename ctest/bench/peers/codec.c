/*
 * codec: which compression an engine takes, where several were named because
 * no two engines have the same.
 */
#include "bench/peers/peer.h"

static const char *
codec_of(const peer_engine *engine, const char *name, size_t size)
{
  for (const char *const *at = engine->codecs; at != NULL && *at != NULL;
       at++) {
    if (strlen(*at) == size && memcmp(*at, name, size) == 0) {
      return *at;
    }
  }
  return NULL;
}

const char *
peer_codec(const peer_engine *engine, const char *wanted)
{
  for (const char *at = wanted; at != NULL && *at != '\0';) {
    size_t size = strcspn(at, ",");
    const char *codec = codec_of(engine, at, size);
    if (codec != NULL) {
      return codec;
    }
    at += size + (at[size] == ',');
  }
  return NULL;
}
