/*
 * sim_machine: one machine at a time; the text of a file is kept in a static
 * buffer.
 */
#include "support/sim_machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { SEED = 1, TEXT_BYTES = 1 << 16 };

gs_sim *sim_machine;
gs_env *sim_machine_env;

void
sim_machine_become(gs_sim *sim)
{
  gs_sim_free(sim_machine);
  sim_machine = sim;
  sim_machine_env = sim == NULL ? NULL : gs_sim_env(sim);
}

int
sim_machine_set_up(void **state)
{
  (void)state;
  sim_machine_become(gs_sim_new(SEED));
  return 0;
}

int
sim_machine_tear_down(void **state)
{
  (void)state;
  uint64_t left = gs_sim_allocated_bytes(sim_machine);
  sim_machine_become(NULL);
  return left == 0 ? 0 : -1;
}

void
sim_machine_crash(gs_crash_model model, uint64_t choice)
{
  sim_machine_become(gs_sim_crash(sim_machine, model, choice));
}

gs_file *
sim_machine_open(const char *path, gs_open_mode mode)
{
  gs_file *file = NULL;
  assert_int_equal(gs_file_open(sim_machine_env, path, mode, &file, NULL),
                   GS_OK);
  return file;
}

void
sim_machine_close(gs_file *file)
{
  assert_int_equal(gs_file_close(file, NULL), GS_OK);
}

void
sim_machine_write(gs_file *file, uint64_t offset, const char *text)
{
  assert_int_equal(gs_file_write(file, offset, text, strlen(text), NULL),
                   GS_OK);
}

void
sim_machine_sync(gs_file *file)
{
  assert_int_equal(gs_file_sync(file, NULL), GS_OK);
}

void
sim_machine_sync_dir(const char *dir)
{
  assert_int_equal(gs_env_sync_dir(sim_machine_env, dir, NULL), GS_OK);
}

void
sim_machine_make(const char *path, const char *text)
{
  gs_file *file = sim_machine_open(path, GS_OPEN_CREATE);
  sim_machine_write(file, 0, text);
  sim_machine_close(file);
}

void
sim_machine_make_durable(const char *path, const char *text)
{
  char dir[TEXT_BYTES];
  const char *slash = strrchr(path, '/');
  size_t size = slash == path ? 1 : (size_t)(slash - path);
  memcpy(dir, path, size);
  dir[size] = '\0';
  sim_machine_make(path, text);
  gs_file *file = sim_machine_open(path, GS_OPEN_WRITE);
  sim_machine_sync(file);
  sim_machine_close(file);
  sim_machine_sync_dir(dir);
}

const char *
sim_machine_text(gs_sim *sim, const char *path)
{
  static char text[TEXT_BYTES];
  gs_file *file = NULL;
  size_t got = 0;
  gs_status status =
      gs_file_open(gs_sim_env(sim), path, GS_OPEN_READ, &file, NULL);
  if (status == GS_MISSING) {
    return "(none)";
  }
  assert_int_equal(status, GS_OK);
  status = gs_file_read_some(file, 0, text, sizeof text - 1, &got, NULL);
  assert_int_equal(status, GS_OK);
  text[got] = '\0';
  sim_machine_close(file);
  return text;
}

void
sim_machine_fail(gs_sim_op op, uint64_t nth, int os_errno)
{
  gs_sim_fault fault = {.op = op, .nth = nth, .times = 1, .os_errno = os_errno};
  assert_int_equal(gs_sim_fail(sim_machine, &fault, NULL), GS_OK);
}
