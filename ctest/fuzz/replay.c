/*
 * replay: a fuzz target without a fuzzer. Each file of the target's corpus is a
 * test, named after the file; files named as arguments are taken instead, which
 * is how a single finding is looked at (and what AFL++ wants, with @@).
 *
 * Run from the root of the tree. The target's name is the program's, up to
 * "_replay".
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "fuzz/target.h"

enum { CASES_MAX = 4096, PATH_BYTES = 1024 };

static struct CMUnitTest cases[CASES_MAX];
static size_t case_count;

static void
run_file(const char *path)
{
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    fail_msg("%s cannot be read", path);
    return;
  }
  assert_int_equal(fseek(file, 0, SEEK_END), 0);
  long size = ftell(file);
  assert_true(size >= 0);
  rewind(file);
  /* Exactly as large, so that a sanitizer sees a step beyond the end. */
  uint8_t *bytes = malloc(size > 0 ? (size_t)size : 1);
  assert_non_null(bytes);
  assert_int_equal(fread(bytes, 1, (size_t)size, file), size);
  assert_int_equal(fclose(file), 0);
  assert_int_equal(LLVMFuzzerTestOneInput(bytes, (size_t)size), 0);
  free(bytes);
}

static void
run_case(void **state)
{
  run_file(*state);
}

static char *
copy_text(const char *text)
{
  char *copy = malloc(strlen(text) + 1);
  REQUIRE(copy != NULL);
  memcpy(copy, text, strlen(text) + 1);
  return copy;
}

static void
add_case(const char *target, const char *path)
{
  char name[PATH_BYTES];
  const char *slash = strrchr(path, '/');
  REQUIRE(case_count < CASES_MAX);
  (void)snprintf(name, sizeof name, "%s: %s", target,
                 slash == NULL ? path : slash + 1);
  cases[case_count++] = (struct CMUnitTest){
      .name = copy_text(name),
      .test_func = run_case,
      .initial_state = copy_text(path),
  };
}

static int
compare_cases(const void *a, const void *b)
{
  return strcmp(((const struct CMUnitTest *)a)->name,
                ((const struct CMUnitTest *)b)->name);
}

static void
add_corpus(const char *target)
{
  char folder[PATH_BYTES];
  (void)snprintf(folder, sizeof folder, "ctest/fuzz/corpus/%.200s", target);
  DIR *dir = opendir(folder);
  REQUIRE(dir != NULL);
  for (const struct dirent *row; (row = readdir(dir)) != NULL;) {
    char path[PATH_BYTES];
    if (row->d_name[0] != '.') {
      (void)snprintf(path, sizeof path, "%.700s/%.300s", folder, row->d_name);
      add_case(target, path);
    }
  }
  REQUIRE(closedir(dir) == 0);
  qsort(cases, case_count, sizeof cases[0], compare_cases);
}

int
main(int argc, char **argv)
{
  char target[PATH_BYTES];
  const char *slash = strrchr(argv[0], '/');
  (void)snprintf(target, sizeof target, "%s",
                 slash == NULL ? argv[0] : slash + 1);
  char *ending = strstr(target, "_replay");
  REQUIRE(ending != NULL);
  *ending = '\0';
  for (int i = 1; i < argc; i++) {
    add_case(target, argv[i]);
  }
  if (argc == 1) {
    add_corpus(target);
  }
  int failed = _cmocka_run_group_tests(target, cases, case_count, NULL, NULL);
  for (size_t i = 0; i < case_count; i++) {
    free((void *)(uintptr_t)cases[i].name);
    free(cases[i].initial_state);
  }
  return failed;
}
