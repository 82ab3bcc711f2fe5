/*
 * power_dir: the books of names, the operations that keep them, and the cut,
 * which goes through the names and chooses for each what it stands for.
 */
#include "support/power_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/power_node.h"

enum { PATH_ROOM = 1024, LIES_MAX = 4 };

typedef struct name {
  char path[PATH_ROOM]; /* below the root, "/db/LOCK" */
  power_node *synced;   /* NULL: nothing */
  gs_buffer past; /* of power_node *: what it stood for since; NULL: nothing */
  struct name *next;
} name;

typedef struct handle {
  const gs_file *file;
  power_node *node;
  struct handle *next;
} handle;

struct power_dir {
  gs_env env; /* first, so that a gs_env is its power_dir */
  gs_env_ops ops;
  const gs_env_ops *real;
  pthread_mutex_t books; /* also held by the watcher */
  char root[PATH_ROOM];
  name *names; /* parents before what is in them */
  handle *handles;
  const char *lies[LIES_MAX];
  size_t lie_count;
  void (*watch)(void *context);
  void *context;
};

/* ---- names ------------------------------------------------------------------ */

static const char *
below_root(const power_dir *disk, const char *path)
{
  size_t size = strlen(disk->root);
  bool is_below = strncmp(path, disk->root, size) == 0;
  assert_true(is_below && (path[size] == '/' || path[size] == '\0'));
  return path + size;
}

static size_t
past_count(const name *n)
{
  return n->past.size / sizeof(power_node *);
}

static power_node *
past_at(const name *n, size_t i)
{
  power_node *at;
  memcpy(&at, n->past.data + i * sizeof at, sizeof at);
  return at;
}

static power_node *
now_of(const name *n)
{
  size_t count = past_count(n);
  return count == 0 ? n->synced : past_at(n, count - 1);
}

static name *
name_of(power_dir *disk, const char *path)
{
  name **at = &disk->names;
  while (*at != NULL && strcmp((*at)->path, path) != 0) {
    at = &(*at)->next;
  }
  if (*at == NULL) {
    name *made = GS_NEW(power_memory(), name);
    assert_non_null(made);
    assert_in_range(strlen(path), 1, PATH_ROOM - 1);
    memcpy(made->path, path, strlen(path) + 1);
    gs_buffer_init(&made->past, power_memory());
    *at = made;
  }
  return *at;
}

static void
set_name(power_dir *disk, const char *path, power_node *to)
{
  name *n = name_of(disk, below_root(disk, path));
  power_node_hold(to);
  power_append(&n->past, &to, sizeof(power_node *));
}

static void
forget_past(name *n)
{
  for (size_t i = 0; i < past_count(n); i++) {
    power_node_drop(past_at(n, i));
  }
  gs_buffer_clear(&n->past);
}

static void
settle_name(name *n)
{
  power_node *now = power_node_hold(now_of(n));
  power_node_drop(n->synced);
  n->synced = now;
  forget_past(n);
}

static bool
is_in(const name *n, const char *dir)
{
  size_t size = strlen(dir);
  return strncmp(n->path, dir, size) == 0 && n->path[size] == '/' &&
         strchr(n->path + size + 1, '/') == NULL;
}

static void
forget_name(name **at)
{
  name *gone = *at;
  *at = gone->next;
  forget_past(gone);
  power_node_drop(gone->synced);
  gs_buffer_deinit(&gone->past);
  GS_DELETE(power_memory(), gone);
}

static void
settle_names(power_dir *disk, const char *dir)
{
  name **at = &disk->names;
  while (*at != NULL) {
    if (is_in(*at, dir)) {
      settle_name(*at);
    }
    if ((*at)->synced == NULL && past_count(*at) == 0) {
      forget_name(at);
    } else {
      at = &(*at)->next;
    }
  }
}

/* ---- operations ------------------------------------------------------------- */

static power_dir *
disk_of(gs_env *env)
{
  return (power_dir *)env;
}

static void
begin(power_dir *disk)
{
  pthread_mutex_lock(&disk->books);
}

