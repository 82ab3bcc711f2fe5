/*
 * One battery of operations over both machines: they must give equal answers.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "env/env.h"
#include "support/listing.h"
#include "support/machine.h"

enum { NAME_BYTES = 300, PAGES_BYTES = 20000 };

static machine under_test;
static gs_error err;

static int
set_up_posix(void **state)
{
  (void)state;
  machine_open_posix(&under_test);
  return 0;
}

static int
set_up_sim(void **state)
{
  (void)state;
  machine_open_sim(&under_test);
  return 0;
}

static int
tear_down(void **state)
{
  (void)state;
  machine_close(&under_test);
  return 0;
}

static const char *
at(const char *name)
{
  return temp_dir_at(&under_test.dir, name);
}

static gs_file *
open_file(const char *name, gs_open_mode mode)
{
  gs_file *file = NULL;
  assert_int_equal(gs_file_open(under_test.env, at(name), mode, &file, &err),
                   GS_OK);
  return file;
}

static gs_status
try_open(const char *name, gs_open_mode mode)
{
  gs_file *file = NULL;
  gs_status status = gs_file_open(under_test.env, at(name), mode, &file, &err);
  assert_int_equal(gs_file_close(file, NULL), GS_OK);
  return status;
}

static void
close_file(gs_file *file)
{
  assert_int_equal(gs_file_close(file, &err), GS_OK);
}

static void
make_file(const char *name, const char *text)
{
  gs_file *file = open_file(name, GS_OPEN_CREATE);
  assert_int_equal(gs_file_write(file, 0, text, strlen(text), &err), GS_OK);
  close_file(file);
}

static void
assert_text(const char *name, const char *text)
{
  gs_buffer out;
  gs_buffer_init(&out, under_test.env->alloc);
  gs_file *file = open_file(name, GS_OPEN_READ);
  assert_int_equal(gs_file_read_all(file, &out, &err), GS_OK);
  assert_true(gs_slice_equal(gs_buffer_slice(&out), gs_slice_str(text)));
  close_file(file);
  gs_buffer_deinit(&out);
}

static void
make_dir(const char *name)
{
  assert_int_equal(gs_env_make_dir(under_test.env, at(name), &err), GS_OK);
}

static uint64_t
size_of(gs_file *file)
{
  uint64_t size = 0;
  assert_int_equal(gs_file_size(file, &size, &err), GS_OK);
  return size;
}

static void
test_what_was_written_is_read(void **state)
{
  (void)state;
  make_file("f", "hello");
  assert_text("f", "hello");
}

static void
test_a_new_file_must_be_new_and_an_old_one_there(void **state)
{
  (void)state;
  assert_int_equal(try_open("f", GS_OPEN_READ), GS_MISSING);
  assert_int_equal(try_open("f", GS_OPEN_WRITE), GS_MISSING);
  assert_int_equal(try_open("f", GS_OPEN_CREATE), GS_OK);
  assert_int_equal(try_open("f", GS_OPEN_CREATE), GS_EXISTS);
  assert_int_equal(try_open("f", GS_OPEN_READ), GS_OK);
  assert_int_equal(try_open("f", GS_OPEN_WRITE), GS_OK);
  assert_int_equal(try_open("d/f", GS_OPEN_CREATE), GS_MISSING);
  assert_int_equal(try_open("f/g", GS_OPEN_CREATE), GS_IO);
  assert_int_equal(err.os_errno, ENOTDIR);
}

static void
test_a_directory_is_not_a_file(void **state)
{
  (void)state;
  make_dir("d");
  assert_int_equal(try_open("d", GS_OPEN_READ), GS_IO);
  assert_int_equal(err.os_errno, EISDIR);
  assert_int_equal(try_open("d", GS_OPEN_WRITE), GS_IO);
  assert_int_equal(err.os_errno, EISDIR);
  assert_int_equal(try_open("d", GS_OPEN_CREATE), GS_EXISTS);
  assert_int_equal(gs_env_remove(under_test.env, at("d"), &err), GS_IO);
  assert_int_equal(err.os_errno, EISDIR);
}

static void
test_a_write_beyond_the_end_leaves_zeros(void **state)
{
  (void)state;
  char text[12];
  gs_file *file = open_file("f", GS_OPEN_CREATE);
  assert_int_equal(gs_file_write(file, 0, "abc", 3, &err), GS_OK);
  assert_int_equal(gs_file_write(file, 10, "xy", 2, &err), GS_OK);
  assert_int_equal(size_of(file), 12);
  assert_int_equal(gs_file_read(file, 0, text, 12, &err), GS_OK);
  assert_memory_equal(text, "abc\0\0\0\0\0\0\0xy", 12);
  close_file(file);
}

static void
test_a_file_opened_for_reading_takes_no_writes(void **state)
{
  (void)state;
  make_file("f", "abc");
  gs_file *file = open_file("f", GS_OPEN_READ);
  assert_int_equal(gs_file_write(file, 0, "x", 1, &err), GS_IO);
  assert_int_equal(err.os_errno, EBADF);
  assert_int_equal(gs_file_allocate(file, 100, &err), GS_IO);
  assert_int_equal(under_test.env->ops->truncate(file, 1), EINVAL);
  assert_int_equal(under_test.env->ops->map(file, 3), EACCES);
  assert_int_equal(gs_file_sync(file, &err), GS_OK);
  close_file(file);
  assert_text("f", "abc");
}

static void
test_allocation_grows_with_zeros_and_never_shrinks(void **state)
{
  (void)state;
  char text[5];
  gs_file *file = open_file("f", GS_OPEN_CREATE);
  assert_int_equal(gs_file_write(file, 0, "ab", 2, &err), GS_OK);
  assert_int_equal(gs_file_allocate(file, 5, &err), GS_OK);
  assert_int_equal(gs_file_allocate(file, 1, &err), GS_OK);
  assert_int_equal(size_of(file), 5);
  assert_int_equal(gs_file_read(file, 0, text, 5, &err), GS_OK);
  assert_memory_equal(text, "ab\0\0\0", 5);
  close_file(file);
}

static void
test_a_cut_file_grows_with_zeros(void **state)
{
  (void)state;
  char text[6];
  gs_file *file = open_file("f", GS_OPEN_CREATE);
  assert_int_equal(gs_file_write(file, 0, "abcdef", 6, &err), GS_OK);
  assert_int_equal(under_test.env->ops->truncate(file, 2), 0);
  assert_int_equal(size_of(file), 2);
  assert_int_equal(under_test.env->ops->truncate(file, 6), 0);
  assert_int_equal(gs_file_read(file, 0, text, 6, &err), GS_OK);
  assert_memory_equal(text, "ab\0\0\0\0", 6);
  close_file(file);
}

static void
test_pages_that_were_cut_off_come_back_as_zeros(void **state)
{
  (void)state;
  static uint8_t bytes[PAGES_BYTES];
  static const uint8_t zeros[PAGES_BYTES];
  gs_file *file = open_file("f", GS_OPEN_CREATE);
  memset(bytes, 'x', sizeof bytes);
  assert_int_equal(gs_file_write(file, 0, bytes, sizeof bytes, &err), GS_OK);
  assert_int_equal(under_test.env->ops->truncate(file, 10), 0);
  assert_int_equal(gs_file_allocate(file, sizeof bytes, &err), GS_OK);
  assert_int_equal(gs_file_read(file, 0, bytes, sizeof bytes, &err), GS_OK);
  assert_memory_equal(bytes, "xxxxxxxxxx", 10);
  assert_memory_equal(bytes + 10, zeros, sizeof bytes - 10);
  close_file(file);
}

static void
test_a_mapped_file_is_written_and_read_as_before(void **state)
{
  (void)state;
  char text[8];
  gs_file *file = open_file("f", GS_OPEN_CREATE);
  assert_int_equal(gs_file_allocate(file, 8, &err), GS_OK);
  gs_file_map(file, 6);
  assert_int_equal(gs_file_write(file, 4, "abcd", 4, &err), GS_OK);
  gs_file_advise(file, 0, 8, GS_ADVICE_WRITTEN);
  assert_int_equal(gs_file_sync(file, &err), GS_OK);
  assert_int_equal(gs_file_read(file, 0, text, 8, &err), GS_OK);
  assert_memory_equal(text, "\0\0\0\0abcd", 8);
  close_file(file);
}

static void
test_offsets_beyond_all_files_are_refused(void **state)
{
  (void)state;
  char byte = 'x';
  gs_file *file = open_file("f", GS_OPEN_CREATE);
  assert_int_equal(gs_file_write(file, UINT64_MAX - 1, &byte, 1, &err), GS_IO);
  assert_int_equal(err.os_errno, EINVAL);
  size_t got = 9;
  assert_int_equal(
      gs_file_read_some(file, UINT64_MAX - 1, &byte, 1, &got, &err), GS_IO);
  assert_int_equal(err.os_errno, EINVAL);
  close_file(file);
}

static void
test_a_listing_has_files_and_directories_but_no_dots(void **state)
{
  (void)state;
  listing list = {.count = 0};
  make_dir("d");
  make_file("d/inner", "");
  make_file("b", "");
  make_file("a", "");
  assert_int_equal(gs_env_list(under_test.env, under_test.dir.path,
                               listing_note, &list, &err),
                   GS_OK);
  listing_sort(&list);
  assert_int_equal(list.count, 3);
  assert_string_equal(list.names[0], "a");
  assert_string_equal(list.names[1], "b");
  assert_string_equal(list.names[2], "d");
  assert_int_equal(
      gs_env_list(under_test.env, at("none"), listing_note, &list, &err),
      GS_MISSING);
  assert_int_equal(
      gs_env_list(under_test.env, at("a"), listing_note, &list, &err), GS_IO);
  assert_int_equal(err.os_errno, ENOTDIR);
}

static void
remove_name(void *context, const char *name)
{
  size_t *count = context;
  *count += 1;
  assert_int_equal(gs_env_remove(under_test.env, at(name), &err), GS_OK);
}

static void
test_what_is_listed_may_be_removed_meanwhile(void **state)
{
  (void)state;
  size_t count = 0;
  make_file("a", "");
  make_file("b", "");
  make_file("c", "");
  assert_int_equal(gs_env_list(under_test.env, under_test.dir.path, remove_name,
                               &count, &err),
                   GS_OK);
  assert_int_equal(count, 3);
  assert_int_equal(try_open("a", GS_OPEN_READ), GS_MISSING);
}

static void
test_a_look_tells_kind_size_and_identity(void **state)
{
  (void)state;
  gs_file_info dir;
  gs_file_info file;
  gs_file_info link;
  make_dir("d");
  make_file("f", "abc");
  char from[TEMP_DIR_BYTES];
  snprintf(from, sizeof from, "%s", at("f"));
  assert_int_equal(gs_env_link(under_test.env, from, at("g"), &err), GS_OK);
  assert_int_equal(gs_env_stat(under_test.env, at("d"), &dir, &err), GS_OK);
  assert_int_equal(gs_env_stat(under_test.env, at("f"), &file, &err), GS_OK);
  assert_int_equal(gs_env_stat(under_test.env, at("g"), &link, &err), GS_OK);
  assert_true(dir.is_directory && !file.is_directory);
  assert_int_equal(file.size_bytes, 3);
  assert_true(file.inode == link.inode && file.device == link.device);
  assert_true(file.inode != dir.inode);
  assert_int_equal(gs_env_stat(under_test.env, at("x"), &file, &err),
                   GS_MISSING);
}

static void
test_a_linked_file_outlives_its_first_name(void **state)
{
  (void)state;
  char from[TEMP_DIR_BYTES];
  make_file("f", "abc");
  make_dir("d");
  snprintf(from, sizeof from, "%s", at("f"));
  assert_int_equal(gs_env_link(under_test.env, from, at("d"), &err), GS_EXISTS);
  assert_int_equal(gs_env_link(under_test.env, from, at("d/g"), &err), GS_OK);
  assert_int_equal(gs_env_remove(under_test.env, from, &err), GS_OK);
  assert_int_equal(gs_env_remove(under_test.env, from, &err), GS_MISSING);
  assert_text("d/g", "abc");
}

static void
test_only_empty_directories_are_removed(void **state)
{
  (void)state;
  make_dir("d");
  make_file("d/f", "");
  assert_int_equal(gs_env_make_dir(under_test.env, at("d"), &err), GS_EXISTS);
  assert_int_equal(gs_env_remove_dir(under_test.env, at("d"), &err), GS_IO);
  assert_int_equal(err.os_errno, ENOTEMPTY);
  assert_int_equal(gs_env_remove_dir(under_test.env, at("d/f"), &err), GS_IO);
  assert_int_equal(err.os_errno, ENOTDIR);
  assert_int_equal(gs_env_remove(under_test.env, at("d/f"), &err), GS_OK);
  assert_int_equal(gs_env_remove_dir(under_test.env, at("d"), &err), GS_OK);
  assert_int_equal(gs_env_remove_dir(under_test.env, at("d"), &err),
                   GS_MISSING);
}

static void
test_names_have_a_limit(void **state)
{
  (void)state;
  char name[NAME_BYTES];
  memset(name, 'n', sizeof name);
  name[256] = '\0';
  assert_int_equal(try_open(name, GS_OPEN_CREATE), GS_IO);
  assert_int_equal(err.os_errno, ENAMETOOLONG);
  name[255] = '\0';
  assert_int_equal(try_open(name, GS_OPEN_CREATE), GS_OK);
}

static void
test_slashes_at_the_end_of_a_directory_do_not_matter(void **state)
{
  (void)state;
  make_dir("d//");
  make_file("d//f", "abc");
  assert_text("d/f", "abc");
  assert_int_equal(gs_env_sync_dir(under_test.env, at("d/"), &err), GS_OK);
}

static void
test_everything_can_be_synced(void **state)
{
  (void)state;
  make_dir("d");
  assert_int_equal(gs_env_sync_dir(under_test.env, at("d"), &err), GS_OK);
  gs_file *file = open_file("d/f", GS_OPEN_CREATE);
  assert_int_equal(gs_file_sync(file, &err), GS_OK);
  close_file(file);
  assert_int_equal(gs_env_sync_dir(under_test.env, at("d/f"), &err), GS_IO);
  assert_int_equal(err.os_errno, ENOTDIR);
  assert_int_equal(gs_env_sync_dir(under_test.env, at("x"), &err), GS_MISSING);
}

static void
test_a_lock_excludes_and_can_be_taken_again(void **state)
{
  (void)state;
  gs_lock *lock = NULL;
  gs_lock *second = NULL;
  assert_int_equal(gs_env_lock(under_test.env, at("L"), &lock, &err), GS_OK);
  assert_int_equal(gs_env_lock(under_test.env, at("L"), &second, &err),
                   GS_LOCKED);
  assert_non_null(strstr(err.message, "is locked by process "));
  gs_env_unlock(lock);
  assert_int_equal(gs_env_lock(under_test.env, at("L"), &lock, &err), GS_OK);
  gs_env_unlock(lock);
  assert_int_equal(try_open("L", GS_OPEN_READ), GS_OK);
}

static void
test_a_short_room_for_the_owner_of_a_lock_is_not_overrun(void **state)
{
  (void)state;
  char owner[3] = "zz";
  gs_lock *lock = NULL;
  gs_lock *second = NULL;
  const gs_env_ops *ops = under_test.env->ops;
  assert_int_equal(gs_env_lock(under_test.env, at("L"), &lock, &err), GS_OK);
  assert_int_equal(ops->lock(under_test.env, at("L"), &second, owner, 2),
                   EWOULDBLOCK);
  assert_true(owner[0] >= '1' && owner[0] <= '9');
  assert_memory_equal(owner + 1, "\0", 2);
  assert_int_equal(ops->lock(under_test.env, at("L"), &second, NULL, 0),
                   EWOULDBLOCK);
  gs_env_unlock(lock);
}

/* A guard keeps writers out and leaves every byte as it is. */
static void
test_a_guard_excludes_and_writes_nothing(void **state)
{
  (void)state;
  gs_lock *lock = NULL;
  gs_lock *guard = NULL;
  gs_file_info before;
  gs_file_info after;
  assert_int_equal(gs_env_lock(under_test.env, at("L"), &lock, &err), GS_OK);
  assert_int_equal(gs_env_guard(under_test.env, at("L"), &guard, &err),
                   GS_LOCKED);
  assert_null(guard);
  gs_env_unlock(lock);
  assert_int_equal(gs_env_stat(under_test.env, at("L"), &before, &err), GS_OK);
  assert_int_equal(gs_env_guard(under_test.env, at("L"), &guard, &err), GS_OK);
  assert_non_null(guard);
  assert_int_equal(gs_env_lock(under_test.env, at("L"), &lock, &err),
                   GS_LOCKED);
  gs_env_unlock(guard);
  assert_int_equal(gs_env_stat(under_test.env, at("L"), &after, &err), GS_OK);
  assert_int_equal(before.size_bytes, after.size_bytes);
  assert_int_equal(before.inode, after.inode);
  assert_int_equal(gs_env_lock(under_test.env, at("L"), &lock, &err), GS_OK);
  gs_env_unlock(lock);
}

