/*
 * manifest_name: a name has at least six digits, and no more zeros in front
 * than that takes; so each number has one name and each name one number.
 */
#include "tree/manifest_name.h"

#include "tree/sort.h"

#define PREFIX "MANIFEST-"

enum {
  PREFIX_CHARS = sizeof PREFIX - 1,
  MIN_DIGITS = 6,
  MAX_DIGITS = 20,
};

void
gs_manifest_path(gs_buffer *out, const char *dir, uint64_t number)
{
  char digits[MAX_DIGITS];
  size_t count = 0;
  while (number > 0 || count < MIN_DIGITS) {
    count++;
    digits[MAX_DIGITS - count] = (char)('0' + number % 10);
    number /= 10;
  }
  gs_buffer_clear(out);
  gs_buffer_append(out, dir, strlen(dir));
  gs_buffer_append(out, "/" PREFIX, PREFIX_CHARS + 1);
  gs_buffer_append(out, digits + MAX_DIGITS - count, count);
  gs_buffer_append(out, "", 1);
}

bool
gs_manifest_parse_name(const char *name, uint64_t *number)
{
  if (strncmp(name, PREFIX, PREFIX_CHARS) != 0) {
    return false;
  }
  const char *digits = name + PREFIX_CHARS;
  uint64_t value = 0;
  size_t count = 0;
  for (; digits[count] >= '0' && digits[count] <= '9'; count++) {
    uint64_t digit = (uint64_t)(digits[count] - '0');
    if (value > (UINT64_MAX - digit) / 10) {
      return false;
    }
    value = value * 10 + digit;
  }
  bool is_canonical =
      count == MIN_DIGITS || (count > MIN_DIGITS && digits[0] != '0');
  if (digits[count] != '\0' || !is_canonical || value == 0) {
    return false;
  }
  *number = value;
  return true;
}

static void
take_name(void *context, const char *name)
{
  gs_manifest_list *list = context;
  uint64_t number;
  if (gs_manifest_parse_name(name, &number)) {
    gs_buffer_append(&list->bytes, &number, sizeof number);
  }
}

gs_status
gs_manifest_list_init(gs_manifest_list *list, gs_env *env, const char *dir,
                      gs_error *err)
{
  gs_buffer_init(&list->bytes, env->alloc);
  gs_status status = gs_env_list(env, dir, take_name, list, err);
  if (status == GS_OK) {
    status = gs_buffer_status(&list->bytes, err);
  }
  if (status != GS_OK) {
    gs_manifest_list_deinit(list);
    return status;
  }
  void *numbers = list->bytes.data;
  gs_sort_u64(numbers, gs_manifest_list_count(list));
  return GS_OK;
}

void
gs_manifest_list_deinit(gs_manifest_list *list)
{
  gs_buffer_deinit(&list->bytes);
}
