/*
 * registry: a short list, searched from the front. Whoever waits looks at the
 * path again afterwards: the directory may be another by then.
 */
#include "store/registry.h"

struct gs_site {
  gs_env *env;
  uint64_t device;
  uint64_t inode;
  uint64_t process_id; /* a parent's site is none of ours */
  bool is_located;
  bool is_busy;
  bool is_gone;   /* off the list; the last that waits frees it */
  size_t waiting; /* threads */
  gs_store *store;
  gs_cond *changed;
  gs_site *next;
};

/* The machine's mutex; opening the first store made it. */
static gs_mutex *
mutex_of(gs_env *env)
{
  return atomic_load(&env->registry);
}

static void
free_site(gs_site *site)
{
  gs_cond_free(site->changed);
  GS_DELETE(site->env->alloc, site);
}

static gs_status
new_site(gs_env *env, gs_site **out, gs_error *err)
{
  gs_site *site = GS_NEW(env->alloc, gs_site);
  if (site == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  gs_status status = gs_cond_new(env, &site->changed, err);
  if (status != GS_OK) {
    GS_DELETE(env->alloc, site);
    return status;
  }
  site->env = env;
  site->process_id = gs_env_process(env);
  *out = site;
  return GS_OK;
}

/* Whether the wanted site is this one, or may turn out to be: a directory that
 * is being made may be the one that was found made. */
static bool
may_be(const gs_site *site, const gs_site *wanted)
{
  bool is_same = site->device == wanted->device && site->inode == wanted->inode;
  return site->process_id == wanted->process_id &&
         (is_same || !site->is_located);
}

static gs_site *
find_site(gs_env *env, const gs_site *wanted)
{
  gs_site *site = env->opened;
  while (site != NULL && !may_be(site, wanted)) {
    site = site->next;
  }
  return site;
}

static void
wait_at(gs_site *site, gs_mutex *mutex)
{
  site->waiting++;
  gs_cond_wait(site->changed, mutex, 0);
  site->waiting--;
  if (site->is_gone && site->waiting == 0) {
    free_site(site);
  }
}

/* Fills in what the path leads to, as far as it leads anywhere. */
static void
look(gs_site *wanted, const char *path)
{
  gs_file_info info;
  wanted->is_located = gs_env_stat(wanted->env, path, &info, NULL) == GS_OK;
  wanted->device = wanted->is_located ? info.device : 0;
  wanted->inode = wanted->is_located ? info.inode : 0;
}

/* The site as it is on the list, busy: the wanted one where there was none. */
static gs_site *
claim(gs_site *wanted, const char *path, gs_mutex *mutex)
{
  look(wanted, path);
  gs_site *found = find_site(wanted->env, wanted);
  while (found != NULL && found->is_busy) {
    wait_at(found, mutex);
    look(wanted, path);
    found = find_site(wanted->env, wanted);
  }
  if (found == NULL) {
    found = wanted;
    wanted->next = wanted->env->opened;
    wanted->env->opened = wanted;
  }
  found->is_busy = true;
  return found;
}

gs_status
gs_registry_enter(gs_env *env, const char *path, gs_site **out, gs_error *err)
{
  gs_mutex *mutex;
  gs_site *wanted = NULL;
  gs_status status = gs_env_registry(env, &mutex, err);
  if (status == GS_OK) {
    status = new_site(env, &wanted, err);
  }
  if (status != GS_OK) {
    return status;
  }
  gs_mutex_lock(mutex);
  *out = claim(wanted, path, mutex);
  gs_mutex_unlock(mutex);
  if (*out != wanted) {
    free_site(wanted);
  }
  return GS_OK;
}

gs_store *
gs_registry_store(const gs_site *site)
{
  return site->store;
}

void
gs_registry_locate(gs_site *site, uint64_t device, uint64_t inode)
{
  gs_mutex_lock(mutex_of(site->env));
  site->is_located = true;
  site->device = device;
  site->inode = inode;
  gs_cond_broadcast(site->changed); /* those who want another may go on */
  gs_mutex_unlock(mutex_of(site->env));
}

/* Takes the site off the list. */
static void
forget(gs_site *gone)
{
  gs_site *at = gone->env->opened;
  if (at == gone) {
    gone->env->opened = gone->next;
  } else {
    while (at->next != gone) {
      at = at->next;
    }
    at->next = gone->next;
  }
  gone->is_gone = true;
  if (gone->waiting == 0) {
    free_site(gone);
  }
}

void
gs_registry_leave(gs_site *site, gs_store *store)
{
  gs_mutex *mutex = mutex_of(site->env);
  gs_mutex_lock(mutex);
  site->store = store;
  site->is_busy = false;
  gs_cond_broadcast(site->changed);
  if (store == NULL) {
    forget(site);
  }
  gs_mutex_unlock(mutex);
}

static gs_site *
site_of(const gs_store *store)
{
  gs_site *site = store->env->opened;
  while (site->store != store) {
    site = site->next;
  }
  return site;
}

gs_site *
gs_registry_part(gs_store *store)
{
  gs_mutex *mutex = mutex_of(store->env);
  gs_mutex_lock(mutex);
  gs_site *site = site_of(store);
  while (site->is_busy) {
    wait_at(site, mutex);
    site = site_of(store);
  }
  bool is_last = atomic_fetch_sub(&store->opens, 1) == 1;
  if (is_last) {
    site->is_busy = true;
  }
  gs_mutex_unlock(mutex);
  return is_last ? site : NULL;
}

gs_store *
gs_registry_find(gs_env *env, uint64_t device, uint64_t inode)
{
  gs_mutex *mutex;
  if (gs_env_registry(env, &mutex, NULL) != GS_OK) {
    return NULL;
  }
  gs_site wanted = {
      .device = device,
      .inode = inode,
      .is_located = true,
      .process_id = gs_env_process(env),
  };
  gs_mutex_lock(mutex);
  const gs_site *site = find_site(env, &wanted);
  gs_store *store = site != NULL && !site->is_busy ? site->store : NULL;
  gs_mutex_unlock(mutex);
  return store;
}
