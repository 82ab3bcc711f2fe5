/*
 * The simulated machine beside the real one: random operations on a few names
 * and handles, so that they collide, with every answer compared, and at the end
 * of each list of operations all that is there. GS_SEED repeats a run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "env/env.h"
#include "support/family.h"
#include "support/listing.h"
#include "support/machine.h"

enum {
  FULL_OPS = 500000, /* of a full run */
  OPS = 2000,        /* in a list */
  HANDLES = 4,
  BUFFER_BYTES = 20000,
  MAX_OFFSET = 30000
};

static const char *const names[] = {"a",   "b",   "c",     "d",   "d/a",
                                    "d/b", "d/e", "d/e/a", "a/x", "no/a"};
enum { NAMES = sizeof names / sizeof names[0] };

static gs_error err;

/* One machine's side of the comparison. */
typedef struct side {
  machine machine;
  gs_file *files[HANDLES];
  bool is_mapped[HANDLES];
  uint8_t bytes[BUFFER_BYTES];
} side;

/* One call with all its arguments, drawn once and made on both sides. */
typedef struct call {
  size_t kind;
  size_t handle;
  const char *name;
  const char *other;
  uint64_t offset;
  size_t size;
  uint8_t fill;
} call;

static uint64_t random_state;
static uint64_t all_ops; /* over all lists */
static side sides[2];

static size_t
draw(size_t limit)
{
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return (size_t)((random_state >> 11) % limit);
}

static bool
has_mapping(const side *s)
{
  bool any = false;
  for (size_t i = 0; i < HANDLES; i++) {
    any |= s->is_mapped[i];
  }
  return any;
}

typedef int64_t (*action)(side *s, const call *c);

static const char *
path_of(side *s, const char *name)
{
  return temp_dir_at(&s->machine.dir, name);
}

static int64_t
do_open(side *s, const call *c)
{
  static const gs_open_mode modes[] = {GS_OPEN_CREATE, GS_OPEN_WRITE,
                                       GS_OPEN_CREATE, GS_OPEN_READ};
  gs_env *env = s->machine.env;
  return s->files[c->handle] != NULL
             ? 0
             : env->ops->open(env, path_of(s, c->name), modes[c->size % 4],
                              &s->files[c->handle]);
}

static int64_t
do_close(side *s, const call *c)
{
  gs_file *file = s->files[c->handle];
  s->files[c->handle] = NULL;
  s->is_mapped[c->handle] = false;
  return file == NULL ? 0 : s->machine.env->ops->close(file);
}

static int64_t
do_write(side *s, const call *c)
{
  gs_file *file = s->files[c->handle];
  memset(s->bytes, c->fill, c->size);
  if (file == NULL) {
    return 0;
  }
  gs_status status = gs_file_write(file, c->offset, s->bytes, c->size, &err);
  return status == GS_OK ? 0 : err.os_errno;
}

static int64_t
do_read(side *s, const call *c)
{
  gs_file *file = s->files[c->handle];
  return file == NULL
             ? 0
             : s->machine.env->ops->read(file, c->offset, s->bytes, c->size);
}

static int64_t
do_read_all(side *s, const call *c)
{
  gs_file *file = s->files[c->handle];
  return file == NULL
             ? 0
             : s->machine.env->ops->read(file, 0, s->bytes, BUFFER_BYTES);
}

static int64_t
do_allocate(side *s, const call *c)
{
  gs_file *file = s->files[c->handle];
  return file == NULL ? 0 : s->machine.env->ops->allocate(file, c->offset);
}

/* Cutting a file below another handle's mapping would be fatal. */
static int64_t
do_truncate(side *s, const call *c)
{
  gs_file *file = s->files[c->handle];
  return file == NULL || has_mapping(s)
             ? 0
             : s->machine.env->ops->truncate(file, c->offset);
}

static int64_t
do_map(side *s, const call *c)
{
  gs_file *file = s->files[c->handle];
  if (file == NULL) {
    return 0;
  }
  int os_errno = s->machine.env->ops->map(file, c->offset);
  if (os_errno == 0) {
    s->is_mapped[c->handle] = c->offset > 0;
  }
  return os_errno;
}

static int64_t
do_sync(side *s, const call *c)
{
  gs_file *file = s->files[c->handle];
  return file == NULL ? 0 : s->machine.env->ops->sync_data(file);
}

static int64_t
do_size(side *s, const call *c)
{
  uint64_t size = 0;
  gs_file *file = s->files[c->handle];
  int os_errno = file == NULL ? 0 : s->machine.env->ops->size(file, &size);
  return (int64_t)size - os_errno;
}

static int64_t
do_stat(side *s, const call *c)
{
  gs_file_info info;
  gs_env *env = s->machine.env;
  int os_errno = env->ops->stat(env, path_of(s, c->name), &info);
  if (os_errno != 0) {
    return -os_errno;
  }
  return info.is_directory ? INT64_MAX : (int64_t)info.size_bytes;
}

static int64_t
do_make_dir(side *s, const call *c)
{
  gs_env *env = s->machine.env;
  return env->ops->make_dir(env, path_of(s, c->name));
}

