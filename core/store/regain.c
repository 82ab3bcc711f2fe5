/*
 * regain: entries and losses are both walked in the order of keys.
 */
#include "store/regain.h"

#include "tree/sort.h"

/* The losses of tables, by the keys they begin with, and how far those reach
 * that begin at or before the last key asked for. */
typedef struct losses {
  const gs_repair_report *report;
  gs_buffer order; /* size_t */
  size_t count;
  size_t next;
  gs_slice reach;
  bool is_endless;
  uint64_t last_seq; /* of what they may have held */
} losses;

static size_t *
numbers_of(const losses *l)
{
  void *numbers = l->order.data;
  return numbers;
}

static const gs_loss *
loss_at(const losses *l, size_t place)
{
  return &l->report->losses[numbers_of(l)[place]];
}

static bool
is_less(const void *items, size_t a, size_t b)
{
  const losses *l = items;
  return gs_slice_compare(loss_at(l, a)->from, loss_at(l, b)->from) < 0;
}

static void
swap(void *items, size_t a, size_t b)
{
  size_t *numbers = numbers_of(items);
  size_t held = numbers[a];
  numbers[a] = numbers[b];
  numbers[b] = held;
}

static gs_status
order_losses(losses *l, gs_error *err)
{
  for (size_t i = 0; i < l->report->loss_count; i++) {
    gs_loss_cause cause = l->report->losses[i].cause;
    if (cause == GS_LOST_TABLE || cause == GS_LOST_BLOCK) {
      gs_buffer_append(&l->order, &i, sizeof i);
    }
  }
  l->count = l->order.size / sizeof(size_t);
  const gs_sortable sortable = {l, is_less, swap};
  gs_status status = gs_buffer_status(&l->order, err);
  if (status == GS_OK) {
    gs_sort(&sortable, l->count);
  }
  return status;
}

/* Whether a table has lost what it may have held of the key. Keys rise. */
static bool
has_lost(losses *l, gs_slice key)
{
  for (; l->next < l->count; l->next++) {
    const gs_loss *loss = loss_at(l, l->next);
    if (gs_slice_compare(loss->from, key) > 0) {
      break;
    }
    l->is_endless = l->is_endless || !loss->has_to;
    l->last_seq = loss->last_seq > l->last_seq ? loss->last_seq : l->last_seq;
    if (loss->has_to && gs_slice_compare(loss->to, l->reach) > 0) {
      l->reach = loss->to;
    }
  }
  return l->is_endless || gs_slice_compare(key, l->reach) < 0;
}

/* From where on the log has every number up to flushed_seq; beyond it where
 * the last is missing. */
static uint64_t
whole_from(const gs_log_remains *log, uint64_t flushed_seq)
{
  const gs_log_span *spans = gs_log_remains_spans(log);
  uint64_t first = flushed_seq + 1;
  for (size_t i = log->span_count; i > 0; i--) {
    if (spans[i - 1].first < first) {
      if (spans[i - 1].last + 1 < first) {
        break;
      }
      first = spans[i - 1].first;
    }
  }
  return first;
}

gs_status
gs_regain(gs_log_remains *log, const gs_repair_report *report,
          uint64_t flushed_seq, gs_error *err)
{
  losses l = {.report = report};
  gs_buffer_init(&l.order, log->env->alloc);
  gs_status status = order_losses(&l, err);
  log->whole_from = whole_from(log, flushed_seq);
  gs_entry *entries = gs_log_remains_entries(log);
  size_t kept = 0;
  for (size_t i = 0; status == GS_OK && i < log->entry_count; i++) {
    uint64_t seq = entries[i].seq;
    bool is_lost = has_lost(&l, entries[i].key);
    bool may_help = seq >= log->whole_from || seq <= l.last_seq;
    bool is_wanted = seq > flushed_seq || (is_lost && may_help);
    if (is_wanted) {
      entries[kept++] = entries[i];
    }
  }
  log->entry_count = status == GS_OK ? kept : log->entry_count;
  gs_buffer_deinit(&l.order);
  return status;
}
