#include "bench/peers/goals.h"

#include <string.h>

const goal goals[] = {
    {"fillseq", 3, 1.5},
    {"fillbatch (1000)", 1.5, 1.5},
    {"fillrandbatch (1000)", 3, 3},
    {"fillrandom", 4, 3},
    {"overwrite", 4, 3},
    {"deleterandom", 3, 3},
    {"fillsync, 1 thread", 1.1, 1.5},
    {"fillsync, 8 threads", 1.5, 1.5},
    {"readrandom, just loaded", 2, 1.5},
    {"readrandom, settled", 2, 1.5},
    {"readmissing", 1.2, 1.5},
    {"readhot (1 % of keys)", 2, 1.5},
    {"readseq", 1.2, 1.5},
    {"readreverse", 1.2, 1.5},
    {"seekrandom (+10 next)", 2, 1.5},
    {"read while writing: reads", 2, 1.5},
    {"read while writing: writes", 3, 1.5},
    {"YCSB A", 3, 1.5},
    {"YCSB B", 2, 1.5},
    {"YCSB C", 1.5, 1.5},
    {"YCSB D", 2, 1.5},
    {"YCSB E", 1.2, 1.5},
    {"YCSB F", 2, 1.5},
    {"opens per second", 1, 1.5},
    {"recovered entries per second", 2, 1.5},
};
const size_t goal_count = sizeof goals / sizeof goals[0];

const goal *
goal_find(const char *name)
{
  for (size_t i = 0; i < goal_count; i++) {
    if (strcmp(goals[i].name, name) == 0) {
      return &goals[i];
    }
  }
  return NULL;
}

double
goal_growth(const char *name, size_t size)
{
  static const struct {
    const char *name;
    double most;
  } rows[] = {
      {"fillrandom", 1.5},        {"overwrite", 1.5},   {"readrandom", 2.5},
      {"readrandom (warm)", 2.5}, {"readmissing", 2.5},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    if (strlen(rows[i].name) == size && memcmp(rows[i].name, name, size) == 0) {
      return rows[i].most;
    }
  }
  return 0;
}
