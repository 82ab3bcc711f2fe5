/*
 * epoch: why a release never meets a reader.
 *
 *   reader                          writer
 *   R1 slot := global  (exchange)   W1 unlink the item
 *   R2 read global                  W2 n := global++   (the item's number)
 *   R3 follow shared pointers       W3 read all slots
 *
 * All but W1 and R3 are sequentially consistent, so they have one order. If R2
 * reads what W2 or a later step wrote, W1 happens before R3 and the reader
 * cannot reach the item. Else R2 comes before W2, so R1 comes before W3, and
 * W3 finds a slot that is neither 0 nor above n: the item waits. That is why
 * R2 reads a number nobody uses, and why no separate fence is needed (thread
 * sanitizers do not understand those). A slot is given back with release
 * order, so what the reader did happens before the release that found it 0.
 *
 * The highest slot ever used is raised before R1 and read in W3, which lets W3
 * pass over the slots no thread has had.
 *
 * Threads without a slot of their own join one of two groups, each with a
 * slot, a count, and the number of its first member. While one group is empty,
 * newcomers leave a group with an old number to run dry and join the other, so
 * a steady stream of such threads holds nothing back for ever.
 */
#include "env/epoch.h"

#include <stdatomic.h>

#include "base/check.h"

enum {
  OWN_SLOTS = GS_EPOCH_OWN_SLOTS,
  GROUPS = 2,
  ALL_SLOTS = GS_EPOCH_SLOTS,
  SLOT_BYTES = 64,     /* one cache line, so that readers do not share any */
  COLLECT_PERIOD = 32, /* retires between two attempts to release */
};

_Static_assert((int)ALL_SLOTS == (int)OWN_SLOTS + (int)GROUPS,
               "every slot is counted");

/* Padded, not aligned: the same offset in each line serves as well. */
typedef struct epoch_slot {
  _Atomic uint64_t number; /* the number at entry; 0 outside */
  uint8_t rest[SLOT_BYTES - sizeof(uint64_t)];
} epoch_slot;

struct gs_epoch {
  gs_env *env;
  _Atomic uint64_t global; /* from 1; rises with each retire */
  atomic_uint used_slots;  /* own slots at or above it were never used */
  gs_mutex *retired_mutex; /* guards the list and its ends */
  gs_retired *oldest;      /* numbers rise along the list */
  gs_retired *newest;
  gs_mutex *groups_mutex; /* guards the two below */
  uint32_t group_count[GROUPS];
  uint32_t open_group; /* newcomers join this one */
  epoch_slot slots[ALL_SLOTS];
};

