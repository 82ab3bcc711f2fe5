/*
 * Tests of copy-on-write content: against plain arrays, and that copies do not
 * feel each other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "env/sim/content.h"
#include "env/sim/state.h"

enum { ROOM = 20000, STEPS = 3000, COPIES = 3 };

/* Content and what it should be: all of plain beyond size is zero. */
typedef struct pair {
  sim_content content;
  uint8_t plain[ROOM];
  size_t size;
} pair;

static uint64_t chance;

static size_t
draw(size_t limit)
{
  return (size_t)(gs_sim_draw(&chance) % limit);
}

static void
assert_same(const pair *p)
{
  static uint8_t bytes[ROOM];
  gs_sim_content_read(&p->content, 0, bytes, ROOM);
  assert_int_equal(p->content.size, p->size);
  assert_memory_equal(bytes, p->plain, ROOM);
}

static void
write_at(pair *p, size_t offset, uint8_t fill, size_t size)
{
  memset(p->plain + offset, fill, size);
  gs_sim_content_write(&p->content, offset, p->plain + offset, size);
  p->size = p->size < offset + size ? offset + size : p->size;
}

static void
resize(pair *p, size_t size)
{
  if (size < p->size) {
    memset(p->plain + size, 0, ROOM - size);
  }
  p->size = size;
  gs_sim_content_resize(&p->content, size);
}

static void
copy(pair *to, const pair *from)
{
  gs_sim_content_copy(&to->content, &from->content);
  memcpy(to->plain, from->plain, ROOM);
  to->size = from->size;
}

static void
test_random_work_on_copies_equals_plain_arrays(void **state)
{
  (void)state;
  static pair pairs[COPIES];
  chance = 1;
  for (size_t i = 0; i < STEPS; i++) {
    pair *p = &pairs[draw(COPIES)];
    size_t offset = draw(ROOM);
    switch (draw(4)) {
    case 0:
      write_at(p, offset, (uint8_t)draw(256), 1 + draw(ROOM - offset));
      break;
    case 1:
      write_at(p, offset, (uint8_t)draw(256), 1);
      break;
    case 2:
      resize(p, offset);
      break;
    default:
      copy(p, &pairs[draw(COPIES)]);
      break;
    }
    for (size_t j = 0; j < COPIES; j++) {
      assert_same(&pairs[j]);
    }
  }
  for (size_t j = 0; j < COPIES; j++) {
    gs_sim_content_free(&pairs[j].content);
  }
}

static void
test_a_large_empty_file_costs_nothing(void **state)
{
  (void)state;
  sim_content content = {0};
  uint8_t byte = 1;
  gs_sim_content_resize(&content, UINT64_C(1) << 35);
  assert_int_equal(content.pages, 0);
  gs_sim_content_read(&content, (UINT64_C(1) << 35) - 1, &byte, 1);
  assert_int_equal(byte, 0);
  gs_sim_content_free(&content);
  assert_int_equal(content.size, 0);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_random_work_on_copies_equals_plain_arrays),
      cmocka_unit_test(test_a_large_empty_file_costs_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
