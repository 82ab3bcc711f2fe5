/*
 * head: what every report begins with: machine, versions, settings, class of
 * durability, and what was left out.
 */
#ifndef GS_BENCH_HEAD_H
#define GS_BENCH_HEAD_H

#include "bench/peers/report.h"

typedef struct head_facts {
  const work_setup *work;
  int runs;
  const char *dir;    /* where the databases are */
  const char *absent; /* names of engines that are not installed, or "" */
  const char *codecs; /* as asked for; NULL: no compression */
} head_facts;

/* Lines, valid until the next call. */
const char *head_text(const report *r, const head_facts *facts);

#endif
