/*
 * chance: splitmix64, twelve times.
 */
#include "lab/chance.h"

double
gs_lab_deviation(uint64_t *state)
{
  double sum = -6;
  for (int i = 0; i < 12; i++) {
    *state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = *state;
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    sum += (double)((z ^ z >> 31) >> 11) / 9007199254740992.0;
  }
  return sum;
}