static void
test_a_probe_names_the_owner_and_keeps_nobody_out(void **state)
{
  (void)state;
  char owner[32] = "zz";
  gs_lock *lock = NULL;
  gs_env *env = under_test.env;
  assert_int_equal(gs_env_probe(env, at("L"), owner, sizeof owner, &err),
                   GS_OK);
  assert_string_equal(owner, "");
  assert_int_equal(try_open("L", GS_OPEN_READ), GS_MISSING);
  assert_int_equal(gs_env_lock(env, at("L"), &lock, &err), GS_OK);
  assert_int_equal(gs_env_probe(env, at("L"), owner, sizeof owner, &err),
                   GS_LOCKED);
  assert_true(owner[0] >= '1' && owner[0] <= '9');
  gs_env_unlock(lock);
  assert_int_equal(gs_env_probe(env, at("L"), owner, sizeof owner, &err),
                   GS_OK);
  assert_int_equal(gs_env_lock(env, at("L"), &lock, &err), GS_OK);
  gs_env_unlock(lock);
}

#define ON_BOTH(test)                                    \
  {#test "_posix", test, set_up_posix, tear_down, NULL}, \
  {                                                      \
#test "_sim", test, set_up_sim, tear_down, NULL      \
  }

int
main(void)
{
  const struct CMUnitTest tests[] = {
      ON_BOTH(test_what_was_written_is_read),
      ON_BOTH(test_a_new_file_must_be_new_and_an_old_one_there),
      ON_BOTH(test_a_directory_is_not_a_file),
      ON_BOTH(test_a_write_beyond_the_end_leaves_zeros),
      ON_BOTH(test_a_file_opened_for_reading_takes_no_writes),
      ON_BOTH(test_allocation_grows_with_zeros_and_never_shrinks),
      ON_BOTH(test_a_cut_file_grows_with_zeros),
      ON_BOTH(test_pages_that_were_cut_off_come_back_as_zeros),
      ON_BOTH(test_a_mapped_file_is_written_and_read_as_before),
      ON_BOTH(test_offsets_beyond_all_files_are_refused),
      ON_BOTH(test_a_listing_has_files_and_directories_but_no_dots),
      ON_BOTH(test_what_is_listed_may_be_removed_meanwhile),
      ON_BOTH(test_a_look_tells_kind_size_and_identity),
      ON_BOTH(test_a_linked_file_outlives_its_first_name),
      ON_BOTH(test_only_empty_directories_are_removed),
      ON_BOTH(test_names_have_a_limit),
      ON_BOTH(test_slashes_at_the_end_of_a_directory_do_not_matter),
      ON_BOTH(test_everything_can_be_synced),
      ON_BOTH(test_a_lock_excludes_and_can_be_taken_again),
      ON_BOTH(test_a_short_room_for_the_owner_of_a_lock_is_not_overrun),
      ON_BOTH(test_a_guard_excludes_and_writes_nothing),
      ON_BOTH(test_a_probe_names_the_owner_and_keeps_nobody_out),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