static int64_t
do_remove(side *s, const call *c)
{
  gs_env *env = s->machine.env;
  return env->ops->remove(env, path_of(s, c->name));
}

static int64_t
do_remove_dir(side *s, const call *c)
{
  gs_env *env = s->machine.env;
  return env->ops->remove_dir(env, path_of(s, c->name));
}

static int64_t
do_link(side *s, const call *c)
{
  char from[TEMP_DIR_BYTES];
  gs_env *env = s->machine.env;
  memcpy(from, path_of(s, c->name), sizeof from);
  return env->ops->link(env, from, path_of(s, c->other));
}

static int64_t
do_sync_dir(side *s, const call *c)
{
  gs_env *env = s->machine.env;
  return env->ops->sync_dir(env, path_of(s, c->name));
}

static int64_t
do_list(side *s, const call *c)
{
  gs_env *env = s->machine.env;
  listing list = {.count = 0};
  memset(&list, 0, sizeof list);
  int os_errno = env->ops->list(env, path_of(s, c->name), listing_note, &list);
  listing_sort(&list);
  _Static_assert(sizeof list.names <= BUFFER_BYTES, "names fit");
  memcpy(s->bytes, list.names, sizeof list.names);
  return os_errno;
}

static const action actions[] = {
    do_open,  do_open, do_open,     do_open,     do_close,    do_write,
    do_write, do_read, do_read_all, do_read_all, do_allocate, do_map,
    do_size,  do_sync, do_truncate, do_stat,     do_make_dir, do_list,
    do_link,  do_link, do_sync_dir, do_remove,   do_remove,   do_remove_dir,
};

static call
draw_call(void)
{
  return (call){
      .kind = draw(sizeof actions / sizeof actions[0]),
      .handle = draw(HANDLES),
      .name = names[draw(NAMES)],
      .other = names[draw(NAMES)],
      .offset = draw(2) == 0 ? draw(MAX_OFFSET) : draw(100),
      .size = draw(4) == 0 ? draw(BUFFER_BYTES) : draw(600),
      .fill = (uint8_t)draw(256),
  };
}

/* ---- what is there ----------------------------------------------------------- */

static void
take_content(side *s, const char *name)
{
  gs_env *env = s->machine.env;
  gs_file *file = NULL;
  memset(s->bytes, 0, sizeof s->bytes);
  if (env->ops->open(env, path_of(s, name), GS_OPEN_READ, &file) == 0) {
    (void)env->ops->read(file, 0, s->bytes, BUFFER_BYTES);
    (void)env->ops->close(file);
  }
}

static void
compare_all(void)
{
  for (size_t i = 0; i < NAMES; i++) {
    call c = {.name = names[i]};
    assert_int_equal(do_stat(&sides[0], &c), do_stat(&sides[1], &c));
    assert_int_equal(do_list(&sides[0], &c), do_list(&sides[1], &c));
    assert_memory_equal(sides[0].bytes, sides[1].bytes, BUFFER_BYTES);
    take_content(&sides[0], names[i]);
    take_content(&sides[1], names[i]);
    assert_memory_equal(sides[0].bytes, sides[1].bytes, BUFFER_BYTES);
  }
}

static void
close_all(side *s)
{
  for (size_t i = 0; i < HANDLES; i++) {
    assert_int_equal(gs_file_close(s->files[i], NULL), GS_OK);
    s->files[i] = NULL;
    s->is_mapped[i] = false;
  }
  machine_close(&s->machine);
}

static uint64_t
seed_of_this_run(void)
{
  const char *given = getenv("GS_SEED");
  uint64_t seed = given != NULL ? strtoull(given, NULL, 0)
                                : gs_env_random64(gs_env_posix());
  print_message("GS_SEED=%llu\n", (unsigned long long)seed);
  return seed | 1;
}

static void
run_list(size_t ops)
{
  machine_open_posix(&sides[0].machine);
  machine_open_sim(&sides[1].machine);
  for (size_t i = 0; i < ops; i++, all_ops++) {
    call c = draw_call();
    int64_t real = actions[c.kind](&sides[0], &c);
    int64_t simulated = actions[c.kind](&sides[1], &c);
    if (real != simulated) {
      fail_msg("call %zu, kind %zu on %s: %lld, simulated %lld", i, c.kind,
               c.name, (long long)real, (long long)simulated);
    }
    assert_memory_equal(sides[0].bytes, sides[1].bytes, BUFFER_BYTES);
  }
  compare_all();
  close_all(&sides[0]);
  close_all(&sides[1]);
}

static void
test_random_operations_have_equal_answers(void **state)
{
  (void)state;
  size_t left = family_count(FULL_OPS);
  random_state = seed_of_this_run();
  while (left > 0) {
    size_t ops = left < OPS ? left : OPS;
    run_list(ops);
    left -= ops;
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_random_operations_have_equal_answers),
  };
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return family_report(32, "real", all_ops, failures,
                       "operations with equal answers on both machines");
}