static void
end(power_dir *disk)
{
  pthread_mutex_unlock(&disk->books);
}

static power_node *
node_of(const gs_file *file)
{
  const handle *h = disk_of(file->env)->handles;
  while (h->file != file) {
    h = h->next;
  }
  return h->node;
}

static void
add_handle(power_dir *disk, const gs_file *file, power_node *behind)
{
  handle *made = GS_NEW(power_memory(), handle);
  assert_non_null(made);
  *made = (handle){file, power_node_hold(behind), disk->handles};
  disk->handles = made;
}

static int
open_file(gs_env *env, const char *path, gs_open_mode mode, gs_file **out)
{
  power_dir *disk = disk_of(env);
  begin(disk);
  int os_errno = disk->real->open(env, path, mode, out);
  if (os_errno == 0) {
    if (mode == GS_OPEN_CREATE) {
      set_name(disk, path, power_node_new(false));
    }
    power_node *behind = now_of(name_of(disk, below_root(disk, path)));
    assert_non_null(behind);
    add_handle(disk, *out, behind);
  }
  end(disk);
  return os_errno;
}

static int
close_file(gs_file *file)
{
  power_dir *disk = disk_of(file->env);
  begin(disk);
  handle **at = &disk->handles;
  while ((*at)->file != file) {
    at = &(*at)->next;
  }
  handle *gone = *at;
  *at = gone->next;
  power_node_drop(gone->node);
  GS_DELETE(power_memory(), gone);
  int os_errno = disk->real->close(file);
  end(disk);
  return os_errno;
}

static int64_t
write_file(gs_file *file, uint64_t offset, const void *data, size_t size)
{
  power_dir *disk = disk_of(file->env);
  begin(disk);
  int64_t put = disk->real->write(file, offset, data, size);
  if (put > 0) {
    power_node_add(node_of(file), false, offset, data, (size_t)put);
  }
  end(disk);
  return put;
}

/* Whatever came of it is the size now. */
static void
note_size(gs_file *file)
{
  uint64_t size = 0;
  assert_int_equal(disk_of(file->env)->real->size(file, &size), 0);
  power_node_add(node_of(file), true, size, NULL, 0);
}

/* Carries out an operation that makes another size. */
static int
resize(gs_file *file, int (*real)(gs_file *file, uint64_t size), uint64_t size)
{
  power_dir *disk = disk_of(file->env);
  begin(disk);
  int os_errno = real(file, size);
  note_size(file);
  end(disk);
  return os_errno;
}

static int
allocate_file(gs_file *file, uint64_t size)
{
  return resize(file, disk_of(file->env)->real->allocate, size);
}

static int
reserve_file(gs_file *file, uint64_t size)
{
  return resize(file, disk_of(file->env)->real->reserve, size);
}

static int
truncate_file(gs_file *file, uint64_t size)
{
  return resize(file, disk_of(file->env)->real->truncate, size);
}

static void
watch(power_dir *disk)
{
  if (disk->watch != NULL) {
    disk->watch(disk->context);
  }
}

static bool
is_lie(const power_dir *disk, const char *path)
{
  for (size_t i = 0; i < disk->lie_count; i++) {
    size_t size = strlen(disk->lies[i]);
    size_t length = strlen(path);
    if (length >= size && strcmp(path + length - size, disk->lies[i]) == 0) {
      return true;
    }
  }
  return false;
}

static int
sync_file(gs_file *file)
{
  power_dir *disk = disk_of(file->env);
  begin(disk);
  watch(disk);
  int os_errno = 0;
  if (!is_lie(disk, file->path)) {
    os_errno = disk->real->sync_data(file);
    if (os_errno == 0) {
      power_node_settle(node_of(file));
    }
  }
  watch(disk);
  end(disk);
  return os_errno;
}

static int
sync_directory(gs_env *env, const char *dir)
{
  power_dir *disk = disk_of(env);
  begin(disk);
  watch(disk);
  int os_errno = 0;
  if (!is_lie(disk, "/")) {
    os_errno = disk->real->sync_dir(env, dir);
    if (os_errno == 0) {
      settle_names(disk, below_root(disk, dir));
    }
  }
  watch(disk);
  end(disk);
  return os_errno;
}

