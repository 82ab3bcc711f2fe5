/*
 * doubt: losses are met in the order of their first keys, and those that the
 * keys have not yet left are few.
 */
#include "store/doubt.h"

#include "store/report.h"
#include "tree/sort.h"

void
gs_doubt_init(gs_doubt *doubt, gs_repair_report *report)
{
  gs_alloc *alloc = report->found.alloc;
  *doubt = (gs_doubt){.report = report};
  gs_buffer_init(&doubt->places, alloc);
  gs_buffer_init(&doubt->order, alloc);
  gs_buffer_init(&doubt->active, alloc);
}

void
gs_doubt_deinit(gs_doubt *doubt)
{
  gs_buffer_deinit(&doubt->places);
  gs_buffer_deinit(&doubt->order);
  gs_buffer_deinit(&doubt->active);
}

gs_status
gs_doubt_add(gs_doubt *doubt, const gs_loss *loss, uint32_t place,
             gs_error *err)
{
  gs_status status = gs_report_loss(doubt->report, loss, err);
  if (status == GS_OK) {
    gs_buffer_append(&doubt->places, &place, sizeof place);
    status = gs_buffer_status(&doubt->places, err);
  }
  return status;
}

static size_t *
numbers_of(const gs_buffer *buffer)
{
  void *numbers = buffer->data;
  return numbers;
}

static bool
is_less(const void *items, size_t a, size_t b)
{
  const gs_doubt *doubt = items;
  const gs_loss *losses = doubt->report->losses;
  const size_t *order = numbers_of(&doubt->order);
  return gs_slice_compare(losses[order[a]].from, losses[order[b]].from) < 0;
}

static void
swap(void *items, size_t a, size_t b)
{
  const gs_doubt *doubt = items;
  size_t *order = numbers_of(&doubt->order);
  size_t held = order[a];
  order[a] = order[b];
  order[b] = held;
}

gs_status
gs_doubt_begin(gs_doubt *doubt, gs_error *err)
{
  for (size_t i = 0; i < doubt->report->loss_count; i++) {
    gs_buffer_append(&doubt->order, &i, sizeof i);
  }
  const gs_sortable sortable = {doubt, is_less, swap};
  gs_status status = gs_buffer_status(&doubt->order, err);
  if (status == GS_OK) {
    gs_sort(&sortable, doubt->report->loss_count);
    /* So that asking needs no memory. */
    bool has_room = gs_buffer_reserve(
        &doubt->active, doubt->report->loss_count * sizeof(size_t));
    status = has_room ? GS_OK : GS_FAIL_NOMEM(err);
  }
  return status;
}

/* Enters the losses that begin at or before the key. */
static void
enter(gs_doubt *doubt, gs_slice key)
{
  const size_t *order = numbers_of(&doubt->order);
  while (doubt->next < doubt->report->loss_count &&
         gs_slice_compare(doubt->report->losses[order[doubt->next]].from,
                          key) <= 0) {
    gs_buffer_append(&doubt->active, &order[doubt->next], sizeof *order);
    doubt->next++;
  }
}

static bool
may_be_newer(const gs_doubt *doubt, size_t loss, const gs_entry *entry,
             uint32_t place)
{
  uint32_t lost_place;
  memcpy(&lost_place, doubt->places.data + loss * sizeof lost_place,
         sizeof lost_place);
  return (lost_place == GS_PLACE_UNKNOWN || place > lost_place) &&
         entry->seq < doubt->report->losses[loss].last_seq;
}

bool
gs_doubt_ask(gs_doubt *doubt, const gs_entry *entry, uint32_t place)
{
  bool is_doubtful = false;
  enter(doubt, entry->key);
  size_t *active = numbers_of(&doubt->active);
  size_t count = doubt->active.size / sizeof *active;
  for (size_t i = 0; i < count;) {
    gs_loss *loss = &doubt->report->losses[active[i]];
    if (loss->has_to && gs_slice_compare(loss->to, entry->key) <= 0) {
      active[i] = active[--count];
      continue;
    }
    if (may_be_newer(doubt, active[i], entry, place)) {
      loss->uncertain_keys++;
      is_doubtful = true;
    }
    i++;
  }
  doubt->active.size = count * sizeof *active;
  return is_doubtful;
}
