/*
 * power_node: a node's synced bytes, and its steps one after another in one
 * buffer of records and one of bytes.
 */
#include "support/power_node.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { SECTOR = 512, PAGE = 4096, WHOLE = 0 };

/* A write of `size` bytes that stand at `at` among the bytes of the node's
 * steps, or, without any, the size that the file was given. */
typedef struct step {
  bool is_resize;
  uint64_t offset; /* of the write; the new size of a resize */
  size_t size;
  size_t at;
} step;

/* ---- nodes ------------------------------------------------------------------ */

gs_alloc *
power_memory(void)
{
  return gs_env_posix()->alloc;
}

void
power_append(gs_buffer *buffer, const void *data, size_t size)
{
  gs_buffer_append(buffer, data, size);
  assert_false(buffer->failed);
}

power_node *
power_node_new(bool is_directory)
{
  power_node *made = GS_NEW(power_memory(), power_node);
  assert_non_null(made);
  made->is_directory = is_directory;
  gs_buffer_init(&made->synced, power_memory());
  gs_buffer_init(&made->steps, power_memory());
  gs_buffer_init(&made->bytes, power_memory());
  return made;
}

power_node *
power_node_hold(power_node *held)
{
  if (held != NULL) {
    held->references++;
  }
  return held;
}

void
power_node_drop(power_node *held)
{
  if (held == NULL || --held->references > 0) {
    return;
  }
  gs_buffer_deinit(&held->synced);
  gs_buffer_deinit(&held->steps);
  gs_buffer_deinit(&held->bytes);
  GS_DELETE(power_memory(), held);
}

void
power_node_add(power_node *changed, bool is_resize, uint64_t offset,
               const void *data, size_t size)
{
  step made = {is_resize, offset, size, changed->bytes.size};
  power_append(&changed->bytes, data, size);
  power_append(&changed->steps, &made, sizeof made);
}

/* ---- chance ----------------------------------------------------------------- */

static uint64_t
draw(power_chooser *c, uint64_t limit)
{
  c->state += UINT64_C(0x9E3779B97F4A7C15);
  uint64_t x = c->state;
  x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
  x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
  return (x ^ (x >> 31)) % limit;
}

bool
power_happens(power_chooser *c, uint64_t odds)
{
  return draw(c, 8) < odds;
}

power_chooser
power_chooser_of(power_cut how, uint64_t seed)
{
  static const uint64_t odds[] = {1, 4, 7, 4};
  power_chooser c = {.state = seed * POWER_CUTS + how, .grain = SECTOR};
  c.odds = odds[draw(&c, 4)];
  c.name_odds = odds[draw(&c, 4)];
  c.may_tear = how == POWER_CUT_TORN;
  if (how == POWER_CUT_ALL || how == POWER_CUT_NAMES) {
    c.odds = 0;
  }
  if (how == POWER_CUT_ALL || how == POWER_CUT_CONTENT) {
    c.name_odds = 0;
  }
  if (how == POWER_CUT_NOTHING || how == POWER_CUT_CONTENT) {
    c.odds = 8;
  }
  if (how == POWER_CUT_NOTHING || how == POWER_CUT_NAMES) {
    c.name_odds = 8;
  }
  if (how == POWER_CUT_PAGES) {
    c.grain = PAGE;
  }
  if (how == POWER_CUT_FILES) {
    c.grain = WHOLE;
  }
  return c;
}

/* ---- the content of a node after a cut -------------------------------------- */

static void
resize(gs_buffer *image, uint64_t size)
{
  if (size < image->size) {
    image->size = (size_t)size;
  } else {
    gs_buffer_append_zeros(image, (size_t)size - image->size);
  }
  assert_false(image->failed);
}

static void
keep_piece(power_chooser *c, gs_buffer *image, uint64_t offset,
           const uint8_t *data, size_t size)
{
  size_t from = 0;
  size_t to = size;
  if (c->may_tear && power_happens(c, 1)) {
    c->may_tear = false;
    size_t cut = (size_t)draw(c, size);
    from = power_happens(c, 4) ? cut : 0;
    to = from == 0 ? cut : size;
  }
  if (offset + size > image->size) {
    resize(image, offset + size);
  }
  if (to > from) {
    memcpy(image->data + offset + from, data + from, to - from);
  }
}

static void
apply_write(power_chooser *c, gs_buffer *image, const step *s,
            const uint8_t *data)
{
  size_t done = 0;
  while (done < s->size) {
    uint64_t offset = s->offset + done;
    size_t left = s->size - done;
    size_t room = c->grain == WHOLE ? left : c->grain - offset % c->grain;
    size_t size = left < room ? left : room;
    if (power_happens(c, c->odds)) {
      keep_piece(c, image, offset, data + done, size);
    }
    done += size;
  }
}

void
power_node_build(power_chooser c, uint64_t salt, const power_node *of,
                 gs_buffer *image)
{
  c.state += salt * 1000003;
  if (c.grain == WHOLE) {
    c.odds = power_happens(&c, 4) ? 8 : 0;
  }
  gs_buffer_clear(image);
  power_append(image, of->synced.data, of->synced.size);
  size_t count = of->steps.size / sizeof(step);
  for (size_t i = 0; i < count; i++) {
    step s;
    memcpy(&s, of->steps.data + i * sizeof s, sizeof s);
    if (!s.is_resize) {
      apply_write(&c, image, &s, of->bytes.data + s.at);
    } else if (power_happens(&c, c.odds)) {
      resize(image, s.offset);
    }
  }
}

/* Everything that was done is the new content. */
void
power_node_settle(power_node *synced)
{
  gs_buffer image;
  gs_buffer_init(&image, power_memory());
  power_node_build(power_chooser_of(POWER_CUT_NOTHING, 0), 0, synced, &image);
  gs_buffer_clear(&synced->synced);
  power_append(&synced->synced, image.data, image.size);
  gs_buffer_deinit(&image);
  gs_buffer_deinit(&synced->steps);
  gs_buffer_deinit(&synced->bytes);
  gs_buffer_init(&synced->steps, power_memory());
  gs_buffer_init(&synced->bytes, power_memory());
}
