/*
 * policy: what is known of the policy in charge, for those who ask the store.
 * A forked child asks in vain: the locks are its parent's.
 */
#include <stdio.h>

#include "store/event.h"
#include "store/store.h"

static bool
is_mine(const gs_store *store)
{
  return gs_store_check(store, NULL) == GS_OK;
}

static void
cut_text(char *out, size_t size, const char *text)
{
  snprintf(out, size, "%s", text);
}

void
gs_policy_begin(gs_store *store, const char *name, bool is_threaded)
{
  if (!is_mine(store)) {
    return;
  }
  gs_mutex_lock(store->state);
  store->policy = (gs_policy_state){.is_threaded = is_threaded};
  cut_text(store->policy.name, sizeof store->policy.name, name);
  gs_mutex_unlock(store->state);
}

void
gs_policy_note(gs_store *store, uint64_t spent_us, const char *error,
               bool is_aside)
{
  if (!is_mine(store)) {
    return;
  }
  gs_mutex_lock(store->state);
  gs_policy_state *policy = &store->policy;
  policy->decisions++;
  policy->spent_us += spent_us;
  policy->errors += error != NULL;
  policy->is_aside = is_aside;
  cut_text(policy->error, sizeof policy->error, error == NULL ? "" : error);
  gs_mutex_unlock(store->state);
  if (error != NULL) {
    gs_note_policy_error(store, error, is_aside);
  }
  if (is_aside) {
    GS_IGNORE(gs_set_policy_driven(store, false, NULL), "asked above");
  }
}

void
gs_policy_get(gs_store *store, gs_policy_state *out)
{
  *out = (gs_policy_state){.name = ""};
  if (!is_mine(store)) {
    return;
  }
  gs_mutex_lock(store->state);
  *out = store->policy;
  gs_mutex_unlock(store->state);
}
