/*
 * costs: what a process took of disk and memory.
 *
 * Bytes written are what the system counts for the process: pages made dirty
 * through calls and mappings alike, each once until it is written back. Memory
 * is what was resident at most, mapped files among it.
 */
#include "bench/peers/group.h"

/* Kilobytes of a line of /proc/self/status. */
static double
status_kb(const char *name)
{
  char line[256];
  double found = 0;
  FILE *file = fopen("/proc/self/status", "r");
  while (file != NULL && fgets(line, sizeof line, file) != NULL) {
    if (strncmp(line, name, strlen(name)) == 0) {
      found = strtod(line + strlen(name) + 1, NULL);
    }
  }
  if (file != NULL) {
    fclose(file);
  }
  return found;
}

static double
written_bytes(void)
{
  char line[256];
  double found = 0;
  FILE *file = fopen("/proc/self/io", "r");
  while (file != NULL && fgets(line, sizeof line, file) != NULL) {
    if (strncmp(line, "write_bytes:", 12) == 0) {
      found = strtod(line + 12, NULL);
    }
  }
  if (file != NULL) {
    fclose(file);
  }
  return found;
}

static double
bytes_on_disk(const char *dir)
{
  char command[600];
  double bytes = 0;
  snprintf(command, sizeof command, "du -sB1 '%s'", dir);
  FILE *pipe = popen(command, "r");
  if (pipe == NULL || fscanf(pipe, "%lf", &bytes) != 1) {
    peer_die("bench", "du", "does not run");
  }
  pclose(pipe);
  return bytes;
}

void
work_begin_costs(work *w)
{
  w->memory_before = status_kb("VmRSS:");
  w->written_before = written_bytes();
}

static double
user_bytes(const work *w)
{
  return (double)w->setup->entries *
         (double)(PEER_KEY_BYTES + w->setup->peer.value_bytes);
}

void
work_emit_space(const work *w, const char *name)
{
  work_emit(w, name, bytes_on_disk(w->setup->peer.dir) / user_bytes(w));
}

void
work_emit_written(const work *w)
{
  work_emit(w, "bytes written / user bytes",
            (written_bytes() - w->written_before) / user_bytes(w));
}

void
work_emit_memory(const work *w)
{
  work_emit(w, "peak memory, MiB",
            (status_kb("VmHWM:") - w->memory_before) / 1024);
}
