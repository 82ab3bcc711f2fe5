#include "bench/peers/head.h"

#include <stdarg.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

enum { HEAD_BYTES = 8192 };

static char text[HEAD_BYTES];
static size_t used;

__attribute__((format(printf, 1, 2))) static void
add(const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  int size = vsnprintf(text + used, HEAD_BYTES - used, format, arguments);
  va_end(arguments);
  if (size < 0 || (size_t)size >= HEAD_BYTES - used) {
    peer_die("bench", "head", "too long");
  }
  used += (size_t)size;
}

/* What follows the name in the first line of a file that begins with it. */
static void
add_line_of(const char *path, const char *name)
{
  char line[512];
  FILE *file = fopen(path, "r");
  while (file != NULL && fgets(line, sizeof line, file) != NULL) {
    if (strncmp(line, name, strlen(name)) == 0) {
      const char *value = line + strlen(name);
      value += strspn(value, " \t:");
      add("%.*s", (int)strcspn(value, "\n"), value);
      break;
    }
  }
  if (file != NULL) {
    fclose(file);
  }
}

/* Kind and options of the file system that the directory lies on. */
static void
add_file_system(const char *dir)
{
  char command[600];
  char line[512];
  snprintf(command, sizeof command, "findmnt -rno FSTYPE,OPTIONS -T '%s'", dir);
  FILE *pipe = popen(command, "r");
  if (pipe != NULL && fgets(line, sizeof line, pipe) != NULL) {
    add("%.*s", (int)strcspn(line, "\n"), line);
  }
  if (pipe != NULL) {
    pclose(pipe);
  }
}

static void
add_machine(const head_facts *facts)
{
  struct utsname name;
  char when[32];
  time_t now = time(NULL);
  strftime(when, sizeof when, "%Y-%m-%d %H:%M", gmtime(&now));
  uname(&name);
  add("%s UTC, %s %s, ", when, name.sysname, name.release);
  add_line_of("/proc/cpuinfo", "model name");
  add(", %ld processors, memory ", sysconf(_SC_NPROCESSORS_ONLN));
  add_line_of("/proc/meminfo", "MemTotal");
  add("\nfile system ");
  add_file_system(facts->dir);
  add("\n");
}

const char *
head_text(const report *r, const head_facts *facts)
{
  const work_setup *work = facts->work;
  used = 0;
  add_machine(facts);
  add("%llu entries unless a row tells another number, keys of %d bytes, "
      "values of %llu, write buffer %llu MiB, cache %llu MiB, %d runs, engines "
      "in turns, seed %llu\n",
      (unsigned long long)work->entries, PEER_KEY_BYTES,
      (unsigned long long)work->peer.value_bytes,
      (unsigned long long)(work->peer.write_buffer_bytes >> 20),
      (unsigned long long)(work->peer.cache_bytes >> 20), facts->runs,
      (unsigned long long)work->seed);
  add("Durability: a killed process loses nothing; fillsync: nor does a power "
      "cut\n");
  for (int i = 0; i < r->engine_count; i++) {
    char version[64];
    r->engines[i]->version(version);
    const char *codec = peer_codec(r->engines[i], facts->codecs);
    add("%s %s: %s%s, %s\n", r->engines[i]->name, version,
        codec == NULL ? "no" : codec, codec == NULL ? " compression" : "",
        r->engines[i]->settings);
  }
  if (facts->absent[0] != '\0') {
    add("Left out since not installed: %s\n", facts->absent);
  }
  return text;
}