static int
make_directory(gs_env *env, const char *path)
{
  power_dir *disk = disk_of(env);
  begin(disk);
  int os_errno = disk->real->make_dir(env, path);
  if (os_errno == 0) {
    set_name(disk, path, power_node_new(true));
  }
  end(disk);
  return os_errno;
}

static int
remove_file(gs_env *env, const char *path)
{
  power_dir *disk = disk_of(env);
  begin(disk);
  int os_errno = disk->real->remove(env, path);
  if (os_errno == 0) {
    set_name(disk, path, NULL);
  }
  end(disk);
  return os_errno;
}

static int
remove_directory(gs_env *env, const char *path)
{
  power_dir *disk = disk_of(env);
  begin(disk);
  int os_errno = disk->real->remove_dir(env, path);
  if (os_errno == 0) {
    set_name(disk, path, NULL);
  }
  end(disk);
  return os_errno;
}

static int
link_file(gs_env *env, const char *from, const char *to)
{
  power_dir *disk = disk_of(env);
  begin(disk);
  int os_errno = disk->real->link(env, from, to);
  if (os_errno == 0) {
    set_name(disk, to, now_of(name_of(disk, below_root(disk, from))));
  }
  end(disk);
  return os_errno;
}

/* The real machine makes the file of a lock, and writes into it what nobody
 * relies on: to the recorder it stays empty. */
static int
lock_path(gs_env *env, const char *path, gs_lock **out, char *owner,
          size_t owner_size)
{
  power_dir *disk = disk_of(env);
  begin(disk);
  int os_errno = disk->real->lock(env, path, out, owner, owner_size);
  if (os_errno == 0 && now_of(name_of(disk, below_root(disk, path))) == NULL) {
    set_name(disk, path, power_node_new(false));
  }
  end(disk);
  return os_errno;
}

/* ---- life ------------------------------------------------------------------- */

static void
read_whole(const char *path, gs_buffer *out)
{
  gs_file *file = NULL;
  gs_buffer_clear(out);
  assert_int_equal(
      gs_file_open(gs_env_posix(), path, GS_OPEN_READ, &file, NULL), GS_OK);
  assert_int_equal(gs_file_read_all(file, out, NULL), GS_OK);
  assert_int_equal(gs_file_close(file, NULL), GS_OK);
}

typedef struct adoption {
  power_dir *disk;
  const char *dir;
} adoption;

static void
adopt(void *context, const char *entry)
{
  adoption *a = context;
  char path[2 * PATH_ROOM];
  gs_file_info info;
  int size = snprintf(path, sizeof path, "%s/%s", a->dir, entry);
  assert_in_range(size, 1, PATH_ROOM - 1);
  assert_int_equal(gs_env_stat(gs_env_posix(), path, &info, NULL), GS_OK);
  power_node *found = power_node_new(info.is_directory);
  name *n = name_of(a->disk, below_root(a->disk, path));
  n->synced = power_node_hold(found);
  if (!info.is_directory) {
    read_whole(path, &found->synced);
    return;
  }
  adoption inner = {a->disk, path};
  assert_int_equal(gs_env_list(gs_env_posix(), path, adopt, &inner, NULL),
                   GS_OK);
}

static void
take_over_operations(power_dir *disk)
{
  disk->real = gs_env_posix()->ops;
  disk->ops = *disk->real;
  disk->ops.open = open_file;
  disk->ops.close = close_file;
  disk->ops.write = write_file;
  disk->ops.allocate = allocate_file;
  disk->ops.reserve = reserve_file;
  disk->ops.truncate = truncate_file;
  disk->ops.sync_data = sync_file;
  disk->ops.make_dir = make_directory;
  disk->ops.remove = remove_file;
  disk->ops.remove_dir = remove_directory;
  disk->ops.link = link_file;
  disk->ops.sync_dir = sync_directory;
  disk->ops.lock = lock_path;
}