gs_status
gs_epoch_new(gs_env *env, gs_epoch **out, gs_error *err)
{
  *out = NULL;
  gs_epoch *epoch = GS_NEW(env->alloc, gs_epoch);
  if (epoch == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  epoch->env = env;
  atomic_init(&epoch->global, 1);
  gs_status status = gs_mutex_new(env, &epoch->retired_mutex, err);
  if (status == GS_OK) {
    status = gs_mutex_new(env, &epoch->groups_mutex, err);
  }
  if (status != GS_OK) {
    gs_epoch_free(epoch);
    return status;
  }
  *out = epoch;
  return GS_OK;
}

/* R1 and R2 above. */
static void
publish(gs_epoch *epoch, uint32_t slot)
{
  uint64_t number = atomic_load_explicit(&epoch->global, memory_order_relaxed);
  atomic_exchange(&epoch->slots[slot].number, number);
  (void)atomic_load(&epoch->global);
}

static void
raise_used_slots(gs_epoch *epoch, uint32_t slot)
{
  unsigned used =
      atomic_load_explicit(&epoch->used_slots, memory_order_relaxed);
  while (used <= slot &&
         !atomic_compare_exchange_weak(&epoch->used_slots, &used, slot + 1)) {
  }
}

static uint32_t
enter_group(gs_epoch *epoch)
{
  gs_mutex_lock(epoch->groups_mutex);
  uint32_t group = epoch->open_group;
  uint64_t number = atomic_load(&epoch->slots[OWN_SLOTS + group].number);
  if (number != 0 && number != atomic_load(&epoch->global) &&
      epoch->group_count[1 - group] == 0) {
    group = 1 - group;
    epoch->open_group = group;
  }
  if (epoch->group_count[group]++ == 0) {
    publish(epoch, OWN_SLOTS + group);
  }
  gs_mutex_unlock(epoch->groups_mutex);
  return OWN_SLOTS + group;
}

static void
leave_group(gs_epoch *epoch, uint32_t group)
{
  gs_mutex_lock(epoch->groups_mutex);
  if (--epoch->group_count[group] == 0) {
    atomic_store_explicit(&epoch->slots[OWN_SLOTS + group].number, 0,
                          memory_order_release);
  }
  gs_mutex_unlock(epoch->groups_mutex);
}

uint32_t
gs_epoch_enter(gs_epoch *epoch)
{
  uint32_t slot = epoch->env->ops->thread_slot(epoch->env);
  if (slot >= OWN_SLOTS) {
    return enter_group(epoch);
  }
  if (slot >= atomic_load_explicit(&epoch->used_slots, memory_order_relaxed)) {
    raise_used_slots(epoch, slot);
  }
  publish(epoch, slot);
  return slot;
}

void
gs_epoch_leave(gs_epoch *epoch, uint32_t slot)
{
  if (slot >= OWN_SLOTS) {
    leave_group(epoch, slot - OWN_SLOTS);
    return;
  }
  atomic_store_explicit(&epoch->slots[slot].number, 0, memory_order_release);
}

/* The smallest number a reader holds; UINT64_MAX when nobody is inside. */
static uint64_t
oldest_reader(gs_epoch *epoch)
{
  uint64_t oldest = UINT64_MAX;
  uint32_t used = atomic_load(&epoch->used_slots);
  for (uint32_t i = 0; i < ALL_SLOTS; i++) {
    if (i == used) {
      i = OWN_SLOTS;
    }
    uint64_t number = atomic_load(&epoch->slots[i].number);
    if (number != 0 && number < oldest) {
      oldest = number;
    }
  }
  return oldest;
}

/* Cuts the items below the limit off the front of the list. */
static gs_retired *
take_below(gs_epoch *epoch, uint64_t limit)
{
  gs_mutex_lock(epoch->retired_mutex);
  gs_retired *first = epoch->oldest;
  gs_retired *last = NULL;
  for (gs_retired *item = first; item != NULL && item->number < limit;
       item = item->next) {
    last = item;
  }
  if (last != NULL) {
    epoch->oldest = last->next;
    last->next = NULL;
    if (epoch->oldest == NULL) {
      epoch->newest = NULL;
    }
  }
  gs_mutex_unlock(epoch->retired_mutex);
  return last != NULL ? first : NULL;
}

void
gs_epoch_collect(gs_epoch *epoch)
{
  /* Items retired after the slots are read must wait for the next time. */
  uint64_t global = atomic_load(&epoch->global);
  uint64_t oldest = oldest_reader(epoch);
  gs_retired *item = take_below(epoch, oldest < global ? oldest : global);
  while (item != NULL) {
    gs_retired *next = item->next;
    item->release(item);
    item = next;
  }
}

void
gs_epoch_retire(gs_epoch *epoch, gs_retired *item,
                void (*release)(gs_retired *item))
{
  item->next = NULL;
  item->release = release;
  gs_mutex_lock(epoch->retired_mutex);
  item->number = atomic_fetch_add(&epoch->global, 1);
  if (epoch->newest != NULL) {
    epoch->newest->next = item;
  } else {
    epoch->oldest = item;
  }
  epoch->newest = item;
  bool is_due = item->number % COLLECT_PERIOD == 0;
  gs_mutex_unlock(epoch->retired_mutex);
  if (is_due) {
    gs_epoch_collect(epoch);
  }
}

void
gs_epoch_free(gs_epoch *epoch)
{
  if (epoch == NULL) {
    return;
  }
  GS_ASSERT(oldest_reader(epoch) == UINT64_MAX);
  /* A release may retire more. */
  while (epoch->oldest != NULL) {
    gs_epoch_collect(epoch);
  }
  gs_mutex_free(epoch->groups_mutex);
  gs_mutex_free(epoch->retired_mutex);
  GS_DELETE(epoch->env->alloc, epoch);
}