power_dir *
power_dir_new(const char *root)
{
  power_dir *disk = GS_NEW(power_memory(), power_dir);
  assert_non_null(disk);
  assert_in_range(strlen(root), 1, PATH_ROOM - 1);
  memcpy(disk->root, root, strlen(root) + 1);
  pthread_mutex_init(&disk->books, NULL);
  take_over_operations(disk);
  disk->env.ops = &disk->ops;
  disk->env.alloc = power_memory();
  disk->env.process = gs_env_posix()->process;
  disk->env.has_threads = true;
  atomic_init(&disk->env.registry, NULL);
  adoption all = {disk, disk->root};
  assert_int_equal(gs_env_list(gs_env_posix(), root, adopt, &all, NULL), GS_OK);
  return disk;
}

void
power_dir_free(power_dir *disk)
{
  assert_null(disk->handles);
  while (disk->names != NULL) {
    forget_name(&disk->names);
  }
  gs_mutex_free(atomic_load(&disk->env.registry));
  pthread_mutex_destroy(&disk->books);
  GS_DELETE(power_memory(), disk);
}

gs_env *
power_dir_env(power_dir *disk)
{
  return &disk->env;
}

void
power_dir_watch(power_dir *disk, void (*watch_syncs)(void *context),
                void *context)
{
  disk->watch = watch_syncs;
  disk->context = context;
}

void
power_dir_lie(power_dir *disk, const char *suffix)
{
  assert_true(disk->lie_count < LIES_MAX);
  disk->lies[disk->lie_count++] = suffix;
}

/* ---- cutting ---------------------------------------------------------------- */

static power_node *
choose(power_chooser *c, const name *n)
{
  size_t kept = 0;
  size_t count = past_count(n);
  while (kept < count && power_happens(c, c->name_odds)) {
    kept++;
  }
  return kept == 0 ? n->synced : past_at(n, kept - 1);
}

static void
write_whole(const char *path, const gs_buffer *image)
{
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd < 0 && errno == ENOENT) {
    return; /* the directory is what was lost */
  }
  assert_true(fd >= 0);
  assert_int_equal(write(fd, image->data, image->size), image->size);
  close(fd);
}

void
power_dir_cut(power_dir *disk, power_cut how, uint64_t seed, const char *to)
{
  gs_buffer image;
  uint64_t salt = 0;
  power_chooser c = power_chooser_of(how, seed);
  gs_buffer_init(&image, power_memory());
  assert_int_equal(mkdir(to, 0777), 0);
  for (const name *n = disk->names; n != NULL; n = n->next) {
    char path[2 * PATH_ROOM];
    const power_node *chosen = choose(&c, n);
    snprintf(path, sizeof path, "%s%s", to, n->path);
    if (chosen != NULL && chosen->is_directory) {
      assert_true(mkdir(path, 0777) == 0 || errno == ENOENT);
    } else if (chosen != NULL) {
      power_node_build(c, ++salt, chosen, &image);
      write_whole(path, &image);
    }
  }
  gs_buffer_deinit(&image);
}

static bool
is_lock(const char *path)
{
  size_t size = strlen(path);
  return size >= 5 && strcmp(path + size - 5, "/LOCK") == 0;
}

void
power_dir_check(power_dir *disk)
{
  gs_buffer told;
  gs_buffer found;
  gs_buffer_init(&told, power_memory());
  gs_buffer_init(&found, power_memory());
  for (const name *n = disk->names; n != NULL; n = n->next) {
    char path[2 * PATH_ROOM];
    const power_node *now = now_of(n);
    snprintf(path, sizeof path, "%s%s", disk->root, n->path);
    assert_int_equal(access(path, F_OK) == 0, now != NULL);
    if (now != NULL && !now->is_directory && !is_lock(path)) {
      power_node_build(power_chooser_of(POWER_CUT_NOTHING, 0), 0, now, &told);
      read_whole(path, &found);
      assert_int_equal(found.size, told.size);
      assert_true(
          gs_slice_equal(gs_buffer_slice(&found), gs_buffer_slice(&told)));
    }
  }
  gs_buffer_deinit(&told);
  gs_buffer_deinit(&found);
}
